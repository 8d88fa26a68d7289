#include <harness/doctor/report.hpp>

#include <fmt/color.h>
#include <fmt/format.h>
#include <algorithm>
#include <harness/doctor/diagnosis.hpp>
#include <harness/record/record.hpp>
#include <nlohmann/json.hpp>

namespace devmap::doctor {
namespace {

using nlohmann::ordered_json;

std::string painted(std::string_view text, const fmt::text_style& style, bool color) {
  return color ? fmt::format(style, "{}", text) : std::string(text);
}

fmt::text_style style_of(Prognosis prognosis) {
  switch (prognosis) {
    case Prognosis::delivers:
      return fg(fmt::terminal_color::green) | fmt::emphasis::bold;
    case Prognosis::does_not_deliver:
      return fg(fmt::terminal_color::red) | fmt::emphasis::bold;
    case Prognosis::cannot_tell:
      break;
  }
  return fg(fmt::terminal_color::yellow) | fmt::emphasis::bold;
}

std::string verdict_line(const Report& report, const ModeReport& mode, bool color) {
  const auto verdict = prognosis(mode.findings);
  const auto words = verdict == Prognosis::cannot_tell ? "may or may not deliver" : name_of(verdict);
  return fmt::format("a redirect from {} to {} in {} mode {}\n", report.situation.in.device.state.name,
                     title_of(report.situation.out.device), name_of(mode.mode),
                     painted(words, style_of(verdict), color));
}

std::string finding_lines(const Finding& finding) {
  auto text = fmt::format("  {}: {}\n", name_of(finding.severity), finding.found);
  if (!finding.remedy.empty()) text += fmt::format("    do:   {}\n", finding.remedy);
  return text + fmt::format("    rule: {}\n", finding.rule);
}

std::string probe_lines(const Probe& probe) {
  auto text = fmt::format("  probe {}: {}\n", name_of(probe.outcome), probe.seen);
  if (!probe.not_shown.empty()) text += fmt::format("    not shown: {}\n", probe.not_shown);
  return text;
}

ordered_json fact(const Expected<bool>& known) {
  return known ? ordered_json(*known) : ordered_json("unknown: " + known.error().text());
}

ordered_json facts(const Device& device) {
  const auto& state = device.state;
  ordered_json all = {{"name", state.name},
                      {"ifindex", device.ifindex},
                      {"namespace", device.elsewhere ? ordered_json(device.elsewhere->path) : ordered_json(nullptr)},
                      {"kind", state.kind},
                      {"bus", state.bus},
                      {"up", is_up(device)},
                      {"carrier", has_carrier(device)},
                      {"mtu", state.mtu},
                      {"native_program", state.native_program},
                      {"generic_program", state.generic_program},
                      {"gro", fact(device.gro)},
                      {"tcp_segmentation", fact(device.tcp_segmentation)}};
  all["xdp_features"] = device.features ? ordered_json(device.features->bits)
                                        : ordered_json("unknown: " + device.features.error().text());
  all["queues"] = device.channels
                      ? ordered_json{{"receive", device.channels->receive}, {"transmit", device.channels->transmit}}
                      : ordered_json("unknown: " + device.channels.error().text());
  return all;
}

ordered_json facts(const Interface& interface) {
  auto all = facts(interface.device);
  if (interface.other) {
    all["other"] =
        *interface.other ? facts(**interface.other) : ordered_json("unknown: " + interface.other->error().text());
  }
  return all;
}

ordered_json as_object(const ModeReport& mode) {
  ordered_json object = {{"mode", name_of(mode.mode)},
                         {"verdict", name_of(prognosis(mode.findings))},
                         {"findings", ordered_json::array()}};
  for (const auto& finding : mode.findings) {
    object["findings"].push_back({{"finding", finding.name},
                                  {"severity", name_of(finding.severity)},
                                  {"found", finding.found},
                                  {"do", finding.remedy},
                                  {"rule", finding.rule}});
  }
  if (mode.probe) {
    object["probe"] = {
        {"outcome", name_of(mode.probe->outcome)}, {"seen", mode.probe->seen}, {"not_shown", mode.probe->not_shown}};
  }
  return object;
}

}  // namespace

std::string as_text(const Report& report, bool color) {
  std::string text;
  for (const auto& mode : report.modes) {
    if (!text.empty()) text += "\n";
    text += verdict_line(report, mode, color);
    for (const auto& finding : mode.findings) text += finding_lines(finding);
    if (mode.probe) text += probe_lines(*mode.probe);
  }
  return text;
}

std::string as_json(const Report& report) {
  ordered_json object = {{"schema_version", 1},
                         {"kernel", report.situation.kernel.text()},
                         {"in", facts(report.situation.in)},
                         {"out", facts(report.situation.out)},
                         {"size", report.situation.size ? ordered_json(*report.situation.size) : ordered_json(nullptr)},
                         {"modes", ordered_json::array()}};
  for (const auto& mode : report.modes) object["modes"].push_back(as_object(mode));
  return object.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

int exit_code(const Report& report) {
  const auto some = [&report](Prognosis wanted) {
    return std::ranges::any_of(report.modes,
                               [wanted](const ModeReport& mode) { return prognosis(mode.findings) == wanted; });
  };
  if (some(Prognosis::does_not_deliver)) return kExitDeviates;
  return some(Prognosis::cannot_tell) ? kExitNothingRan : kExitConforms;
}

}  // namespace devmap::doctor
