#pragma once

#include <harness/manual/command_line.hpp>

#include <string>
#include <string_view>
#include <vector>

// What the completions of all shells need.
namespace devmap::manual {

/// The words with a space between them.
[[nodiscard]] std::string joined(const std::vector<std::string>& words, std::string_view separator = " ");

/// The text in single quotes as a shell reads it: bash and zsh.
[[nodiscard]] std::string quoted(std::string_view text);

/// "_devmap_vm" for "devmap-vm".
[[nodiscard]] std::string function_name(std::string_view program);

/// All options of a command line that have a name.
[[nodiscard]] std::vector<const Option*> named_options(const CommandLine& line);
[[nodiscard]] std::vector<const Option*> positional_arguments(const CommandLine& line);

[[nodiscard]] std::vector<std::string> names_of_commands(const CommandLine& program);

}  // namespace devmap::manual
