#include <harness/manual/shell_words.hpp>

#include <algorithm>

namespace devmap::manual {

std::string joined(const std::vector<std::string>& words, std::string_view separator) {
  std::string text;
  for (const auto& word : words) {
    if (!text.empty()) text += separator;
    text += word;
  }
  return text;
}

std::string quoted(std::string_view text) {
  std::string shell = "'";
  for (const char c : text) {
    if (c == '\'') {
      shell += "'\\''";
    } else {
      shell += c;
    }
  }
  return shell + "'";
}

std::string function_name(std::string_view program) {
  std::string name = "_" + std::string(program);
  std::ranges::replace(name, '-', '_');
  return name;
}

std::vector<const Option*> named_options(const CommandLine& line) {
  std::vector<const Option*> options;
  for (const auto& option : line.options) {
    if (!option.names.empty()) options.push_back(&option);
  }
  return options;
}

std::vector<const Option*> positional_arguments(const CommandLine& line) {
  std::vector<const Option*> arguments;
  for (const auto& option : line.options) {
    if (option.names.empty()) arguments.push_back(&option);
  }
  return arguments;
}

std::vector<std::string> names_of_commands(const CommandLine& program) {
  std::vector<std::string> names;
  names.reserve(program.commands.size());
  for (const auto& command : program.commands) names.push_back(command.name);
  return names;
}

}  // namespace devmap::manual
