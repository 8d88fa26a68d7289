#include <harness/net/packet_socket.hpp>

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

namespace devmap {

Expected<PacketSocket> PacketSocket::open(std::uint32_t ifindex, std::uint16_t ether_type) {
  // Protocol 0 hears nothing: a socket that named its EtherType here would hear every device until it is bound.
  UniqueFd fd(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
  if (!fd) return last_error("socket", "AF_PACKET");
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ether_type);
  address.sll_ifindex = static_cast<int>(ifindex);
  // NOLINTNEXTLINE(*-reinterpret-cast): the form bind(2) takes every address in
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return last_error("bind", "AF_PACKET");
  }
  // Until the kernel has taken note of the carrier of a device that just came up, its queueing discipline loses every
  // frame (net/core/link_watch.c).
  const int bypass = 1;
  if (setsockopt(fd.get(), SOL_PACKET, PACKET_QDISC_BYPASS, &bypass, sizeof bypass) != 0) {
    return last_error("setsockopt", "PACKET_QDISC_BYPASS");
  }
  return PacketSocket(std::move(fd));
}

Expected<void> PacketSocket::send(std::span<const std::byte> frame) const {
  const ssize_t sent = ::send(fd_.get(), frame.data(), frame.size(), 0);
  if (sent < 0) return last_error("send", "AF_PACKET");
  if (static_cast<std::size_t>(sent) != frame.size()) return failure("send", EMSGSIZE, "AF_PACKET");
  return {};
}

Expected<std::optional<std::vector<std::byte>>> PacketSocket::receive(std::chrono::milliseconds limit) const {
  pollfd waiting{.fd = fd_.get(), .events = POLLIN, .revents = 0};
  const int ready = poll(&waiting, 1, static_cast<int>(limit.count()));
  if (ready < 0) return last_error("poll", "AF_PACKET");
  if (ready == 0) return std::nullopt;
  const ssize_t size = recv(fd_.get(), nullptr, 0, MSG_PEEK | MSG_TRUNC);
  if (size < 0) return last_error("recv", "AF_PACKET");
  std::vector<std::byte> frame(static_cast<std::size_t>(size));
  if (recv(fd_.get(), frame.data(), frame.size(), 0) < 0) return last_error("recv", "AF_PACKET");
  return frame;
}

}  // namespace devmap
