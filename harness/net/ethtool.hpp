#pragma once

#include <harness/bpf/reply.hpp>

#include <cstdint>

// What ethtool netlink (Linux 5.6, CONFIG_ETHTOOL_NETLINK; Documentation/networking/ethtool-netlink.rst) sets and tells
// of a device of the calling thread's namespace.
namespace devmap {

/// Generic receive offload. On a veth device it starts the polling that makes the peer a target of redirects, since
/// Linux 5.13 (drivers/net/veth.c:veth_set_features).
[[nodiscard]] Reply<> set_gro(std::uint32_t ifindex, bool on);
/// Whether it is on (ETHTOOL_MSG_FEATURES_GET, Linux 5.8).
[[nodiscard]] Reply<bool> gro(std::uint32_t ifindex);

/// Whether TCP leaves it to this device to cut what it sends into segments (TSO). What receives from a veth device
/// whose TSO is on gets it in one piece, of up to 64 KiB.
[[nodiscard]] Reply<> set_tcp_segmentation(std::uint32_t ifindex, bool on);
[[nodiscard]] Reply<bool> tcp_segmentation(std::uint32_t ifindex);

/// How many queues a device uses, and how many it could (ETHTOOL_MSG_CHANNELS_GET).
struct Channels {
  std::uint32_t receive = 0;
  std::uint32_t transmit = 0;
  std::uint32_t most_receive = 0;
  std::uint32_t most_transmit = 0;
};
[[nodiscard]] Reply<Channels> channels(std::uint32_t ifindex);
/// Refused with EINVAL above what channels() says is the most; a veth device takes it since Linux 5.16
/// (drivers/net/veth.c:veth_set_channels).
[[nodiscard]] Reply<> set_channels(std::uint32_t ifindex, std::uint32_t receive, std::uint32_t transmit);

}  // namespace devmap
