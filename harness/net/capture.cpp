#include <harness/net/capture.hpp>

#include <fmt/format.h>
#include <algorithm>
#include <cerrno>

namespace devmap {

Expected<Capture> Capture::open(bool outgoing_too) {
  auto socket = PacketSocket::open_all(outgoing_too);
  if (!socket) return std::unexpected(socket.error());
  return Capture(std::move(*socket));
}

Expected<void> Capture::send(std::uint32_t ifindex, std::span<const std::byte> frame) const {
  return socket_.send_through(ifindex, frame);
}

Expected<std::vector<HeardFrame>> Capture::up_to(std::vector<Marker> markers, std::chrono::milliseconds limit) const {
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + limit;
  std::vector<HeardFrame> heard;
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    // Behind the last marker too, without waiting: a NAPI poll hands skbs on before the XDP frames that it found with
    // them (drivers/net/veth.c:veth_xdp_rcv).
    auto next =
        socket_.hear(markers.empty() ? std::chrono::milliseconds(0) : std::max(left, std::chrono::milliseconds(0)));
    if (!next) return std::unexpected(next.error());
    if (!*next && markers.empty()) break;
    if (!*next) {
      return failure("wait for a marker", ETIMEDOUT,
                     fmt::format("device {} has not received it within {} ms; {} other frames came", markers.front().at,
                                 limit.count(), heard.size()));
    }
    const auto marker = std::ranges::find_if(markers, [&frame = **next](const Marker& awaited) {
      return !frame.outgoing && frame.ifindex == awaited.at && frame.bytes == awaited.frame;
    });
    if (marker != markers.end()) {
      markers.erase(marker);
    } else {
      heard.push_back(std::move(**next));
    }
  }
  const auto lost = socket_.lost();
  if (!lost) return std::unexpected(lost.error());
  if (*lost != 0) return failure("listen", ENOBUFS, fmt::format("{} frames were lost for want of room", *lost));
  return heard;
}

}  // namespace devmap
