#pragma once

#include <harness/bpf/feature.hpp>

// What rules may need of the network, each probed by what the kernel does in the calling thread's namespace.
namespace devmap::features {

/// veth pairs can be made.
[[nodiscard]] Feature veth();

// Kinds of devices (net/devices.hpp).
[[nodiscard]] Feature dummy();
[[nodiscard]] Feature ifb();
[[nodiscard]] Feature bridge();
[[nodiscard]] Feature macvlan();
[[nodiscard]] Feature vlan();
[[nodiscard]] Feature vxlan();
[[nodiscard]] Feature bond();
/// Programs that can be attached to a bond in native mode.
[[nodiscard]] Feature native_bond();
/// Of both layers (net/tun.hpp).
[[nodiscard]] Feature tun();

/// The kernel tells what devices can do with XDP (net/xdp_features.hpp, 6.3).
[[nodiscard]] Feature xdp_feature_bits();
/// GRO can be switched (net/ethtool.hpp).
[[nodiscard]] Feature gro_switch();

/// Programs bound to a device can be loaded (BPF_F_XDP_DEV_BOUND_ONLY, 6.3); tried on a veth device.
[[nodiscard]] Feature device_bound_programs();

/// Programs that redirect by maps with 8-byte values can be attached in SKB mode (5.15); tried on a loopback device.
[[nodiscard]] Feature wide_values_in_skb_mode();

/// BPF programs can listen to the xdp tracepoints (tracefs, perf_event_open(2), BPF ring buffers): RedirectTrace works.
[[nodiscard]] Feature redirect_trace();

}  // namespace devmap::features
