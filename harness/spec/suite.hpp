#pragma once

#include <harness/spec/registry.hpp>

#include <functional>
#include <string>
#include <vector>

namespace devmap {

/// Something else the program does, asked for by its first argument; it reads its own command line, of which its name
/// is the first word, and gives the exit code.
struct Command {
  std::string name = {};
  /// What follows the name: "IN OUT".
  std::string arguments = {};
  /// One line for --help.
  std::string summary = {};
  std::function<int(const std::string& program, int argc, const char* const* argv)> main = {};
};

/// A suite as a program: its name, its rules, and the rules that fail on purpose to show that failures are seen.
struct Suite {
  std::string name = {};
  Registry rules = {};
  Registry calibration = {};
  std::vector<Command> commands = {};
  /// For --help and the manual: each a command line, and in the lines below it, further in, what it does.
  std::string examples = {};
};

/// The main function of a suite: reads the command line, runs, prints, and gives the exit code.
[[nodiscard]] int suite_main(const Suite& suite, int argc, char** argv);

}  // namespace devmap
