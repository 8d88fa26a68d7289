#pragma once

#include <bench/measure/quiet_moments.hpp>
#include <bench/peer/path.hpp>
#include <bench/peer/side_facts.hpp>
#include <bench/peer/tools.hpp>
#include <bench/rounds/taken.hpp>

#include <cstdint>
#include <optional>
#include <vector>

namespace devmap::bench {

/// The names under which the samples of a path and a side go, in evaluate().
struct PeerNames {
  /// CPU time a frame of a process that generates kFramesOfWhole at the pace below, from its start to its end.
  std::string whole;
  /// CPU time a frame while it generates, what ksoftirqd takes over included; of the stretches of a run that nobody
  /// outside disturbs (pace.hpp).
  std::string without_start_up;
  /// CPU time of a run for few frames.
  std::string start_up;
};
[[nodiscard]] PeerNames peer_names(const PeerPath& path, Side side);

/// Frames of a run that shows what starting costs, and that frames come where they should; a whole batch.
inline constexpr std::uint32_t kFewFrames = 64;

/// How many frames share what starting costs.
inline constexpr std::uint32_t kFramesOfWhole = 10'000'000;

struct PeerSpec {
  const XdpTools* tools = nullptr;
  QuietMoments* quiet = nullptr;
  /// Of a run; whole batches of 64.
  std::uint32_t frames = 3'000'000;
  /// What xdp-trafficgen sends on, and where xdp-bench may print.
  unsigned processor = 0;
  unsigned other_processor = 0;
  /// Of the first of the two.
  std::optional<clockid_t> ksoftirqd = {};
};

struct TakenTurn {
  /// Three samples, of the names above; what went wrong is in them.
  std::vector<TakenSample> samples = {};
  SideFacts facts = {};
};

/// One turn: in a new network namespace, which the calling thread then is in, what one side sends and forwards by, some
/// times for few frames, of which the shortest counts, and once for all. Of a run that is too short to be looked at,
/// the pace is that of all of it. The calling thread must stay on the processor that frames are sent on.
[[nodiscard]] TakenTurn take_turn(const PeerSpec& spec, const PeerPath& path, Side side);

}  // namespace devmap::bench
