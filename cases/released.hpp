#pragma once

#include <harness/spec/case.hpp>

#include <cstdint>

// Whether programs and maps go once nothing should hold them any more. The kernel lets go after grace periods that
// nobody is told of.
namespace devmap::cases {

/// The program with this id must go.
void program_goes(Case& c, std::uint32_t id);
/// The map with this id must go.
void map_goes(Case& c, std::uint32_t id);

/// Waits as long as it takes the kernel to let go of a map and of a program in it that nothing else holds; what was let
/// go of before has gone by then, and what is still there is held.
void outwait_release(Case& c);

}  // namespace devmap::cases
