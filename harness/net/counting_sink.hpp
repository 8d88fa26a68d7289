#pragma once

#include <harness/base/error.hpp>
#include <harness/bpf/map.hpp>
#include <harness/net/xdp_dispatcher.hpp>

#include <chrono>
#include <cstdint>

namespace devmap {

/// A native XDP program on a device that counts the frames the device receives and drops them. On a veth device it also
/// makes the peer a target of redirects (drivers/net/veth.c:veth_xdp_xmit wants a receiver that polls).
///
///     target <====> device with the sink
///
/// Frames cross a veth pair in softirq, so a frame may be counted only after the call that sent it has returned: wait
/// for what must come before judging that nothing else did.
class CountingSink {
 public:
  [[nodiscard]] static Expected<CountingSink> attach(std::uint32_t ifindex,
                                                     const XdpAttach& attach = XdpAttachment::directly);

  /// Frames so far.
  [[nodiscard]] Expected<std::uint64_t> total() const;
  /// Frames so far whose first byte after the Ethernet header is this one (make_frame's tag).
  [[nodiscard]] Expected<std::uint64_t> tagged(std::uint8_t tag) const;

  /// Waits until at least this many frames of this tag have come. False where they have not within the limit.
  [[nodiscard]] bool wait_for(std::uint64_t frames, std::uint8_t tag, std::chrono::milliseconds limit) const;

 private:
  CountingSink(Map counts, XdpAttachment attachment) : counts_(std::move(counts)), attachment_(std::move(attachment)) {}

  Map counts_;
  XdpAttachment attachment_;
};

}  // namespace devmap
