#include <vm/console.hpp>

#include <algorithm>
#include <array>

namespace devmap::vm {
namespace {

constexpr std::string_view kPanic = "Kernel panic";

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const auto end = text.find('\n');
    auto line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
    if (!line.empty()) lines.emplace_back(line);
  }
  return lines;
}

/// A line of the kernel without its time stamp.
std::string without_stamp(const std::string& line) {
  if (!line.starts_with('[')) return line;
  const auto end = line.find("] ");
  return end == std::string::npos ? line : line.substr(end + 2);
}

bool begins_fault(std::string_view line) {
  constexpr std::array<std::string_view, 5> kFaults = {"BUG: ", "kernel BUG at ", "Oops: ", "general protection fault",
                                                       "Unable to handle "};
  for (const auto fault : kFaults) {
    if (line.starts_with(fault)) return true;
  }
  return false;
}

}  // namespace

std::vector<std::string> last_lines(std::string_view console, std::size_t count) {
  auto lines = lines_of(console);
  if (lines.size() > count) lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(count));
  return lines;
}

std::vector<std::string> fault_lines(std::string_view console, std::size_t count) {
  auto lines = lines_of(console);
  const auto first = std::ranges::find_if(lines, [](const std::string& line) {
    const auto text = without_stamp(line);
    return begins_fault(text) || text.starts_with(kPanic);
  });
  if (first == lines.end()) return last_lines(console, count);
  lines.erase(lines.begin(), first);
  if (lines.size() > count) lines.resize(count);
  return lines;
}

std::optional<std::string> out_of_memory_in(std::string_view console) {
  for (const auto& line : lines_of(console)) {
    auto text = without_stamp(line);
    if (text.starts_with("Out of memory: ")) return text;
  }
  return std::nullopt;
}

std::optional<std::string> panic_in(std::string_view console) {
  std::string fault;
  for (const auto& line : lines_of(console)) {
    const auto text = without_stamp(line);
    if (fault.empty() && begins_fault(text)) fault = text;
    if (!text.starts_with(kPanic)) continue;
    return fault.empty() ? text : fault + "; " + text;
  }
  return std::nullopt;
}

bool kernel_spoke(std::string_view console) {
  return console.find("[    ") != std::string_view::npos;
}

}  // namespace devmap::vm
