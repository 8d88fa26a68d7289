#pragma once

#include <harness/bpf/feature.hpp>
#include <harness/spec/registry.hpp>

namespace devmap::cases {

/// What of a device keeps programs off it; a part of the chapter ATTACH.
void add_attach_device_rules(Registry& rules);

/// veth devices take other numbers of queues than they were made with (5.16).
[[nodiscard]] Feature veth_channels();

}  // namespace devmap::cases
