#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace devmap {

/// The shortest frame an Ethernet link carries, without its checksum.
inline constexpr std::size_t kShortestFrame = 60;

/// IEEE Std 802, local experimental EtherType 1: no protocol of the kernel answers to it.
inline constexpr std::uint16_t kExperimentalEtherType = 0x88b5;

/// A whole Ethernet frame, header included, checksum excluded.
using Frame = std::vector<std::byte>;

/// An Ethernet frame of this many bytes (at least the header's 14) from and to locally administered addresses, of
/// kExperimentalEtherType, its payload counting up from `tag`.
[[nodiscard]] Frame make_frame(std::size_t size = kShortestFrame, std::uint8_t tag = 0);

/// What stands behind the EtherType 0x8100 of 802.1Q, big-endian both. linux/if_vlan.h exports no such header.
struct VlanHeader {
  std::uint16_t information;  ///< priority and VLAN id
  std::uint16_t ether_type;   ///< of what the header was put before
};

/// What a frame carries its payload in.
enum class Protocol : std::uint8_t {
  bare,  ///< kExperimentalEtherType, nothing else
  ipv4_udp,
  ipv6_udp,
};

/// Which frame it is. The token is the sender's own: what another sender made is never taken for one's own.
struct FrameTag {
  std::uint64_t token = 0;
  std::uint32_t number = 0;

  friend bool operator==(const FrameTag&, const FrameTag&) = default;
};

/// A token that nobody else has: 64 random bits.
[[nodiscard]] std::uint64_t new_token();

/// A frame that can be known again. Its addresses are locally administered ones and, in IP, those of documentation
/// (192.0.2.0/24, 2001:db8::/32); the checksums of IP and UDP are right.
///
///     | Ethernet | 802.1Q? | IP, UDP? | token 8 | number 4 | checksum 4 | number, number + 1, number + 2 ... |
struct FrameSpec {
  /// Of the whole frame; raised to what the headers and the tag need.
  std::size_t size = kShortestFrame;
  Protocol protocol = Protocol::bare;
  /// The VLAN id of an 802.1Q header.
  std::optional<std::uint16_t> vlan = {};
  FrameTag tag = {};
  std::array<std::uint8_t, 6> to = {0x02, 0, 0, 0, 0, 0x01};
  std::array<std::uint8_t, 6> from = {0x02, 0, 0, 0, 0, 0x02};
};

/// Bytes of a payload that are taken by the tag; the rest is free to be written to.
inline constexpr std::size_t kTagSize = 16;

[[nodiscard]] Frame make_frame(const FrameSpec& spec);

/// How many bytes stand before the tag.
[[nodiscard]] std::size_t header_size(const FrameSpec& spec);

/// What a frame that was heard turns out to be.
struct Identified {
  enum class Whose : std::uint8_t {
    somebody_elses,  ///< the token is nowhere in it
    ours,            ///< the tag and the payload are those make_frame wrote; the headers are not looked at
    altered,         ///< the token is there, but what follows it is not what make_frame wrote
  };
  Whose whose = Whose::somebody_elses;
  /// Also where altered, as far as it can be believed.
  std::uint32_t number = 0;
  /// Where the tag stands.
  std::size_t tag_at = 0;
  /// Where the payload is not as it should be, by offsets in the frame. Empty where it is the number that was altered.
  std::vector<std::size_t> altered_at = {};
};

/// The tag is looked for at any offset, so that a frame is known again behind other headers.
[[nodiscard]] Identified identify(std::span<const std::byte> frame, std::uint64_t token);

/// What became of a frame's bytes, in words that tell the one from the other completely: "as sent", "[30] = aa",
/// "[14..15] = 00 01, [30] = aa", and where the length differs "64 bytes: 02 00 ...".
[[nodiscard]] std::string changes(std::span<const std::byte> sent, std::span<const std::byte> seen);

/// What changes() says of equal frames.
inline constexpr const char* kAsSent = "as sent";

}  // namespace devmap
