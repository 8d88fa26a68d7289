#include <vm/guest/plan.hpp>

#include <charconv>

namespace devmap::vm {
namespace {

void append(std::string& text, std::string_view key, std::string_view first, std::string_view second) {
  for (const auto field : {key, first, second}) text.append(field).push_back('\0');
}

std::string_view take_field(std::string_view& text) {
  const auto end = text.find('\0');
  const auto field = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return field;
}

}  // namespace

std::string render_plan(const Plan& plan) {
  std::string text;
  for (const auto& module : plan.transport_modules) append(text, "transport", module.file, module.parameters);
  for (const auto& module : plan.modules) append(text, "module", module.file, module.parameters);
  for (const auto& setting : plan.settings) append(text, "set", setting.file, setting.value);
  if (plan.limit_s != 0) append(text, "limit", std::to_string(plan.limit_s), {});
  if (plan.on_console) append(text, "console", {}, {});
  for (const auto& word : plan.command) append(text, "word", word, {});
  return text;
}

Plan parse_plan(std::string_view text) {
  Plan plan;
  while (!text.empty()) {
    const auto key = take_field(text);
    const std::string first(take_field(text));
    const std::string second(take_field(text));
    if (key == "transport") plan.transport_modules.emplace_back(first, second);
    if (key == "module") plan.modules.emplace_back(first, second);
    if (key == "set") plan.settings.emplace_back(first, second);
    if (key == "limit") std::from_chars(first.data(), first.data() + first.size(), plan.limit_s);
    if (key == "console") plan.on_console = true;
    if (key == "word") plan.command.push_back(first);
  }
  return plan;
}

}  // namespace devmap::vm
