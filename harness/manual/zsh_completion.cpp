#include <harness/manual/completions.hpp>
#include <harness/manual/shell_words.hpp>

#include <fmt/format.h>

namespace devmap::manual {
namespace {

// @ stands for the name of the program's function.
constexpr std::string_view kHelper = R"zsh(
# LINE UP_TO ARGUMENTS...: the first word of every line from LINE on that the program prints with these, up to UP_TO where
# it is not empty.
@_asked() {
  local line=$1 up_to=$2
  local -aU found
  shift 2
  found=(${${(f)"$($program $* 2>/dev/null | tail -n +$line)"}%%[[:space:]]*})
  [[ -z $up_to ]] || found=(${found%%${up_to}*})
  compadd -a found
}
)zsh";

/// Text within a specification of _arguments.
std::string escaped(std::string_view text, std::string_view special) {
  std::string result;
  for (const char c : text) {
    if (special.find(c) != std::string_view::npos) result += '\\';
    result += c;
  }
  return result;
}

std::string action(const std::string& function, const Values& values) {
  if (!values.asked.empty()) {
    auto arguments = fmt::format("{} \"{}\"", values.headed ? 2 : 1, values.up_to);
    for (const auto& argument : values.asked) arguments += " " + argument;
    const auto asked = fmt::format("{}_asked {}", function, arguments);
    return values.files ? fmt::format("{{{}; _files}}", asked) : " " + asked;
  }
  if (values.interfaces) return "_net_interfaces";
  if (!values.words.empty()) {
    const auto words = escaped(joined(values.words), ":");
    if (!values.files) return fmt::format("({})", words);
    return fmt::format("{{if compset -P \"*\\:\"; then _files; else compadd -S \"\" -- {}; fi}}", words);
  }
  if (values.files) return "_files";
  if (values.directories) return "_files -/";
  return " ";
}

/// The specifications of _arguments for an option, or for a positional argument, each a word of its own.
std::vector<std::string> specifications(const std::string& function, const Option& option) {
  const auto value = fmt::format(":{}:{}", escaped(option.value, ":"), action(function, option.values));
  if (option.names.empty()) return {quoted((option.repeatable ? "*" : "") + value)};
  std::vector<std::string> all;
  for (const auto& name : option.names) {
    // Not offered again once one of its names was given.
    const auto before = option.repeatable ? std::string("*") : fmt::format("({})", joined(option.names));
    const auto* const joins = option.value.empty() ? "" : name.starts_with("--") ? "=" : "+";
    all.push_back(quoted(fmt::format("{}{}{}[{}]{}", before, name, joins, escaped(option.description, "[]"),
                                     option.value.empty() ? "" : value)));
  }
  return all;
}

std::string arguments_of(const std::string& function, const CommandLine& line) {
  std::string script;
  for (const auto& option : line.options) {
    for (const auto& specification : specifications(function, option)) script += " \\\n    " + specification;
  }
  return script;
}

}  // namespace

std::string zsh_completion(const CommandLine& program) {
  const auto function = function_name(program.name);
  std::string script =
      fmt::format("#compdef {0}\n# Completion of {0} by zsh, made from its command line.\n", program.name);
  for (const char c : kHelper) script += c == '@' ? function : std::string(1, c);
  script += fmt::format("\n{}() {{\n  local program=$words[1] curcontext=$curcontext state\n", function);
  script += "  local -a line commands\n  typeset -A opt_args\n";
  if (program.commands.empty()) {
    return script + "  _arguments" + arguments_of(function, program) + fmt::format("\n}}\n\n{} \"$@\"\n", function);
  }
  script += "  commands=(\n";
  for (const auto& command : program.commands) {
    script += fmt::format("    {}\n", quoted(command.name + ":" + escaped(command.summary, ":")));
  }
  script += "  )\n  _arguments -C" + arguments_of(function, program);
  script += " \\\n    '1:command:->command' \\\n    '*::argument:->arguments' && return\n";
  script += "  case $state in\n    command) _describe command commands ;;\n    arguments)\n      case $line[1] in\n";
  for (const auto& command : program.commands) {
    script += fmt::format("        {}) _arguments{} ;;\n", command.name, arguments_of(function, command));
  }
  return script + fmt::format("      esac\n      ;;\n  esac\n}}\n\n{} \"$@\"\n", function);
}

}  // namespace devmap::manual
