#pragma once

#include <harness/base/error.hpp>

#include <string>
#include <string_view>

namespace devmap {

/// Whether a file can be written to, without changing what is in it; asked before a run, so that nobody waits in vain.
[[nodiscard]] Expected<void> check_writable(const std::string& file);

/// Writes the whole text or leaves what was there: a regular file is replaced in one step, anything else ("-" for
/// standard output, a pipe, a device, what a symbolic link leads to) is written to.
[[nodiscard]] Expected<void> write_file(const std::string& file, std::string_view text);

}  // namespace devmap
