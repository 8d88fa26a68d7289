#pragma once

#include <harness/base/error.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

// Frames that are larger than the wire takes, as TCP hands them to devices that cut them into segments (TSO).
namespace devmap {

/// An Ethernet frame of IPv4 and TCP with this many bytes of payload.
[[nodiscard]] std::vector<std::byte> make_tcp_frame(std::size_t payload);

/// Sends such a frame through a device of the calling thread's namespace as one to be cut into segments of this many
/// bytes of payload: by the device where its TSO is on, and otherwise before it (packet(7), PACKET_VNET_HDR;
/// net/core/dev.c:validate_xmit_skb). Needs CAP_NET_RAW.
[[nodiscard]] Expected<void> send_to_be_segmented(std::uint32_t ifindex, std::span<const std::byte> tcp_frame,
                                                  std::uint16_t segment);

}  // namespace devmap
