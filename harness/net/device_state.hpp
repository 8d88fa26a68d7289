#pragma once

#include <harness/base/error.hpp>
#include <harness/net/link.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace devmap {

/// What the kernel says of a device (RTM_GETLINK; net/core/rtnetlink.c:rtnl_fill_ifinfo).
struct DeviceState {
  std::string name = {};
  /// "veth", "macvlan"; empty for devices nobody made by rtnetlink, such as lo.
  std::string kind = {};
  /// ARPHRD_* of linux/if_arp.h: ARPHRD_ETHER where its frames are Ethernet's.
  std::uint16_t hardware = 0;
  /// The bus it sits on ("virtio", "pci"), told since Linux 5.14; empty for virtual devices.
  std::string bus = {};
  std::uint32_t mtu = 0;
  /// IFF_* of net/if.h.
  std::uint32_t flags = 0;
  /// IF_OPER_* of linux/if.h.
  std::uint8_t operational_state = 0;
  MacAddress address = {};
  /// The bond or bridge it is a port of; 0 for none.
  std::uint32_t master = 0;
  /// The device it was made on top of, of a veth device the other end; 0 for none. It may be another namespace's.
  std::uint32_t lower = 0;
  /// The id, in the calling thread's namespace, of the namespace `lower` is in; absent where it is the same one.
  std::optional<std::int32_t> lower_namespace = {};
  /// XDP_ATTACHED_* of linux/if_link.h.
  std::uint8_t xdp_attached = 0;
  /// The ids of its programs; 0 for none.
  std::uint32_t native_program = 0;
  std::uint32_t generic_program = 0;
  /// Frames it has sent, and frames it dropped in sending, since it was made.
  std::uint64_t sent = 0;
  std::uint64_t sending_dropped = 0;
  /// Frames it has received since it was made; on a veth device those that an XDP program took are among them.
  std::uint64_t received = 0;
};

/// Fails with ENODEV where the calling thread's namespace has no such device.
[[nodiscard]] Expected<DeviceState> device_state(std::uint32_t ifindex);

}  // namespace devmap
