#pragma once

#include <harness/base/error.hpp>
#include <harness/base/unique_fd.hpp>
#include <harness/net/frame.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace devmap {

/// A frame that a socket heard.
struct HeardFrame {
  std::uint32_t ifindex = 0;
  /// It was on its way out of the device, not into it.
  bool outgoing = false;
  Frame bytes = {};
};

/// Whole Ethernet frames in and out of one device of the calling thread's namespace (packet(7), SOCK_RAW). It hears the
/// frames of one EtherType that the device hands to the network stack, those for other addresses included; what is sent
/// through the device it does not hear, so a frame heard is a frame that came in. An XDP program on the device sees an
/// incoming frame before this socket does (net/core/dev.c:__netif_receive_skb_core).
class PacketSocket {
 public:
  /// Hears from the moment it is opened. Needs CAP_NET_RAW.
  [[nodiscard]] static Expected<PacketSocket> open(std::uint32_t ifindex,
                                                   std::uint16_t ether_type = kExperimentalEtherType);

  /// Hears every frame, of whatever EtherType, that any device of the namespace hands to the stack, and where asked
  /// also those that the stack hands to a device; and can hold some MiB of them.
  [[nodiscard]] static Expected<PacketSocket> open_all(bool outgoing_too = false);

  /// Hands a frame, its 14-byte header included, straight to the driver; fails with ENETDOWN where the device is down,
  /// with EMSGSIZE where the frame is longer than its MTU allows.
  [[nodiscard]] Expected<void> send(std::span<const std::byte> frame) const;

  /// The same for one frame this many times, by one system call (sendmmsg(2)); at most kMostAtOnce.
  [[nodiscard]] Expected<void> send_copies(std::span<const std::byte> frame, std::size_t copies) const;
  static constexpr std::size_t kMostAtOnce = 256;

  /// The same through any device of the namespace; for sockets of open_all(). Fails with ENOBUFS where the driver
  /// refuses the frame.
  [[nodiscard]] Expected<void> send_through(std::uint32_t ifindex, std::span<const std::byte> frame) const;

  /// From now on frames go the way of the stack's own: past packet sockets that hear outgoing frames, and through the
  /// queueing discipline, which loses them until the kernel has taken note of the device's carrier.
  [[nodiscard]] Expected<void> send_as_the_stack_does() const;

  /// The next frame, with its header; nothing where none comes within the limit.
  [[nodiscard]] Expected<std::optional<Frame>> receive(std::chrono::milliseconds limit) const;
  /// The same, and where it was heard. An 802.1Q header, which the kernel takes off before sockets hear a frame, is put
  /// back.
  [[nodiscard]] Expected<std::optional<HeardFrame>> hear(std::chrono::milliseconds limit) const;

  /// Frames that were lost for want of room since the last call.
  [[nodiscard]] Expected<std::uint32_t> lost() const;

 private:
  explicit PacketSocket(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

}  // namespace devmap
