#pragma once

#include <harness/base/error.hpp>

#include <time.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <span>

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
};

/// Looks at a generator that runs, from another processor. Nothing where frames and time could not be had in the same
/// moment, or the process has ended.
[[nodiscard]] std::optional<Look> look_at(const GeneratorClocks& clocks,
                                          const std::function<Expected<std::uint64_t>()>& come_in);

/// Stretches between two looks that it takes to tell a rate.
inline constexpr std::size_t kFewestStretches = 10;

/// Frames a CPU second, as a tenth of the stretches between looks are faster: what a neighbour slows is not told, as
/// long as it does not do so all the time. Nothing where frames came in during fewer stretches.
[[nodiscard]] std::optional<double> undisturbed_rate(std::span<const Look> looks);

}  // namespace devmap::bench
