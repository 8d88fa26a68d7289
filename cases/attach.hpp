#pragma once

#include <harness/spec/registry.hpp>

namespace devmap::cases {

/// What of a device keeps programs off it; a part of the chapter ATTACH.
void add_attach_device_rules(Registry& rules);

}  // namespace devmap::cases
