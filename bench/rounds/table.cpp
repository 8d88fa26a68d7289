#include <bench/rounds/table.hpp>

#include <fmt/format.h>
#include <algorithm>
#include <string_view>

namespace devmap::bench {
namespace {

/// "live" of "live/redirect/...": what has a table of its own. Calls about maps share one.
std::string_view kind_of(std::string_view name) {
  const auto first = name.substr(0, name.find('/'));
  constexpr std::string_view kKinds[] = {"helper", "live", "generic", "packet"};
  const auto* const found = std::ranges::find(kKinds, first);
  return found == std::end(kKinds) ? "calls" : *found;
}

std::string_view title_of(std::string_view kind) {
  if (kind == "helper") return "Helpers: CPU time a call, by slope";
  if (kind == "live") return "Live frames: CPU time a frame sent";
  if (kind == "generic") return "Generic mode: CPU time a frame sent";
  if (kind == "packet") return "Frames of packet sockets: CPU time a frame sent";
  return "Calls of user space: CPU time a call";
}

/// Three significant digits and more.
std::string nanoseconds(double value) {
  if (value < 10) return fmt::format("{:.2f}", value);
  return value < 1000 ? fmt::format("{:.1f}", value) : fmt::format("{:.0f}", value);
}

std::string line_of(const Figure& figure, std::size_t width) {
  const auto kept = fmt::format("{}/{}", figure.samples.size(), figure.taken);
  auto text = fmt::format("{:<{}}", figure.benchmark, width);
  if (figure.status != Figure::Status::reliable) {
    return fmt::format("{}  {}: {} (kept {})\n", text, name_of(figure.status), figure.reason, kept);
  }
  const auto& itself = *figure.to_itself;
  text += fmt::format("  {:>9} {:>9} {:>9} {:>7}  {:.3f} [{:.3f}, {:.3f}]", nanoseconds(figure.quantiles->median),
                      nanoseconds(figure.quantiles->p10), nanoseconds(figure.quantiles->p90), kept, itself.ratio,
                      itself.low, itself.high);
  if (figure.to_baseline) {
    text += fmt::format("  {:.3f} [{:.3f}, {:.3f}] of {}", figure.to_baseline->ratio, figure.to_baseline->low,
                        figure.to_baseline->high, figure.baseline);
  }
  return text + "\n";
}

}  // namespace

std::string tables(const TimeRecord& record) {
  std::string text;
  for (const std::string_view kind : {"calls", "helper", "live", "generic", "packet"}) {
    std::size_t width = 0;
    for (const auto& figure : record.figures) {
      if (kind_of(figure.benchmark) == kind) width = std::max(width, figure.benchmark.size());
    }
    if (width == 0) continue;
    text += fmt::format("{}{} (ns)\n", text.empty() ? "" : "\n", title_of(kind));
    text += fmt::format("{:<{}}  {:>9} {:>9} {:>9} {:>7}  {:<20}  {}\n", "benchmark", width, "median", "p10", "p90",
                        "kept", "to itself (95 %)", "to its baseline (95 %)");
    for (const auto& figure : record.figures) {
      if (kind_of(figure.benchmark) == kind) text += line_of(figure, width);
    }
  }
  return text;
}

}  // namespace devmap::bench
