#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace devmap::vm {

/// The last lines of a console log that say something, oldest first.
[[nodiscard]] std::vector<std::string> last_lines(std::string_view console, std::size_t count);

/// The lines of a console log from the first on that tells of a fault or a panic, at most `count`; the last ones, where
/// none does.
[[nodiscard]] std::vector<std::string> fault_lines(std::string_view console, std::size_t count);

/// What the kernel said when it killed a process for want of memory; nothing where it did not.
[[nodiscard]] std::optional<std::string> out_of_memory_in(std::string_view console);

/// What the kernel said when it gave up: the first line of its panic, with the fault before it where there is one;
/// nothing where it did not.
[[nodiscard]] std::optional<std::string> panic_in(std::string_view console);

/// Whether the kernel has written anything at all.
[[nodiscard]] bool kernel_spoke(std::string_view console);

}  // namespace devmap::vm
