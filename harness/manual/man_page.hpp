#pragma once

#include <harness/manual/command_line.hpp>

#include <string>
#include <vector>

namespace devmap::manual {

/// What a man page says besides what the command line is.
struct PageDetails {
  /// Section of the manual: "1" for what users run, "8" for what administrates a system.
  std::string section = {};
  /// "devmap-conformance 0.1.0", at the foot.
  std::string source = {};
  /// Of this version, as 2026-11-26.
  std::string date = {};
  /// Other pages, as "devmap-vm(1)".
  std::vector<std::string> see_also = {};
};

/// A page in the man macros of roff: all options by their groups, all commands, notes and exit codes.
[[nodiscard]] std::string man_page(const CommandLine& program, const PageDetails& details);

}  // namespace devmap::manual
