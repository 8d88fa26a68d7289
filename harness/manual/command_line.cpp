#include <harness/manual/command_line.hpp>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

namespace devmap::manual {
namespace {

/// The descriptions of an option's checks: "{auto,always,never}", "FILE", "UINT in [1 - 64]".
std::vector<std::string> checks_of(const CLI::Option& option) {
  // CLI11 gives checks only of options that may be changed.
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast)
  auto& changeable = const_cast<CLI::Option&>(option);
  std::vector<std::string> checks;
  try {
    for (int i = 0;; ++i) checks.push_back(changeable.get_validator(i)->get_description());
  } catch (const CLI::OptionNotFound&) {
    return checks;
  }
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

Values values_of(const std::string& value_name, const std::vector<std::string>& checks) {
  Values values;
  auto names = split(value_name, '|');
  for (const auto& check : checks) {
    if (check.starts_with('{') && check.ends_with('}')) {
      values.words = split(check.substr(1, check.size() - 2), ',');
    } else {
      names.push_back(check);
    }
  }
  const auto has = [&](const char* name) { return std::ranges::find(names, name) != names.end(); };
  values.files = has("FILE");
  values.directories = has("DIR");
  return values;
}

/// What help calls the value, without what it adds of the checks.
std::string value_name_of(const CLI::Option& option, const std::vector<std::string>& checks) {
  if (option.get_type_size_max() == 0) return {};
  std::string name = option.get_type_name();
  for (const auto& check : checks) {
    const auto at = check.empty() ? std::string::npos : name.rfind(":" + check);
    if (at != std::string::npos) name.erase(at, check.size() + 1);
  }
  // An option whose value has no name of its own but the check's.
  const auto named = [](const std::string& check) { return !check.empty() && !check.starts_with('{'); };
  if (const auto check = std::ranges::find_if(checks, named); name == "TEXT" && check != checks.end()) return *check;
  return name;
}

Option option_of(const CLI::Option& definition) {
  Option option;
  for (const auto& name : definition.get_snames()) option.names.push_back("-" + name);
  for (const auto& name : definition.get_lnames()) option.names.push_back("--" + name);
  const auto checks = checks_of(definition);
  option.value = value_name_of(definition, checks);
  // A positional argument goes by the name of its value, or else by its own.
  if (!definition.nonpositional() && (option.value.empty() || option.value == "TEXT")) {
    option.value = definition.get_name(true);
  }
  option.description = definition.get_description();
  option.group = definition.get_group();
  option.required = definition.get_required();
  option.repeatable = definition.get_type_size_max() > 0 && definition.get_items_expected_max() > 1;
  option.values = values_of(option.value, checks);
  return option;
}

bool is_named(const CLI::Option& definition, const std::string& name) {
  return definition.check_name(name) || definition.get_name(true) == name;
}

CommandLine described(const CLI::App& app, const std::string& command, const std::vector<Completion>& completions) {
  CommandLine line{.name = app.get_name(), .summary = app.get_description(), .notes = app.get_footer()};
  for (const auto* const definition : app.get_options()) {
    if (definition->get_group().empty()) continue;
    line.options.push_back(option_of(*definition));
    for (const auto& completion : completions) {
      if (completion.command == command && is_named(*definition, completion.option)) {
        line.options.back().values = completion.values;
      }
    }
  }
  for (const auto* const part : app.get_subcommands({})) {
    line.commands.push_back(described(*part, part->get_name(), completions));
  }
  return line;
}

nlohmann::json json_of(const Values& values) {
  return {{"words", values.words},           {"files", values.files}, {"directories", values.directories},
          {"interfaces", values.interfaces}, {"asked", values.asked}, {"up_to", values.up_to},
          {"headed", values.headed}};
}

Values values_from(const nlohmann::json& json) {
  return {.words = json.at("words"),
          .files = json.at("files"),
          .directories = json.at("directories"),
          .interfaces = json.at("interfaces"),
          .asked = json.at("asked"),
          .up_to = json.at("up_to"),
          .headed = json.at("headed")};
}

nlohmann::json json_of(const Option& option) {
  return {{"names", option.names},           {"value", option.value},       {"description", option.description},
          {"group", option.group},           {"required", option.required}, {"repeatable", option.repeatable},
          {"values", json_of(option.values)}};
}

Option option_from(const nlohmann::json& json) {
  return {.names = json.at("names"),
          .value = json.at("value"),
          .description = json.at("description"),
          .group = json.at("group"),
          .required = json.at("required"),
          .repeatable = json.at("repeatable"),
          .values = values_from(json.at("values"))};
}

nlohmann::json json_of(const CommandLine& line) {
  nlohmann::json json{{"name", line.name}, {"summary", line.summary}, {"notes", line.notes}};
  json["options"] = nlohmann::json::array();
  for (const auto& option : line.options) json["options"].push_back(json_of(option));
  json["commands"] = nlohmann::json::array();
  for (const auto& command : line.commands) json["commands"].push_back(json_of(command));
  return json;
}

CommandLine command_line_from(const nlohmann::json& json) {
  CommandLine line{.name = json.at("name"), .summary = json.at("summary"), .notes = json.at("notes")};
  for (const auto& option : json.at("options")) line.options.push_back(option_from(option));
  for (const auto& command : json.at("commands")) line.commands.push_back(command_line_from(command));
  return line;
}

}  // namespace

CommandLine command_line_of(const CLI::App& app, const std::vector<Completion>& completions) {
  return described(app, "", completions);
}

void answer_help_json(CLI::App& app, std::vector<Completion> completions) {
  app.add_flag_callback(
         "--help-json",
         [&app, completions = std::move(completions)] {
           throw CLI::CallForVersion(as_json(command_line_of(app, completions)), 0);
         },
         "Print what --help says, as JSON")
      ->group("");
}

std::string as_json(const CommandLine& command_line) {
  return json_of(command_line).dump(2);
}

Expected<CommandLine> parse_command_line(std::string_view json) {
  try {
    return command_line_from(nlohmann::json::parse(json));
  } catch (const nlohmann::json::exception& fault) {
    return failure("command line", 0, fault.what());
  }
}

}  // namespace devmap::manual
