#include <bench/frames/forwarding.hpp>

#include <linux/if_link.h>
#include <bench/measure/processors.hpp>

#include <fmt/format.h>
#include <array>
#include <cerrno>
#include <harness/base/processor.hpp>
#include <harness/net/device_state.hpp>
#include <latch>
#include <span>
#include <stop_token>
#include <thread>
#include <utility>

// What is measured while another processor does something too.
namespace devmap::bench {
namespace {

constexpr std::uint32_t kBatch = 64;
constexpr std::uint32_t kLength = 64;

Expected<std::array<unsigned, 2>> two_processors() {
  const auto& own = own_processors();
  if (!own) return std::unexpected(own.error());
  if (own->size() < 2) return failure("find two processors", ENODEV);
  return std::array{(*own)[0], (*own)[1]};
}

/// Runs the function on a thread of its own that stays on this processor.
template <class Function>
std::jthread on_processor(unsigned processor, Expected<void>& outcome, Function function) {
  return std::jthread([processor, &outcome, function = std::move(function)](const std::stop_token& stop) {
    const auto stays = stay_on_processor(processor);
    outcome = function(stop);  // also where it does not stay: the other thread waits for it
    if (outcome && !stays) outcome = stays;
  });
}

/// How many frames each sink received of those that `send` sent, all of which are to arrive.
template <class Send>
Expected<Received> arrivals_of(const Sinks& sinks, Send send) {
  const auto before = sinks.received();
  if (!before) return std::unexpected(before.error());
  const Expected<Sender::Sent> sent = send();
  if (!sent) return std::unexpected(sent.error());
  if (const auto come = sinks.await(*before, sent->frames); !come) return std::unexpected(come.error());
  const auto after = sinks.received();
  if (!after) return std::unexpected(after.error());
  Received arrived;
  for (std::size_t port = 0; port < after->size(); ++port) {
    arrived.push_back((*after)[port] - (*before)[port]);
  }
  return arrived;
}

/// All of a batch at this sink, and nothing at the other one.
Expected<void> verify_batch_at(std::uint32_t port, const Expected<Received>& arrived) {
  if (!arrived) return std::unexpected(arrived.error());
  if ((*arrived)[port] != kBatch || (*arrived)[1 - port] != 0) {
    return failure(
        "look where the frames went", 0,
        fmt::format("{} and {} came through the sinks, of {} for sink {}", (*arrived)[0], (*arrived)[1], kBatch, port));
  }
  return {};
}

}  // namespace

Expected<std::unique_ptr<Workload>> Retargeting::create(DevMapType type) {
  auto sinks = Sinks::create({.ports = 2});
  if (!sinks) return std::unexpected(sinks.error());
  auto route = Route::create({.type = type, .devices = 2, .on_miss = XDP_TX}, *sinks);
  if (!route) return std::unexpected(route.error());
  const auto drop = program_returning(XDP_DROP);
  if (!drop) return std::unexpected(drop.error());
  std::vector<XdpLink> links;
  for (const auto& [program, ifindex] : {std::pair{&route->program(), sinks->in1()}, std::pair{&*drop, sinks->in0()}}) {
    auto link = XdpLink::create(*program, {.ifindex = ifindex, .flags = XDP_FLAGS_DRV_MODE}).expected();
    if (!link) return std::unexpected(link.error());
    links.push_back(std::move(*link));
  }
  return std::unique_ptr<Workload>(new Retargeting(std::move(*sinks), std::move(*route), std::move(links)));
}

Expected<Sender::Sent> Retargeting::send(std::uint64_t frames, Clock clock) const {
  const auto frame = make_frame(kLength);
  xdp_md context{};
  context.data_end = kLength;
  context.ingress_ifindex = sinks_.in1();
  return Sender::run_live(route_.program(),
                          {.repeat = static_cast<std::uint32_t>(frames),
                           .flags = BPF_F_TEST_XDP_LIVE_FRAMES,
                           .batch_size = kBatch,
                           .data_in = frame,
                           .context_in = std::as_bytes(std::span(&context, 1))},
                          clock);
}

Expected<void> Retargeting::verify() {
  for (const std::uint32_t port : {1U, 0U}) {
    if (auto put = route_.map().update(0, {.ifindex = sinks_.target(port)}).expected(); !put) return put;
    const auto arrived = arrivals_of(sinks_, [this] { return send(kBatch, Clock::thread_time); });
    if (auto right = verify_batch_at(port, arrived); !right) return right;
  }
  return {};
}

Expected<Sample> Retargeting::run(std::uint64_t operations, Clock clock) {
  const auto processors = two_processors();
  if (!processors) return std::unexpected(processors.error());
  const auto before = sinks_.received();
  if (!before) return std::unexpected(before.error());
  const auto returned_before = device_state(sinks_.in0());
  if (!returned_before) return std::unexpected(returned_before.error());
  Expected<void> moving;
  Expected<void> sending;
  Sender::Sent sent;
  std::latch is_moving(1);
  {
    const auto mover = on_processor((*processors)[1], moving, [&](const std::stop_token& stop) -> Expected<void> {
      auto put = route_.map().update(0, {.ifindex = sinks_.target(1)}).expected();
      is_moving.count_down();
      for (std::uint32_t port = 0; put && !stop.stop_requested(); port = 1 - port) {
        put = route_.map().update(0, {.ifindex = sinks_.target(port)}).expected();
      }
      return put;
    });
    // Ends before the mover does: the one that was made last goes first.
    const auto sender = on_processor((*processors)[0], sending, [&](const std::stop_token&) -> Expected<void> {
      is_moving.wait();
      const auto done = send(operations, clock);
      if (!done) return std::unexpected(done.error());
      sent = *done;
      return {};
    });
  }
  if (!moving) return std::unexpected(moving.error());
  if (!sending) return std::unexpected(sending.error());
  const auto returned = device_state(sinks_.in0());
  if (!returned) return std::unexpected(returned.error());
  const auto missed = returned->received - returned_before->received;
  const auto come = sinks_.await(*before, sent.frames - missed);
  if (!come) return std::unexpected(come.error());
  return Sample{.operations = sent.frames,
                .spent = sent.spent,
                .frames = {.sent = sent.frames, .expected = sent.frames - missed, .delivered = *come}};
}

Expected<std::unique_ptr<Workload>> TwoProcessors::create(RouteSpec route_spec) {
  route_spec.devices = 2;
  auto sinks = Sinks::create({.ports = 2});
  if (!sinks) return std::unexpected(sinks.error());
  auto route = Route::create(route_spec, *sinks);
  if (!route) return std::unexpected(route.error());
  auto second = route->program_to(1, *sinks);
  if (!second) return std::unexpected(second.error());
  std::unique_ptr<TwoProcessors> made(new TwoProcessors(std::move(*sinks), std::move(*route), std::move(*second)));
  for (const auto& [port, ifindex] : {std::pair{0U, made->sinks_.in1()}, std::pair{1U, made->sinks_.in0()}}) {
    auto link = XdpLink::create(made->program(port), {.ifindex = ifindex, .flags = XDP_FLAGS_DRV_MODE}).expected();
    if (!link) return std::unexpected(link.error());
    made->links_.push_back(std::move(*link));
  }
  return std::unique_ptr<Workload>(std::move(made));
}

Expected<Sender::Sent> TwoProcessors::send(std::uint32_t port, std::uint64_t frames, Clock clock) const {
  const auto frame = make_frame(kLength);
  return Sender::run_live(program(port),
                          {.repeat = static_cast<std::uint32_t>(frames),
                           .flags = BPF_F_TEST_XDP_LIVE_FRAMES,
                           .batch_size = kBatch,
                           .data_in = frame},
                          clock);
}

Expected<void> TwoProcessors::verify() {
  for (const std::uint32_t port : {0U, 1U}) {
    const auto arrived = arrivals_of(sinks_, [&] { return send(port, kBatch, Clock::thread_time); });
    if (auto right = verify_batch_at(port, arrived); !right) return right;
  }
  return {};
}

Expected<Sample> TwoProcessors::run(std::uint64_t operations, Clock clock) {
  const auto processors = two_processors();
  if (!processors) return std::unexpected(processors.error());
  const auto before = sinks_.received();
  if (!before) return std::unexpected(before.error());
  std::array<Expected<void>, 2> outcomes;
  std::array<Sender::Sent, 2> sent;
  std::latch both_are_there(2);
  {
    std::array<std::jthread, 2> threads;
    for (std::uint32_t port = 0; port < 2; ++port) {
      threads.at(port) =
          on_processor((*processors)[port], outcomes.at(port), [&, port](const std::stop_token&) -> Expected<void> {
            both_are_there.arrive_and_wait();
            const auto done = send(port, operations / 2, clock);
            if (!done) return std::unexpected(done.error());
            sent.at(port) = *done;
            return {};
          });
    }
  }
  for (const auto& outcome : outcomes) {
    if (!outcome) return std::unexpected(outcome.error());
  }
  const auto frames = sent[0].frames + sent[1].frames;
  const auto come = sinks_.await(*before, frames);
  if (!come) return std::unexpected(come.error());
  return Sample{.operations = frames,
                .spent = sent[0].spent + sent[1].spent,
                .frames = {.sent = frames, .expected = frames, .delivered = *come}};
}

}  // namespace devmap::bench
