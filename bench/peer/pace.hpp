#pragma once

#include <bench/measure/canary.hpp>
#include <bench/statistics/canary_gate.hpp>
#include <harness/base/error.hpp>

#include <time.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

namespace devmap::bench {

/// The clocks of CPU time that goes into generating frames.
struct GeneratorClocks {
  std::optional<clockid_t> process = {};
  /// Of the kernel's thread that takes softirqs over from it.
  std::optional<clockid_t> ksoftirqd = {};
};

/// How far a generator is.
struct Look {
  /// Seconds of both clocks.
  double cpu_seconds = 0;
  /// Frames that have come in where it sends them.
  std::uint64_t frames = 0;
  /// Right after that.
  double canary = 0;
};

/// Looks at a generator that runs, from its own processor. Nothing where frames and time could not be had in the same
/// moment, or the process has ended.
[[nodiscard]] std::optional<Look> look_at(const GeneratorClocks& clocks,
                                          const std::function<Expected<std::uint64_t>()>& come_in,
                                          const std::function<double()>& canary = run_canary);

/// In a second.
inline constexpr double kNanoseconds = 1e9;

/// What a frame took between two looks each, CPU nanoseconds; nothing of those between which none came in.
[[nodiscard]] std::vector<Piece> pieces_between(std::span<const Look> looks);

}  // namespace devmap::bench
