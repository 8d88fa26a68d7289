#include <harness/net/segmentation.hpp>

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cstring>
#include <harness/base/unique_fd.hpp>

namespace devmap {
namespace {

constexpr std::size_t kHeaders = sizeof(ether_header) + sizeof(iphdr) + sizeof(tcphdr);

/// struct virtio_net_hdr of linux/virtio_net.h, which is no C++.
struct Offload {
  std::uint8_t flags;
  std::uint8_t kind;
  std::uint16_t header_size;
  std::uint16_t segment;
  std::uint16_t checksum_start;
  std::uint16_t checksum_offset;
};
constexpr std::uint8_t kNeedsChecksum = 1;  // VIRTIO_NET_HDR_F_NEEDS_CSUM
constexpr std::uint8_t kTcpOverIpv4 = 1;    // VIRTIO_NET_HDR_GSO_TCPV4

}  // namespace

std::vector<std::byte> make_tcp_frame(std::size_t payload) {
  ether_header ethernet{.ether_dhost = {2, 0, 0, 0, 0, 1}, .ether_shost = {2, 0, 0, 0, 0, 2}, .ether_type = {}};
  ethernet.ether_type = htons(ETHERTYPE_IP);
  iphdr ip{};
  ip.version = 4;
  ip.ihl = sizeof ip / 4;
  ip.tot_len = htons(static_cast<std::uint16_t>(sizeof ip + sizeof(tcphdr) + payload));
  ip.ttl = 64;
  ip.protocol = IPPROTO_TCP;
  ip.saddr = htonl(0xc0000201);  // 192.0.2.1 and .2, of documentation
  ip.daddr = htonl(0xc0000202);
  tcphdr tcp{};
  tcp.doff = sizeof tcp / 4;
  tcp.ack = 1;
  std::vector<std::byte> frame(kHeaders + payload);
  std::memcpy(frame.data(), &ethernet, sizeof ethernet);
  std::memcpy(frame.data() + sizeof ethernet, &ip, sizeof ip);
  std::memcpy(frame.data() + sizeof ethernet + sizeof ip, &tcp, sizeof tcp);
  return frame;
}

Expected<void> send_to_be_segmented(std::uint32_t ifindex, std::span<const std::byte> tcp_frame,
                                    std::uint16_t segment) {
  const UniqueFd fd(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
  if (!fd) return last_error("socket", "AF_PACKET");
  const int on = 1;
  if (setsockopt(fd.get(), SOL_PACKET, PACKET_VNET_HDR, &on, sizeof on) != 0) {
    return last_error("setsockopt", "PACKET_VNET_HDR");
  }
  const Offload offload{.flags = kNeedsChecksum,
                        .kind = kTcpOverIpv4,
                        .header_size = kHeaders,
                        .segment = segment,
                        .checksum_start = sizeof(ether_header) + sizeof(iphdr),
                        .checksum_offset = offsetof(tcphdr, check)};
  std::vector<std::byte> message(sizeof offload + tcp_frame.size());
  std::memcpy(message.data(), &offload, sizeof offload);
  std::memcpy(message.data() + sizeof offload, tcp_frame.data(), tcp_frame.size());
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETHERTYPE_IP);
  address.sll_ifindex = static_cast<int>(ifindex);
  // NOLINTNEXTLINE(*-reinterpret-cast): the form sendto(2) takes every address in
  const auto* const to = reinterpret_cast<const sockaddr*>(&address);
  if (sendto(fd.get(), message.data(), message.size(), 0, to, sizeof address) < 0)
    return last_error("sendto", "AF_PACKET");
  return {};
}

}  // namespace devmap
