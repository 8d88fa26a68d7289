#include <bench/peer/turn.hpp>

#include <bench/measure/canary.hpp>
#include <bench/peer/forwarder.hpp>
#include <bench/peer/pace.hpp>
#include <bench/rounds/interruption.hpp>

#include <poll.h>
#include <sched.h>

#include <fmt/format.h>
#include <chrono>
#include <csignal>
#include <functional>
#include <harness/base/own_thread.hpp>
#include <harness/base/processor.hpp>
#include <harness/net/device_state.hpp>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace devmap::bench {
namespace {

/// Turns that are taken again, at most.
constexpr std::uint32_t kMostDiscarded = 3;
/// Undisturbed pieces of a run that it takes to tell a pace.
constexpr std::size_t kFewestPieces = 10;
/// What a generator may take; more is a hang.
constexpr std::chrono::minutes kLimit(5);

struct Generated {
  double cpu_seconds = 0;
  double ksoftirqd_seconds = 0;
  /// How far it was from time to time.
  std::vector<Look> looks = {};
  FrameCount frames = {};
};

Expected<vm::Invocation> generator(const PeerSpec& spec, Side side, std::uint32_t ifindex, std::uint32_t frames) {
  if (side == Side::ours) {
    return vm::Invocation{.program = "/proc/self/exe",
                          .arguments = {"generate", "--ifindex", std::to_string(ifindex), "--frames",
                                        std::to_string(frames), "--processor", std::to_string(spec.processor)}};
  }
  const auto device = device_state(ifindex);
  if (!device) return std::unexpected(device.error());
  // It ends when it next prints its statistics: here after a second.
  return spec.tools->trafficgen({"udp", "--num-packets", std::to_string(frames), "--interval", "1", device->name});
}

/// Waits until a program has ended and looks at it meanwhile. False where a signal came first, or it seems to hang.
bool watch(const vm::Process& process, const std::function<void()>& look) {
  using Clock = std::chrono::steady_clock;
  constexpr int kLookMilliseconds = 5;
  const auto deadline = Clock::now() + kLimit;
  pollfd ended{.fd = process.ended_descriptor(), .events = POLLIN, .revents = 0};
  while (signal_that_came() == 0 && Clock::now() < deadline) {
    if (poll(&ended, 1, kLookMilliseconds) == 1) return true;
    look();
  }
  return false;
}

/// Frames that have come in where the generator sends them.
Expected<std::uint64_t> come_in(const PeerPath& path, const Sinks& sinks) {
  const auto state = device_state(path.forwards() ? sinks.in1() : sinks.sink(0));
  if (!state) return std::unexpected(state.error());
  return state->received;
}

Expected<Generated> generate(const PeerSpec& spec, const PeerPath& path, Side side, const Sinks& sinks,
                             std::uint32_t frames) {
  const auto before = sinks.received();
  if (!before) return std::unexpected(before.error());
  const auto in_before = come_in(path, sinks);
  if (!in_before) return std::unexpected(in_before.error());
  const auto invocation = generator(spec, side, path.forwards() ? sinks.in0() : sinks.target(0), frames);
  if (!invocation) return std::unexpected(invocation.error());
  const auto softirqs_before = seconds_of(spec.ksoftirqd);
  auto process = vm::Process::start(*invocation);
  if (!process) return std::unexpected(process.error());
  const GeneratorClocks clocks{.process = clock_of(process->pid()), .ksoftirqd = spec.ksoftirqd};
  std::vector<Look> looks;
  bool ended = false;
  // Ahead of the generator: the canary is of its processor, and neither frames nor its time pass during a look.
  const auto watched = on_own_thread([&] { return claim_processor(spec.processor); },
                                     [&] {
                                       ended = watch(*process, [&] {
                                         const auto look = look_at(clocks, [&] { return come_in(path, sinks); });
                                         if (look) looks.push_back(*look);
                                       });
                                     });
  if (!ended) process->send(SIGKILL);
  const auto finished = process->wait();
  if (!watched) return std::unexpected(watched.error());
  const auto* const program = side == Side::ours ? "devmap-bench generate" : "xdp-trafficgen";
  if (!ended && signal_that_came() == 0) return failure(program, 0, "it did not end, and was ended");
  Generated generated{.cpu_seconds = std::chrono::duration<double>(finished.cpu_time).count(),
                      .looks = std::move(looks)};
  generated.frames = {.sent = frames, .expected = frames * path.copies()};
  const auto delivered = sinks.await(*before, generated.frames.expected);
  if (!delivered) return std::unexpected(delivered.error());
  generated.frames.delivered = *delivered;
  generated.ksoftirqd_seconds = seconds_of(spec.ksoftirqd) - softirqs_before;
  const auto in_after = come_in(path, sinks);
  if (!in_after) return std::unexpected(in_after.error());
  // xdp-trafficgen ends with 1 where all went well, so that frames are what tells.
  if (signal_that_came() == 0 && *in_after - *in_before != frames) {
    return failure(program, 0,
                   fmt::format("{} frames came in of {}; it ended with {}: {}", *in_after - *in_before, frames,
                               finished.exit_code, finished.err));
  }
  return generated;
}

struct Turn {
  Generated few = {};
  Generated all = {};
  /// CPU nanoseconds a frame takes what generates it, once it does.
  double frame = 0;
  Canaries canaries = {};
  std::set<std::string> maps = {};
  QuietMoments::TimePoint begun = {};
  bool disturbed = false;
};

/// Of a run that is too short to be looked at: what it takes more than one for few frames.
double frame_beyond(const Generated& few, const Generated& all) {
  const auto seconds = all.cpu_seconds + all.ksoftirqd_seconds - few.cpu_seconds - few.ksoftirqd_seconds;
  return seconds * kNanoseconds / static_cast<double>(all.frames.sent - few.frames.sent);
}

void tell_pace(Turn& turn, QuietMoments& quiet, double canary_before) {
  turn.canaries = {.before = canary_before, .after = run_canary()};
  const bool quiet_at_both_ends = quiet.had(turn.canaries);
  const auto pieces = pieces_between(turn.all.looks);
  if (const auto frame = undisturbed(pieces, quiet.steady(), kFewestPieces)) {
    turn.frame = frame->time;
    turn.canaries = {.before = frame->canary, .after = frame->canary};
  } else {
    turn.frame = frame_beyond(turn.few, turn.all);
    turn.disturbed = !quiet_at_both_ends || pieces.size() >= kFewestPieces;
  }
}

/// Runs for few frames, of which the shortest: nothing makes starting take less, and it is over too soon to be looked
/// at.
Expected<Generated> start_up(const PeerSpec& spec, const PeerPath& path, Side side, const Sinks& sinks) {
  constexpr int kRuns = 3;
  std::optional<Generated> shortest;
  for (int run = 0; run < kRuns; ++run) {
    auto few = generate(spec, path, side, sinks, kFewFrames);
    if (!few) return few;
    if (signal_that_came() != 0) return few;
    if (few->frames.is_void()) {
      return failure("look where the frames went", 0,
                     fmt::format("{} arrived of {}", few->frames.delivered, few->frames.expected));
    }
    if (!shortest || few->cpu_seconds < shortest->cpu_seconds) shortest = std::move(*few);
  }
  return std::move(*shortest);
}

Expected<Turn> measure(const PeerSpec& spec, const PeerPath& path, Side side) {
  if (unshare(CLONE_NEWNET) != 0) return last_error("unshare(CLONE_NEWNET)");
  const auto sinks = Sinks::create({.ports = path.route.devices});
  if (!sinks) return std::unexpected(sinks.error());
  auto forwarder = Forwarder::start(path, side, *sinks, *spec.tools, spec.other_processor);
  if (!forwarder) return std::unexpected(forwarder.error());
  auto few = start_up(spec, path, side, *sinks);
  if (!few) return std::unexpected(few.error());
  auto maps = forwarder->device_maps();
  if (!maps) return std::unexpected(maps.error());
  Turn turn{.few = std::move(*few), .maps = std::move(*maps)};
  const double canary = spec.quiet->await();
  turn.begun = spec.quiet->now();
  auto all = generate(spec, path, side, *sinks, spec.frames);
  if (!all) return std::unexpected(all.error());
  turn.all = std::move(*all);
  tell_pace(turn, *spec.quiet, canary);
  if (auto stopped = forwarder->stop(); !stopped) return std::unexpected(stopped.error());
  return turn;
}

}  // namespace

