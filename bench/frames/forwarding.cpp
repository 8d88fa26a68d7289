#include <bench/frames/forwarding.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <algorithm>
#include <chrono>
#include <harness/net/packet_socket.hpp>
#include <utility>

namespace devmap::bench {
namespace {

using std::chrono_literals::operator""s;
constexpr auto kPatience = 1s;
/// Known in a hex dump.
constexpr std::uint8_t kTag = 0x5a;

}  // namespace

Expected<std::unique_ptr<Workload>> Forwarding::create(const Spec& spec) {
  auto sinks =
      Sinks::create({.ports = spec.route.devices, .mtu = spec.mtu(), .frags = spec.frags(), .mode = spec.sink_mode});
  if (!sinks) return std::unexpected(sinks.error());
  auto route = Route::create(spec.route, *sinks, spec.frags());
  if (!route) return std::unexpected(route.error());
  std::unique_ptr<Forwarding> made(new Forwarding(spec, std::move(*sinks), std::move(*route)));
  auto sender = Sender::create(
      {.source = spec.source, .frame = make_frame(spec.length, kTag), .batch = spec.batch, .mode = spec.mode},
      made->sinks_, made->route_.program());
  if (!sender) return std::unexpected(sender.error());
  made->sender_ = std::move(*sender);
  return std::unique_ptr<Workload>(std::move(made));
}

Expected<void> Forwarding::verify() {
  if (auto counted = verify_counts(); !counted) return counted;
  const auto copies = spec_.route.copies();
  std::vector<std::uint32_t> reached;
  for (std::uint32_t port = 0; port < copies.size(); ++port) {
    if (copies[port] > 0) reached.push_back(port);
  }
  if (reached.empty()) return {};
  // The first one gets a copy of a broadcast, the last one the frame itself.
  if (auto first = verify_bytes(reached.front()); !first || reached.size() == 1) return first;
  return verify_bytes(reached.back());
}

Expected<void> Forwarding::verify_counts() {
  const auto before = sinks_.received();
  if (!before) return std::unexpected(before.error());
  const auto sent = sender_->send(spec_.batch, Clock::thread_time);
  if (!sent) return std::unexpected(sent.error());
  const auto copies = spec_.route.copies();
  const auto expected = sent->frames * copies_;
  if (const auto come = sinks_.await(*before, expected); !come) return std::unexpected(come.error());
  const auto after = sinks_.received();
  if (!after) return std::unexpected(after.error());
  for (std::size_t port = 0; port < copies.size(); ++port) {
    const auto frames = (*after)[port] - (*before)[port];
    if (frames != copies[port] * sent->frames) {
      return failure("look where the frames went", 0,
                     fmt::format("sink {} received {} of {} frames, and should have received {}", port, frames,
                                 sent->frames, copies[port] * sent->frames));
    }
  }
  return {};
}

Expected<void> Forwarding::verify_bytes(std::uint32_t port) {
  if (auto passing = sinks_.let_pass(port, true); !passing) return passing;
  const auto socket = PacketSocket::open(sinks_.sink(port));
  if (!socket) return std::unexpected(socket.error());
  const auto before = sinks_.received();
  if (!before) return std::unexpected(before.error());
  const auto sent = sender_->send(1, Clock::thread_time);
  if (!sent) return std::unexpected(sent.error());
  const auto heard = socket->receive(kPatience);
  if (!heard) return std::unexpected(heard.error());
  if (!*heard) return failure("look at a frame", 0, fmt::format("none came through sink {}", port));
  const auto expected = route_.after(sender_->frame());
  if (**heard != expected) {
    return failure("look at a frame", 0, fmt::format("at sink {}: {}", port, changes(expected, **heard)));
  }
  // None of them is to be counted later.
  if (const auto come = sinks_.await(*before, sent->frames * copies_); !come) return std::unexpected(come.error());
  return sinks_.let_pass(port, false);
}

Expected<Sample> Forwarding::run(std::uint64_t operations, Clock clock) {
  const auto before = sinks_.received();
  if (!before) return std::unexpected(before.error());
  const auto sent = sender_->send(operations, clock);
  if (!sent) return std::unexpected(sent.error());
  const auto in_time = sinks_.received();
  if (!in_time) return std::unexpected(in_time.error());
  Sample sample{.operations = sent->frames, .spent = sent->spent};
  sample.frames.sent = sent->frames;
  sample.frames.expected = sent->frames * copies_;
  const auto come = sinks_.await(*before, sample.frames.expected);
  if (!come) return std::unexpected(come.error());
  sample.frames.delivered = *come;
  sample.frames.late = *come - std::min(*come, all_frames(*in_time) - all_frames(*before));
  return sample;
}

}  // namespace devmap::bench
