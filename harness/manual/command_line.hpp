#pragma once

#include <harness/base/error.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}

// A command line as data: what man pages and completions are made from.
namespace devmap::manual {

/// What can stand as the value of an option, as far as a shell can complete it.
struct Values {
  std::vector<std::string> words = {};
  bool files = false;
  bool directories = false;
  bool interfaces = false;
  /// The arguments with which the program itself lists them: the first word of each line of its output.
  std::vector<std::string> asked = {};
  /// Of these words, only what comes before the first of this text; all of them where empty.
  std::string up_to = {};
  /// The first line of the output is a heading.
  bool headed = false;

  friend bool operator==(const Values&, const Values&) = default;
};

/// An option, or a positional argument, which has no names.
struct Option {
  /// "-o", "--output".
  std::vector<std::string> names = {};
  /// What help calls the value: "FILE"; empty for a flag.
  std::string value = {};
  std::string description = {};
  /// The heading in help under which it is.
  std::string group = {};
  bool required = false;
  bool repeatable = false;
  Values values = {};

  friend bool operator==(const Option&, const Option&) = default;
};

/// A program, or a command of it.
struct CommandLine {
  /// "devmap-vm"; of a command the last word alone.
  std::string name = {};
  /// What it does, in one sentence.
  std::string summary = {};
  /// What help says below the options; paragraphs have an empty line between them.
  std::string notes = {};
  std::vector<Option> options = {};
  std::vector<CommandLine> commands = {};

  friend bool operator==(const CommandLine&, const CommandLine&) = default;
};

/// What a definition itself cannot say: how the values of an option ("--kernel", or the name of a positional argument)
/// of a command ("" for the program) are completed.
struct Completion {
  std::string command = {};
  std::string option = {};
  Values values = {};
};

/// The command line that is defined by `app`, without its hidden options. Choices and file names are taken from the
/// checks of the options and from what their values are called.
[[nodiscard]] CommandLine command_line_of(const CLI::App& app, const std::vector<Completion>& completions = {});

/// Gives `app` the hidden option --help-json, which prints its command line as JSON, as --version prints the version:
/// by CLI::CallForVersion. `app` must outlive the parse.
void answer_help_json(CLI::App& app, std::vector<Completion> completions = {});

[[nodiscard]] std::string as_json(const CommandLine& command_line);

/// Reads what as_json writes; the error is one line.
[[nodiscard]] Expected<CommandLine> parse_command_line(std::string_view json);

}  // namespace devmap::manual
