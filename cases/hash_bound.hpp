#pragma once

#include <harness/base/kernel_version.hpp>

#include <vector>

namespace devmap::cases {

// 281d464a34f5 judges the entries of a DEVMAP_HASH before they are rounded up to a power of two, and not after: 2^31 +
// 1 has no such power in 32 bits.
inline constexpr KernelVersion kHashBoundOn32BitsSince{.major = 6, .minor = 9};
inline const std::vector<KernelVersion> kHashBoundOn32BitsBackports = {{6, 8, 2},  {6, 7, 11},   {6, 6, 23},
                                                                       {6, 1, 83}, {5, 15, 153}, {5, 10, 214}};

}  // namespace devmap::cases
