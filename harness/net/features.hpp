#pragma once

#include <harness/bpf/feature.hpp>

// What rules may need of the network, each probed by what the kernel does in the calling thread's namespace.
namespace devmap::features {

/// veth pairs can be made.
[[nodiscard]] Feature veth();
/// Programs bound to a device can be loaded (BPF_F_XDP_DEV_BOUND_ONLY, 6.3); tried on a veth device.
[[nodiscard]] Feature device_bound_programs();

}  // namespace devmap::features
