#include <harness/net/packet_socket.hpp>

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace devmap {
namespace {

constexpr int kRoom = 8 << 20;

sockaddr_ll address_of(std::uint32_t ifindex, std::uint16_t ether_type) {
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ether_type);
  address.sll_ifindex = static_cast<int>(ifindex);
  return address;
}

Expected<void> set_option(int fd, int level, int option, int value, const char* name) {
  if (setsockopt(fd, level, option, &value, sizeof value) != 0) return last_error("setsockopt", name);
  return {};
}

/// Protocol 0 hears nothing: a socket that named its EtherType when it was made would hear every device until it is
/// bound, and with options it has not been given yet.
Expected<UniqueFd> make_socket() {
  UniqueFd fd(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
  if (!fd) return last_error("socket", "AF_PACKET");
  // Until the kernel has taken note of the carrier of a device that just came up, its queueing discipline loses every
  // frame (net/core/link_watch.c).
  if (auto set = set_option(fd.get(), SOL_PACKET, PACKET_QDISC_BYPASS, 1, "PACKET_QDISC_BYPASS"); !set) {
    return std::unexpected(set.error());
  }
  return fd;
}

Expected<void> bind_to(int fd, const sockaddr_ll& address) {
  // NOLINTNEXTLINE(*-reinterpret-cast): the form bind(2) takes every address in
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return last_error("bind", "AF_PACKET");
  }
  return {};
}

Expected<void> whole(ssize_t sent, std::size_t size) {
  if (sent < 0) return last_error("send", "AF_PACKET");
  if (static_cast<std::size_t>(sent) != size) return failure("send", EMSGSIZE, "AF_PACKET");
  return {};
}

/// Puts back the 802.1Q header that the kernel tells of in a message of its own (PACKET_AUXDATA).
void restore_vlan(Frame& frame, msghdr& message) {
  constexpr std::size_t kAddresses = 2 * ETH_ALEN;
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_PACKET || part->cmsg_type != PACKET_AUXDATA) continue;
    tpacket_auxdata facts{};
    std::memcpy(&facts, CMSG_DATA(part), sizeof facts);
    if ((facts.tp_status & TP_STATUS_VLAN_VALID) == 0 || frame.size() < kAddresses) continue;
    const std::array<std::uint16_t, 2> header = {htons(facts.tp_vlan_tpid), htons(facts.tp_vlan_tci)};
    const auto bytes = std::as_bytes(std::span(header));
    frame.insert(frame.begin() + kAddresses, bytes.begin(), bytes.end());
  }
}

}  // namespace

Expected<PacketSocket> PacketSocket::open(std::uint32_t ifindex, std::uint16_t ether_type) {
  auto fd = make_socket();
  if (!fd) return std::unexpected(fd.error());
  if (auto bound = bind_to(fd->get(), address_of(ifindex, ether_type)); !bound) return std::unexpected(bound.error());
  return PacketSocket(std::move(*fd));
}

Expected<PacketSocket> PacketSocket::open_all(bool outgoing_too) {
  auto fd = make_socket();
  if (!fd) return std::unexpected(fd.error());
  auto set = set_option(fd->get(), SOL_PACKET, PACKET_AUXDATA, 1, "PACKET_AUXDATA");
  if (set) set = set_option(fd->get(), SOL_SOCKET, SO_RCVBUFFORCE, kRoom, "SO_RCVBUFFORCE");
  if (set && !outgoing_too) {
    set = set_option(fd->get(), SOL_PACKET, PACKET_IGNORE_OUTGOING, 1, "PACKET_IGNORE_OUTGOING");
  }
  if (set) set = bind_to(fd->get(), address_of(0, ETH_P_ALL));
  if (!set) return std::unexpected(set.error());
  return PacketSocket(std::move(*fd));
}

Expected<void> PacketSocket::send(std::span<const std::byte> frame) const {
  return whole(::send(fd_.get(), frame.data(), frame.size(), 0), frame.size());
}

Expected<void> PacketSocket::send_copies(std::span<const std::byte> frame, std::size_t copies) const {
  if (copies > kMostAtOnce) return failure("sendmmsg", EINVAL, "AF_PACKET");
  iovec piece{.iov_base = const_cast<std::byte*>(frame.data()),  // NOLINT(*-const-cast): it is only read
              .iov_len = frame.size()};
  std::array<mmsghdr, kMostAtOnce> messages{};
  for (auto& message : messages) {
    message.msg_hdr.msg_iov = &piece;
    message.msg_hdr.msg_iovlen = 1;
  }
  for (std::size_t sent = 0; sent < copies;) {
    const int more = sendmmsg(fd_.get(), &messages.at(sent), static_cast<unsigned>(copies - sent), 0);
    if (more < 0) return last_error("sendmmsg", "AF_PACKET");
    sent += static_cast<std::size_t>(more);
  }
  return {};
}

Expected<void> PacketSocket::send_as_the_stack_does() const {
  return set_option(fd_.get(), SOL_PACKET, PACKET_QDISC_BYPASS, 0, "PACKET_QDISC_BYPASS");
}

Expected<void> PacketSocket::send_through(std::uint32_t ifindex, std::span<const std::byte> frame) const {
  const auto address = address_of(ifindex, 0);
  // NOLINTNEXTLINE(*-reinterpret-cast): the form sendto(2) takes every address in
  const auto* const to = reinterpret_cast<const sockaddr*>(&address);
  return whole(::sendto(fd_.get(), frame.data(), frame.size(), 0, to, sizeof address), frame.size());
}

Expected<std::optional<Frame>> PacketSocket::receive(std::chrono::milliseconds limit) const {
  auto heard = hear(limit);
  if (!heard) return std::unexpected(heard.error());
  if (!*heard) return std::nullopt;
  return std::move((*heard)->bytes);
}

Expected<std::optional<HeardFrame>> PacketSocket::hear(std::chrono::milliseconds limit) const {
  pollfd waiting{.fd = fd_.get(), .events = POLLIN, .revents = 0};
  const int ready = poll(&waiting, 1, static_cast<int>(limit.count()));
  if (ready < 0) return last_error("poll", "AF_PACKET");
  if (ready == 0) return std::nullopt;
  const ssize_t size = recv(fd_.get(), nullptr, 0, MSG_PEEK | MSG_TRUNC);
  if (size < 0) return last_error("recv", "AF_PACKET");

  HeardFrame heard{.bytes = Frame(static_cast<std::size_t>(size))};
  sockaddr_ll from{};
  iovec room{.iov_base = heard.bytes.data(), .iov_len = heard.bytes.size()};
  alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof(tpacket_auxdata))> facts{};
  msghdr message{};
  message.msg_name = &from;
  message.msg_namelen = sizeof from;
  message.msg_iov = &room;
  message.msg_iovlen = 1;
  message.msg_control = facts.data();
  message.msg_controllen = facts.size();
  if (recvmsg(fd_.get(), &message, 0) < 0) return last_error("recvmsg", "AF_PACKET");
  restore_vlan(heard.bytes, message);
  heard.ifindex = static_cast<std::uint32_t>(from.sll_ifindex);
  heard.outgoing = from.sll_pkttype == PACKET_OUTGOING;
  return heard;
}

Expected<std::uint32_t> PacketSocket::lost() const {
  tpacket_stats counted{};
  socklen_t size = sizeof counted;
  if (getsockopt(fd_.get(), SOL_PACKET, PACKET_STATISTICS, &counted, &size) != 0) {
    return last_error("getsockopt", "PACKET_STATISTICS");
  }
  return counted.tp_drops;
}

}  // namespace devmap