PeerNames peer_names(const PeerPath& path, Side side) {
  const auto whole = fmt::format("{}/{}", path.name, side == Side::ours ? "ours" : "xdp-tools");
  return {.whole = whole, .without_start_up = whole + "/without start-up", .start_up = whole + "/start-up"};
}

TakenTurn take_turn(const PeerSpec& spec, const PeerPath& path, Side side) {
  const auto names = peer_names(path, side);
  auto turn = measure(spec, path, side);
  std::uint32_t discarded = 0;
  while (turn && turn->disturbed && discarded < kMostDiscarded && spec.quiet->bears(turn->begun)) {
    turn = measure(spec, path, side);
    ++discarded;
  }
  if (!turn) return {.samples = {{.benchmark = names.whole, .fault = turn.error().text()}}};
  const auto& [few, all, frame, canaries, maps, begun, disturbed] = *turn;
  const double whole = frame + few.cpu_seconds * kNanoseconds / kFramesOfWhole;
  TakenTurn taken{
      .samples = {{.benchmark = names.whole, .each = whole, .canaries = canaries, .frames = all.frames},
                  {.benchmark = names.without_start_up, .each = frame, .canaries = canaries, .frames = all.frames},
                  {.benchmark = names.start_up, .each = few.cpu_seconds * kNanoseconds, .frames = few.frames}},
      .facts = {.maps = maps, .cpu_seconds = all.cpu_seconds, .ksoftirqd_seconds = all.ksoftirqd_seconds}};
  for (auto& sample : taken.samples) {
    sample.hindered = disturbed;
    sample.discarded = discarded;
  }
  return taken;
}

}  // namespace devmap::bench
