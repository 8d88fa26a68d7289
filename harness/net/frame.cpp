#include <harness/net/frame.hpp>

#include <arpa/inet.h>
#include <linux/if_ether.h>

#include <algorithm>
#include <cstring>

namespace devmap {

std::vector<std::byte> make_frame(std::size_t size, std::uint8_t tag) {
  ethhdr header{.h_dest = {0x02, 0, 0, 0, 0, 0x01},
                .h_source = {0x02, 0, 0, 0, 0, 0x02},
                .h_proto = htons(kExperimentalEtherType)};
  std::vector<std::byte> frame(std::max(size, sizeof header));
  std::memcpy(frame.data(), &header, sizeof header);
  auto next = tag;
  for (std::size_t i = sizeof header; i < frame.size(); ++i) frame[i] = std::byte{next++};
  return frame;
}

}  // namespace devmap
