#include <harness/net/frame.hpp>

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <algorithm>
#include <cstring>
#include <random>

namespace devmap {
namespace {

constexpr std::uint16_t kSourcePort = 49152;   // the first of those nobody owns
constexpr std::uint16_t kDestinationPort = 9;  // discard
constexpr std::uint8_t kHops = 64;

struct Tag {
  std::uint64_t token;
  std::uint32_t number;
  std::uint32_t checksum;
};
static_assert(sizeof(Tag) == kTagSize);

template <class Header>
void append(Frame& frame, const Header& header) {
  const auto bytes = std::as_bytes(std::span(&header, 1));
  frame.insert(frame.end(), bytes.begin(), bytes.end());
}

std::byte filling(std::uint32_t number, std::size_t index) {
  return static_cast<std::byte>((number + index) & 0xff);
}

/// FNV-1a over the tag without its checksum, and what follows it.
std::uint32_t checksum(const FrameTag& tag, std::span<const std::byte> rest) {
  std::uint32_t sum = 2166136261U;
  const auto take = [&sum](std::span<const std::byte> bytes) {
    for (const auto byte : bytes) sum = (sum ^ std::to_integer<std::uint32_t>(byte)) * 16777619U;
  };
  take(std::as_bytes(std::span(&tag.token, 1)));
  take(std::as_bytes(std::span(&tag.number, 1)));
  take(rest);
  return sum;
}

/// Adds bytes, as 16-bit words of the network's order, to a sum of the Internet checksum (RFC 1071).
std::uint32_t add_words(std::uint32_t sum, std::span<const std::byte> bytes) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    sum += std::to_integer<std::uint32_t>(bytes[i]) << (i % 2 == 0 ? 8 : 0);
  }
  return sum;
}
std::uint16_t folded(std::uint32_t sum) {
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return htons(static_cast<std::uint16_t>(~sum & 0xffff));
}

template <class Header>
std::span<const std::byte> bytes_of(const Header& header) {
  return std::as_bytes(std::span(&header, 1));
}

std::uint16_t udp_checksum(std::span<const std::byte> addresses, const udphdr& udp,
                           std::span<const std::byte> payload) {
  std::uint32_t sum = add_words(IPPROTO_UDP + static_cast<std::uint32_t>(sizeof udp + payload.size()), addresses);
  sum = add_words(sum, bytes_of(udp));
  const auto result = folded(add_words(sum, payload));
  return result == 0 ? 0xffff : result;  // 0 would say that there is none
}

Frame payload_of(const FrameTag& tag, std::size_t size) {
  Frame payload(std::max(size, kTagSize));
  const auto rest = std::span(payload).subspan(kTagSize);
  for (std::size_t i = 0; i < rest.size(); ++i) rest[i] = filling(tag.number, i);
  const Tag written{.token = tag.token, .number = tag.number, .checksum = checksum(tag, rest)};
  std::memcpy(payload.data(), &written, sizeof written);
  return payload;
}

std::size_t network_header_size(Protocol protocol) {
  switch (protocol) {
    case Protocol::bare:
      return 0;
    case Protocol::ipv4_udp:
      return sizeof(iphdr) + sizeof(udphdr);
    case Protocol::ipv6_udp:
      return sizeof(ipv6hdr) + sizeof(udphdr);
  }
  return 0;
}

std::uint16_t ether_type(Protocol protocol) {
  switch (protocol) {
    case Protocol::bare:
      return kExperimentalEtherType;
    case Protocol::ipv4_udp:
      return ETH_P_IP;
    case Protocol::ipv6_udp:
      return ETH_P_IPV6;
  }
  return 0;
}

udphdr udp_header(std::size_t payload) {
  return {.source = htons(kSourcePort),
          .dest = htons(kDestinationPort),
          .len = htons(static_cast<std::uint16_t>(sizeof(udphdr) + payload)),
          .check = 0};
}

void append_ipv4_udp(Frame& frame, std::span<const std::byte> payload) {
  udphdr udp = udp_header(payload.size());
  iphdr ip{};
  ip.version = 4;
  ip.ihl = sizeof ip / 4;
  ip.tot_len = htons(static_cast<std::uint16_t>(sizeof ip + sizeof udp + payload.size()));
  ip.ttl = kHops;
  ip.protocol = IPPROTO_UDP;
  inet_pton(AF_INET, "192.0.2.2", &ip.saddr);
  inet_pton(AF_INET, "192.0.2.1", &ip.daddr);
  ip.check = folded(add_words(0, bytes_of(ip)));
  udp.check = udp_checksum(bytes_of(ip).subspan(offsetof(iphdr, saddr)), udp, payload);
  append(frame, ip);
  append(frame, udp);
}

