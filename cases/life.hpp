#pragma once

#include <harness/spec/registry.hpp>

// The chapter "life" by concepts, one file each.
namespace devmap::cases {

/// What a map says of itself: info and fdinfo.
void add_life_info_rules(Registry& rules);
/// Which descriptor may do what: access modes, freezing.
void add_life_access_rules(Registry& rules);
/// What a process may do that holds descriptors and no capabilities.
void add_life_privilege_rules(Registry& rules);
/// What holds a map, and what a map holds: pins, programs, devices.
void add_life_reference_rules(Registry& rules);
/// Device maps as elements of other maps.
void add_life_inner_rules(Registry& rules);

}  // namespace devmap::cases
