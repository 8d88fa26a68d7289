#pragma once

#include <harness/base/error.hpp>

#include <cstdint>
#include <optional>
#include <string_view>

namespace devmap {

/// The number behind "field:" in the text of a /proc/PID/fdinfo file, decimal or 0x hexadecimal.
[[nodiscard]] std::optional<std::uint64_t> parse_fdinfo(std::string_view text, std::string_view field);

/// The same of one of this process's descriptors; nothing where the kernel writes no such line.
[[nodiscard]] Expected<std::optional<std::uint64_t>> read_fdinfo(int fd, std::string_view field);

}  // namespace devmap
