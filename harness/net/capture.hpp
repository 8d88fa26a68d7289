#pragma once

#include <harness/base/error.hpp>
#include <harness/net/frame.hpp>
#include <harness/net/packet_socket.hpp>

#include <chrono>
#include <cstdint>
#include <span>
#include <vector>

namespace devmap {

/// Hears all devices of the calling thread's namespace at once, by one socket: closing a packet socket takes a grace
/// period of RCU (net/packet/af_packet.c:packet_release), so that one for each device would be what a check costs.
///
/// Nothing is ever judged by waiting. Whoever wants to know that a frame did not come sends another one, a marker, the
/// way the frame would have come, and looks at what came up to it:
///
///     capture.send(t0, frame);
///     capture.send(t0, marker);
///     capture.up_to({{{.at = s0, .frame = marker}}}, 5s);    // what came before the marker: the frame, or not
class Capture {
 public:
  /// Hears from the moment it is opened; with outgoing_too also what the stack sends, except past the queueing
  /// discipline, as send() does. Needs CAP_NET_RAW and CAP_NET_ADMIN.
  [[nodiscard]] static Expected<Capture> open(bool outgoing_too = false);

  /// Hands a frame straight to the driver of a device.
  [[nodiscard]] Expected<void> send(std::uint32_t ifindex, std::span<const std::byte> frame) const;

  /// A frame that is to come in at a device, known by all its bytes.
  struct Marker {
    std::uint32_t at = 0;
    Frame frame = {};
  };
  /// All frames heard since the last call until every marker has come in, and what has come by then behind the last,
  /// without the markers, in the order in which they came. Fails where a marker does not come within the limit, and
  /// where frames were lost for want of room.
  [[nodiscard]] Expected<std::vector<HeardFrame>> up_to(std::vector<Marker> markers,
                                                        std::chrono::milliseconds limit) const;

 private:
  explicit Capture(PacketSocket socket) : socket_(std::move(socket)) {}
  PacketSocket socket_;
};

}  // namespace devmap
