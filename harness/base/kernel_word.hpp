#pragma once

#include <cstddef>
#include <string_view>

namespace devmap {

/// The size in bytes of a pointer in kernels of the machine that uname(2) names so. A program of 32 bits may run on a
/// kernel of 64.
[[nodiscard]] std::size_t pointer_size_on(std::string_view machine);

/// The same of the running kernel.
[[nodiscard]] std::size_t kernel_pointer_size();

}  // namespace devmap
