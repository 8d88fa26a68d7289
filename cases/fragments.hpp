#pragma once

#include <cstddef>
#include <cstdint>
#include <harness/base/kernel_version.hpp>
#include <harness/bpf/feature.hpp>

namespace devmap::cases {

/// Bytes of a frame that is to come in several buffers.
inline constexpr std::size_t kInFragments = 8000;

/// The MTU of devices that such a frame goes through.
inline constexpr std::uint32_t kJumbo = 9000;

/// The release with BPF_F_XDP_HAS_FRAGS.
inline constexpr KernelVersion kFragsProgramsSince{.major = 5, .minor = 18};

/// Pages are so small that such a frame takes several, and that a veth device may have an MTU of one: a buffer is a
/// page (drivers/net/veth.c:veth_convert_skb_to_xdp_buff).
[[nodiscard]] Feature small_pages();

/// The same of pages of this many bytes.
[[nodiscard]] Fact small_pages_of(std::size_t bytes);

}  // namespace devmap::cases
