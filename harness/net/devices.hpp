#pragma once

#include <harness/base/error.hpp>

#include <cstdint>
#include <string>

// Devices of other kinds than veth (net/link.hpp), by rtnetlink: each is made in the calling thread's namespace, which
// owns it. A kernel that lacks a kind refuses it with EOPNOTSUPP (net/core/rtnetlink.c:rtnl_newlink); net/features.hpp
// has a probe for each.
namespace devmap {

struct DeviceSpec {
  std::string name = {};
  /// 0 lets the kernel choose.
  std::uint32_t ifindex = 0;
  /// Up, and without IPv6, so that no frame but the case's own is on the wire.
  bool up = true;
};

// Each returns the device's index.

/// A device that swallows what is sent through it (drivers/net/dummy.c).
[[nodiscard]] Expected<std::uint32_t> create_dummy(const DeviceSpec& spec);

/// A device that hands what it is sent back to the stack as received (drivers/net/ifb.c). What did not come from a tc
/// redirection it drops.
[[nodiscard]] Expected<std::uint32_t> create_ifb(const DeviceSpec& spec);

/// A bridge without ports (net/bridge/br_netlink.c); set_master adds one. As it does without the spanning tree
/// protocol, its ports forward at once (net/bridge/br_stp.c:br_make_forwarding).
[[nodiscard]] Expected<std::uint32_t> create_bridge(const DeviceSpec& spec);

/// A second address on top of a device, in bridge mode: what it sends leaves through `lower`, and it is an upper device
/// of that (drivers/net/macvlan.c:macvlan_common_newlink). It is up only while `lower` is.
[[nodiscard]] Expected<std::uint32_t> create_macvlan(std::uint32_t lower, const DeviceSpec& spec);

/// The frames of a device that carry this 802.1Q tag (net/8021q/vlan_netlink.c). It is up only while `lower` is.
[[nodiscard]] Expected<std::uint32_t> create_vlan(std::uint32_t lower, std::uint16_t tag, const DeviceSpec& spec);

/// A tunnel to the UDP port of this machine that stands in RFC 7348, with no remote end: what it is sent it drops
/// (drivers/net/vxlan/vxlan_core.c).
[[nodiscard]] Expected<std::uint32_t> create_vxlan(std::uint32_t network, const DeviceSpec& spec);

/// Several devices that act as one; set_master adds one. Without link monitoring, a port counts as usable as long as it
/// is up. `mode` is BOND_MODE_*: 1 is active-backup (linux/if_bonding.h; drivers/net/bonding/bond_netlink.c).
[[nodiscard]] Expected<std::uint32_t> create_bond(const DeviceSpec& spec, std::uint8_t mode = 1);

}  // namespace devmap
