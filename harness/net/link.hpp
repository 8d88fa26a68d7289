#pragma once

#include <harness/base/error.hpp>
#include <harness/bpf/reply.hpp>
#include <harness/net/netns.hpp>

#include <array>
#include <cstdint>
#include <string>

// Network devices of the calling thread's namespace, by rtnetlink. The namespace owns them: they go when it goes, which
// is much quicker than deleting them one by one.
namespace devmap {

/// The index every namespace's loopback device has (LOOPBACK_IFINDEX in include/net/flow.h).
inline constexpr std::uint32_t kLoopback = 1;

/// Two devices, each of which receives what the other sends.
///
///     first <====> second
struct VethPair {
  std::uint32_t first = 0;
  std::uint32_t second = 0;
};

struct VethSpec {
  std::string first_name = "a0";
  std::string second_name = "a1";
  /// 0 lets the kernel choose.
  std::uint32_t first_index = 0;
  std::uint32_t second_index = 0;
  /// Receive and transmit queues of each; 0 lets the kernel choose.
  std::uint32_t queues = 0;
  /// Both up, and without IPv6, so that no frame but the case's own is on the wire.
  bool up = true;
};

/// A device number that no other process makes this way: numbers repeat from namespace to
/// namespace, and only by a distinct one is a device known in events of the whole machine. `nth` is less than 100.
[[nodiscard]] std::uint32_t distinct_ifindex(std::uint32_t nth = 0);

[[nodiscard]] Expected<VethPair> create_veth(const VethSpec& spec = {});
[[nodiscard]] Expected<void> set_up(std::uint32_t ifindex, bool up = true);
[[nodiscard]] Expected<void> set_mtu(std::uint32_t ifindex, std::uint32_t mtu);
/// A device that is up can be renamed since Linux 6.2 (net/core/dev.c:dev_change_name).
[[nodiscard]] Expected<void> rename_link(std::uint32_t ifindex, const std::string& name);

using MacAddress = std::array<std::uint8_t, 6>;
[[nodiscard]] Expected<void> set_address(std::uint32_t ifindex, const MacAddress& address);

/// Makes the device a port of a bridge or of a bond, or with master 0 releases it. A port of a bond must be down, and
/// is set up by the bond (drivers/net/bonding/bond_main.c:bond_enslave).
[[nodiscard]] Reply<> set_master(std::uint32_t ifindex, std::uint32_t master);

/// Moves the device to another namespace. It arrives there down, and under its number where that is free
/// (net/core/dev.c:__dev_change_net_namespace).
[[nodiscard]] Expected<void> move_to(std::uint32_t ifindex, const NetNs& destination);

[[nodiscard]] Expected<void> delete_link(std::uint32_t ifindex);

/// Keeps IPv6 from speaking on devices that come up from now on in the calling thread's namespace; nothing happens on a
/// kernel without IPv6.
[[nodiscard]] Expected<void> silence_ipv6();

/// Sets or, with program_fd -1, removes a device's XDP program by netlink (IFLA_XDP); xdp_flags are XDP_FLAGS_*. The
/// explanation of a refusal is the kernel's extended acknowledgement.
[[nodiscard]] Reply<> set_xdp(std::uint32_t ifindex, int program_fd, std::uint32_t xdp_flags);

}  // namespace devmap
