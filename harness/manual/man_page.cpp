#include <harness/manual/man_page.hpp>

#include <harness/manual/notes.hpp>

#include <fmt/format.h>
#include <algorithm>
#include <cctype>

namespace devmap::manual {
namespace {

std::string upper(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

/// Text as roff prints it: what it would take for its own, or print as another character, is escaped.
std::string escaped(std::string_view text) {
  std::string roff;
  bool at_start = true;
  for (const char c : text) {
    if (at_start && (c == '.' || c == '\'')) roff += "\\&";
    at_start = c == '\n';
    switch (c) {
      case '\\':
        roff += "\\e";
        break;
      case '-':
        roff += "\\-";
        break;
      case '\'':
        roff += "\\(aq";
        break;
      case '`':
        roff += "\\(ga";
        break;
      case '^':
        roff += "\\(ha";
        break;
      case '~':
        roff += "\\(ti";
        break;
      default:
        roff += c;
    }
  }
  return roff;
}

std::string bold(std::string_view text) {
  return fmt::format("\\fB{}\\fR", escaped(text));
}
std::string italic(std::string_view text) {
  return fmt::format("\\fI{}\\fR", escaped(text));
}

/// Prose, with what stands between backticks in bold.
std::string prose(std::string_view text) {
  std::string roff;
  for (;;) {
    const auto open = text.find('`');
    const auto close = open == std::string_view::npos ? open : text.find('`', open + 1);
    if (close == std::string_view::npos) return roff + escaped(text);
    roff += escaped(text.substr(0, open)) + bold(text.substr(open + 1, close - open - 1));
    text.remove_prefix(close + 1);
  }
}

std::string positional(const Option& option) {
  const auto name = option.repeatable ? italic(option.value) + " ..." : italic(option.value);
  return option.required ? name : fmt::format("[{}]", name);
}

/// "-o, --output FORMAT:FILE".
std::string heading(const Option& option) {
  std::string text;
  for (const auto& name : option.names) text += (text.empty() ? "" : ", ") + bold(name);
  if (text.empty()) return italic(option.value);
  return option.value.empty() ? text : text + " " + italic(option.value);
}

std::string entry(const std::string& what, const std::string& text) {
  // An empty description would leave the tag without a body.
  return fmt::format(".TP\n{}\n{}\n", what, text.empty() ? "\\&" : text);
}

std::string options_of(const CommandLine& line, const char* group_macro) {
  std::string page;
  std::string group;
  for (const auto& option : line.options) {
    if (option.group != group && option.group != "Options" && option.group != "Positionals") {
      page += fmt::format("{} {}\n", group_macro, escaped(option.group));
    }
    group = option.group;
    page += entry(heading(option), prose(option.description));
  }
  return page;
}

std::string synopsis(const std::string& called, const CommandLine& line) {
  std::string text = bold(called) + " [" + italic("options") + "]";
  for (const auto& option : line.options) {
    if (option.names.empty()) text += " " + positional(option);
    // Without these it does nothing.
    if (!option.names.empty() && option.required) {
      text += fmt::format(" {} {}", bold(option.names.back()), italic(option.value));
    }
  }
  return text + "\n";
}

std::string paragraphs(const std::vector<std::string>& texts) {
  std::string page;
  for (const auto& text : texts) page += (page.empty() ? "" : ".PP\n") + prose(text) + "\n";
  return page;
}

std::string exit_codes(const Notes& notes) {
  std::string page;
  for (const auto& [code, meaning] : notes.exit_codes) page += entry(bold(code), prose(meaning));
  if (!notes.exit_prose.empty()) page += paragraphs({notes.exit_prose});
  return page;
}

std::string examples(const Notes& notes) {
  std::string page;
  for (const auto& [command_line, meaning] : notes.examples) page += entry(bold(command_line), prose(meaning));
  return page;
}

std::string command_section(const std::string& program, const CommandLine& command) {
  const auto notes = read_notes(command.notes);
  std::string page = fmt::format(".SS {}\n{}", escaped(command.name), synopsis(program + " " + command.name, command));
  page += ".PP\n" + paragraphs({command.summary + "."});
  page += options_of(command, ".PP\n.B");
  if (!notes.paragraphs.empty()) page += ".PP\n" + paragraphs(notes.paragraphs);
  return page;
}

}  // namespace

std::string man_page(const CommandLine& program, const PageDetails& details) {
  const auto notes = read_notes(program.notes);
  std::string summary = program.summary;
  if (summary.ends_with('.')) summary.pop_back();
  std::string page = fmt::format(".\\\" Made from the command line of {}.\n.TH {} {} {} \"{}\"\n", program.name,
                                 upper(escaped(program.name)), details.section, details.date, escaped(details.source));
  std::string what = summary;
  if (!what.empty()) what.front() = static_cast<char>(std::tolower(static_cast<unsigned char>(what.front())));
  page += fmt::format(".SH NAME\n{} \\- {}\n", escaped(program.name), escaped(what));
  page += ".SH SYNOPSIS\n";
  const bool needs_command =
      std::ranges::none_of(program.options, [](const Option& o) { return o.group != "Options"; });
  if (program.commands.empty() || !needs_command) page += synopsis(program.name, program);
  for (const auto& command : program.commands) {
    if (!page.ends_with("SYNOPSIS\n")) page += ".br\n";
    page += synopsis(program.name + " " + command.name, command);
  }
  page += ".SH DESCRIPTION\n" + paragraphs({summary + "."});
  if (!notes.paragraphs.empty()) page += ".PP\n" + paragraphs(notes.paragraphs);
  page += ".SH OPTIONS\n" + options_of(program, ".SS");
  if (!program.commands.empty()) page += ".SH COMMANDS\n";
  for (const auto& command : program.commands) page += command_section(program.name, command);

  std::string codes = exit_codes(notes);
  for (const auto& command : program.commands) {
    const auto of_command = exit_codes(read_notes(command.notes));
    if (!of_command.empty()) codes += fmt::format(".SS {}\n{}", escaped(command.name), of_command);
  }
  if (!codes.empty()) page += ".SH EXIT STATUS\n" + codes;
  std::string shown = examples(notes);
  for (const auto& command : program.commands) shown += examples(read_notes(command.notes));
  if (!shown.empty()) page += ".SH EXAMPLES\n" + shown;
  if (!details.see_also.empty()) {
    std::string others;
    for (const auto& other : details.see_also) {
      const auto open = other.find('(');
      others += fmt::format("{}{}{}", others.empty() ? "" : ",\n", bold(other.substr(0, open)), other.substr(open));
    }
    page += ".SH SEE ALSO\n" + others + "\n";
  }
  return page;
}

}  // namespace devmap::manual
