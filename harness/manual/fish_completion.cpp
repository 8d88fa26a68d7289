#include <harness/manual/completions.hpp>
#include <harness/manual/shell_words.hpp>

#include <fmt/format.h>

namespace devmap::manual {
namespace {

// @ stands for the name of the program's function.
constexpr std::string_view kHelper = R"fish(
# LINE UP_TO ARGUMENTS...: the first word of every line from LINE on that the program prints with these, up to UP_TO where
# it is not empty.
function _@_asked
    set -l program (commandline -opc)[1]
    set -l up_to $argv[2]
    for line in ($program $argv[3..] 2>/dev/null | tail -n +$argv[1])
        set -l word (string split -f 1 ' ' -- $line)
        test -z "$up_to"; or set word (string split -f 1 -- $up_to $word)
        echo $word
    end
end
)fish";

/// In single quotes, as fish reads them.
std::string fish_quoted(std::string_view text) {
  std::string result = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') result += '\\';
    result += c;
  }
  return result + "'";
}

/// The options of `complete` that say what a value can be.
std::string value_options(const std::string& function, const Values& values) {
  if (!values.asked.empty()) {
    auto arguments = fmt::format("{} {}", values.headed ? 2 : 1, quoted(values.up_to));
    for (const auto& argument : values.asked) arguments += " " + quoted(argument);
    return fmt::format(" {} -a {}", values.files ? "-F" : "-f",
                       fish_quoted(fmt::format("(_{}_asked {})", function, arguments)));
  }
  if (values.interfaces) return " -f -a '(__fish_print_interfaces)'";
  if (!values.words.empty()) return fmt::format(" -f -a {}", fish_quoted(joined(values.words)));
  if (values.files) return " -F";
  if (values.directories) return " -f -a '(__fish_complete_directories)'";
  return " -f";
}

std::string lines_of(const std::string& function, const std::string& start, const CommandLine& line) {
  std::string script;
  for (const auto& option : line.options) {
    script += start;
    if (option.names.empty()) {
      script += value_options(function, option.values) + "\n";
      continue;
    }
    for (const auto& name : option.names) {
      script += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
    }
    if (!option.value.empty()) script += " -r" + value_options(function, option.values);
    script += fmt::format(" -d {}\n", fish_quoted(option.description));
  }
  return script;
}

}  // namespace

std::string fish_completion(const CommandLine& program) {
  const auto function = function_name(program.name);
  std::string script = fmt::format("# Completion of {} by fish, made from its command line.\n", program.name);
  for (const char c : kHelper) script += c == '@' ? function : std::string(1, c);
  const auto complete = "complete -c " + program.name;
  script += "\n" + complete + " -f\n";
  if (program.commands.empty()) return script + lines_of(function, complete, program);
  const auto none =
      fmt::format("{} -n 'not __fish_seen_subcommand_from {}'", complete, joined(names_of_commands(program)));
  for (const auto& command : program.commands) {
    script += fmt::format("{} -a {} -d {}\n", none, command.name, fish_quoted(command.summary));
  }
  script += lines_of(function, none, program);
  for (const auto& command : program.commands) {
    script +=
        lines_of(function, fmt::format("{} -n '__fish_seen_subcommand_from {}'", complete, command.name), command);
  }
  return script;
}

}  // namespace devmap::manual
