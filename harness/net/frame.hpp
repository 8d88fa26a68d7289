#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace devmap {

/// The shortest frame an Ethernet link carries, without its checksum.
inline constexpr std::size_t kShortestFrame = 60;

/// IEEE Std 802, local experimental EtherType 1: no protocol of the kernel answers to it.
inline constexpr std::uint16_t kExperimentalEtherType = 0x88b5;

/// An Ethernet frame of this many bytes (at least the header's 14) from and to locally administered addresses, of
/// kExperimentalEtherType, its payload counting up from `tag`.
[[nodiscard]] std::vector<std::byte> make_frame(std::size_t size = kShortestFrame, std::uint8_t tag = 0);

}  // namespace devmap
