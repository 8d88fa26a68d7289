#include <harness/manual/completions.hpp>
#include <harness/manual/shell_words.hpp>

#include <fmt/format.h>
#include <algorithm>

namespace devmap::manual {
namespace {

// @ stands for the name of the program's function.
constexpr std::string_view kHelpers = R"bash(
# LINE UP_TO ARGUMENTS...: the first word of every line from LINE on that the program prints with these, up to UP_TO where
# it is not empty.
@_asked() {
  local line=$1 up_to=$2 word rest
  shift 2
  "${words[0]}" "$@" 2>/dev/null | tail -n "+$line" | while read -r word rest; do
    [[ -z $up_to ]] || word=${word%%"$up_to"*}
    printf '%s\n' "$word"
  done
}

# WORDS: those of them that go on from what was typed. Where one of them ends in a colon, a file follows it.
@_reply() {
  mapfile -t COMPREPLY < <(compgen -W "$1" -- "$value")
  [[ ${#COMPREPLY[@]} -ne 1 || ${COMPREPLY[0]} != *: ]] || compopt -o nospace
}

@_files() {
  compopt -o filenames
  mapfile -t COMPREPLY < <(compgen "$1" -- "$2")
}

@() {
  local value option word command='' i
  local -a words=()
  # Bash parts words at '=' and ':'; here they are whole.
  for ((i = 0; i <= COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    if ((i > 1)) && [[ $word == [:=]* || ${COMP_WORDS[i - 1]} == [:=] ]]; then
      words[${#words[@]} - 1]+=$word
    else
      words+=("$word")
    fi
  done
  value=${words[${#words[@]} - 1]}
  option=${words[${#words[@]} - 2]}
  if [[ $value == --*=* ]]; then
    option=${value%%=*}
    value=${value#*=}
  fi
  COMPREPLY=()
)bash";

std::string with_function(std::string_view text, const std::string& function) {
  std::string script;
  for (const char c : text) {
    // "$@" and "${words[@]}" are the shell's own.
    const bool own = !script.empty() && (script.back() == '$' || script.back() == '[');
    if (c == '@' && !own) {
      script += function;
    } else {
      script += c;
    }
  }
  return script;
}

/// The command that replies with what a value can be; empty where nothing is known of it.
std::string reply(const std::string& function, const Values& values) {
  if (!values.asked.empty()) {
    auto arguments = fmt::format("{} {}", values.headed ? 2 : 1, quoted(values.up_to));
    for (const auto& argument : values.asked) arguments += " " + quoted(argument);
    const auto listed = fmt::format("{0}_reply \"$({0}_asked {1})\"", function, arguments);
    // Where files are as good as what is listed.
    return values.files ? fmt::format("{}; [[ ${{#COMPREPLY[@]}} -gt 0 ]] || {}_files -f \"$value\"", listed, function)
                        : listed;
  }
  if (values.interfaces) return function + "_reply \"$(command ls /sys/class/net)\"";
  if (!values.words.empty()) {
    const auto words = fmt::format("{}_reply {}", function, quoted(joined(values.words)));
    if (!values.files) return words;
    return fmt::format("if [[ $value == *:* ]]; then {}_files -f \"${{value#*:}}\"; else {}; fi", function, words);
  }
  if (values.files) return function + "_files -f \"$value\"";
  if (values.directories) return function + "_files -d \"$value\"";
  return {};
}

/// What completes one command's line, as the body of a case.
std::string cases_of(const std::string& function, const std::string& command, const CommandLine& line) {
  std::string script;
  std::vector<std::string> all;
  for (const auto* const option : named_options(line)) {
    all.insert(all.end(), option->names.begin(), option->names.end());
    if (option->value.empty()) continue;
    std::vector<std::string> patterns;
    patterns.reserve(option->names.size());
    for (const auto& name : option->names) patterns.push_back(quoted(command + " " + name));
    const auto replies = reply(function, option->values);
    script += fmt::format("    {}) {} ;;\n", joined(patterns, " | "), replies.empty() ? ":" : replies);
  }
  // Positional arguments of one command are all of a kind.
  std::string rest;
  if (const auto arguments = positional_arguments(line); !arguments.empty()) {
    rest = reply(function, arguments.front()->values);
  }
  if (command.empty() && !line.commands.empty()) {
    rest = fmt::format("{}_reply {}", function, quoted(joined(names_of_commands(line))));
  }
  script += fmt::format("    {}*)\n      if [[ $value == -* ]]; then\n        {}_reply {}\n", quoted(command + " "),
                        function, quoted(joined(all)));
  if (!rest.empty()) script += fmt::format("      else\n        {}\n", rest);
  return script + "      fi\n      ;;\n";
}

}  // namespace

std::string bash_completion(const CommandLine& program) {
  const auto function = function_name(program.name);
  std::string script = fmt::format("# Completion of {} by bash, made from its command line.\n", program.name);
  script += with_function(kHelpers, function);
  script += "  for word in \"${words[@]:1:${#words[@]}-2}\"; do\n    case $word in\n";
  // What follows is for another program.
  script += "      --) return ;;\n";
  if (!program.commands.empty()) {
    script +=
        fmt::format("      {}) [[ -n $command ]] || command=$word ;;\n", joined(names_of_commands(program), " | "));
  }
  script += "    esac\n  done\n  case \"$command $option\" in\n";
  for (const auto& command : program.commands) script += cases_of(function, command.name, command);
  script += cases_of(function, "", program);
  script += "  esac\n";
  script += "  # Bash replaces what follows the last ':' alone, where it parts words there.\n";
  script += "  [[ $COMP_WORDBREAKS != *:* || $value != *:* || $(compopt) == *'-o filenames'* ]] ||\n";
  script += "    COMPREPLY=(\"${COMPREPLY[@]#\"${value%:*}:\"}\")\n}\n";
  script += fmt::format("\ncomplete -F {} {}\n", function, program.name);
  return script;
}

}  // namespace devmap::manual