void append_ipv6_udp(Frame& frame, std::span<const std::byte> payload) {
  udphdr udp = udp_header(payload.size());
  ipv6hdr ip{};
  ip.version = 6;
  ip.payload_len = udp.len;
  ip.nexthdr = IPPROTO_UDP;
  ip.hop_limit = kHops;
  inet_pton(AF_INET6, "2001:db8::2", &ip.saddr);
  inet_pton(AF_INET6, "2001:db8::1", &ip.daddr);
  udp.check = udp_checksum(bytes_of(ip).subspan(offsetof(ipv6hdr, saddr)), udp, payload);
  append(frame, ip);
  append(frame, udp);
}

}  // namespace

Frame make_frame(std::size_t size, std::uint8_t tag) {
  const ethhdr header{.h_dest = {0x02, 0, 0, 0, 0, 0x01},
                      .h_source = {0x02, 0, 0, 0, 0, 0x02},
                      .h_proto = htons(kExperimentalEtherType)};
  Frame frame(std::max(size, sizeof header));
  std::memcpy(frame.data(), &header, sizeof header);
  auto next = tag;
  for (std::size_t i = sizeof header; i < frame.size(); ++i) frame[i] = std::byte{next++};
  return frame;
}

std::uint64_t new_token() {
  std::random_device random;
  return static_cast<std::uint64_t>(random()) << 32 | random();
}

std::size_t header_size(const FrameSpec& spec) {
  return sizeof(ethhdr) + (spec.vlan ? sizeof(VlanHeader) : 0) + network_header_size(spec.protocol);
}

Frame make_frame(const FrameSpec& spec) {
  const std::size_t headers = header_size(spec);
  const auto payload = payload_of(spec.tag, spec.size > headers ? spec.size - headers : 0);
  Frame frame;
  frame.reserve(headers + payload.size());
  ethhdr ethernet{};
  std::ranges::copy(spec.to, ethernet.h_dest);
  std::ranges::copy(spec.from, ethernet.h_source);
  ethernet.h_proto = htons(spec.vlan ? std::uint16_t{ETH_P_8021Q} : ether_type(spec.protocol));
  append(frame, ethernet);
  if (spec.vlan) {
    append(frame, VlanHeader{.information = htons(*spec.vlan), .ether_type = htons(ether_type(spec.protocol))});
  }
  if (spec.protocol == Protocol::ipv4_udp) append_ipv4_udp(frame, payload);
  if (spec.protocol == Protocol::ipv6_udp) append_ipv6_udp(frame, payload);
  frame.insert(frame.end(), payload.begin(), payload.end());
  return frame;
}

Identified identify(std::span<const std::byte> frame, std::uint64_t token) {
  const auto found = std::ranges::search(frame, bytes_of(token));
  const auto at = static_cast<std::size_t>(found.begin() - frame.begin());
  if (found.empty()) return {};
  if (frame.size() - at < kTagSize) return {.whose = Identified::Whose::altered, .tag_at = at};
  Tag tag{};
  std::memcpy(&tag, frame.data() + at, sizeof tag);
  Identified result{.number = tag.number, .tag_at = at};
  const auto rest = frame.subspan(at + kTagSize);
  for (std::size_t i = 0; i < rest.size(); ++i) {
    if (rest[i] != filling(tag.number, i)) result.altered_at.push_back(at + kTagSize + i);
  }
  const bool right = tag.checksum == checksum({.token = token, .number = tag.number}, rest);
  result.whose = right ? Identified::Whose::ours : Identified::Whose::altered;
  return result;
}

std::string changes(std::span<const std::byte> sent, std::span<const std::byte> seen) {
  if (std::ranges::equal(sent, seen)) return kAsSent;
  const auto hex = [](std::span<const std::byte> bytes) { return fmt::format("{:02x}", fmt::join(bytes, " ")); };
  if (sent.size() != seen.size()) return fmt::format("{} bytes: {}", seen.size(), hex(seen));
  std::string text;
  for (std::size_t from = 0; from < seen.size();) {
    std::size_t to = from;
    while (to < seen.size() && sent[to] != seen[to]) ++to;
    if (to > from) {
      if (!text.empty()) text += ", ";
      text += to - from == 1 ? fmt::format("[{}]", from) : fmt::format("[{}..{}]", from, to - 1);
      text += " = " + hex(seen.subspan(from, to - from));
    }
    from = to + 1;
  }
  return text;
}

}  // namespace devmap
