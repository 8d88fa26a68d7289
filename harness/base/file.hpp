#pragma once

#include <harness/base/error.hpp>

#include <string>
#include <string_view>

namespace devmap {

/// The whole content of a file, also of files in /proc and /sys whose size reads as 0.
[[nodiscard]] Expected<std::string> read_file(const std::string& path);

/// Writes all of the text to a descriptor, whatever the size of single writes.
[[nodiscard]] Expected<void> write_all(int fd, std::string_view text);

}  // namespace devmap
