#pragma once

#include <harness/bpf/reply.hpp>

#include <cstdint>

namespace devmap {

/// What a device's driver can do with XDP (enum netdev_xdp_act of linux/netdev.h, Linux 6.3).
enum class XdpFeature : std::uint64_t {
  basic = 1,            ///< runs native programs
  redirect = 2,         ///< their XDP_REDIRECT works
  transmit = 4,         ///< is a target of redirects (NDO_XMIT)
  zero_copy = 8,        ///< gives AF_XDP its buffers
  offload = 16,         ///< runs programs in hardware
  receive_frags = 32,   ///< gives its programs frames in several buffers
  transmit_frags = 64,  ///< is a target of frames in several buffers (NDO_XMIT_SG)
};

struct XdpFeatures {
  /// All bits, also those without a name here.
  std::uint64_t bits = 0;
  [[nodiscard]] bool has(XdpFeature feature) const noexcept {
    return (bits & static_cast<std::uint64_t>(feature)) != 0;
  }
  friend bool operator==(const XdpFeatures&, const XdpFeatures&) = default;
};

/// What the kernel says of a device of the calling thread's namespace (NETDEV_CMD_DEV_GET;
/// net/core/netdev-genl.c:netdev_nl_dev_fill). Refused with ENOENT before Linux 6.3, which has no such question.
[[nodiscard]] Reply<XdpFeatures> xdp_features(std::uint32_t ifindex);

}  // namespace devmap
