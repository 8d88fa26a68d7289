#pragma once

#include <harness/manual/command_line.hpp>

#include <string>

namespace devmap::manual {

/// Files that make a shell complete the command line of a program: its commands, options and their values. What the
/// program itself must list is asked of it, as it stands on the line, at the time of completion.
[[nodiscard]] std::string bash_completion(const CommandLine& program);
[[nodiscard]] std::string zsh_completion(const CommandLine& program);
[[nodiscard]] std::string fish_completion(const CommandLine& program);

}  // namespace devmap::manual
