#include <bench/instructions/count.hpp>

#include <bench/measure/instruction_clock.hpp>

#include <fmt/format.h>
#include <algorithm>
#include <limits>

namespace devmap::bench {
namespace {

/// A timer interrupt comes every few million instructions, so that most pieces are without one.
constexpr int kPieces = 32;
constexpr std::uint64_t kCallsOfPiece = 64;
/// Whole batches, for as many frames as a page pool and the ring of a veth device hold to be in use.
constexpr std::uint64_t kFewFrames = 256;
constexpr std::uint64_t kManyFrames = 512;
constexpr int kPiecesOfFrames = 16;

Expected<double> least_spent(Workload& workload, std::uint64_t operations, int pieces) {
  double least = std::numeric_limits<double>::infinity();
  for (int piece = 0; piece < pieces; ++piece) {
    const auto sample = workload.run(operations, Clock::ticks);
    if (!sample) return std::unexpected(sample.error());
    const auto& frames = sample->frames;
    if (frames.is_void() || frames.late > 0 || sample->operations != operations) {
      return failure("count", 0,
                     fmt::format("{} of {} frames were delivered, {} of them only after the call that sent them",
                                 frames.delivered, frames.expected, frames.late));
    }
    least = std::min(least, sample->spent);
  }
  return least;
}

Expected<double> count_frames(Workload& workload) {
  const auto few = least_spent(workload, kFewFrames, kPiecesOfFrames);
  if (!few) return few;
  const auto many = least_spent(workload, kManyFrames, kPiecesOfFrames);
  if (!many) return many;
  return (*many - *few) / static_cast<double>(kManyFrames - kFewFrames);
}

}  // namespace

Expected<double> count_instructions(Workload& workload, const Benchmark& benchmark) {
  if (benchmark.facts.frame_length != 0) return count_frames(workload);
  if (benchmark.by_slope) {
    const auto sample = workload.run(benchmark.chunk, Clock::ticks);
    if (!sample) return std::unexpected(sample.error());
    return sample->each();
  }
  const auto calls = least_spent(workload, kCallsOfPiece, kPieces);
  if (!calls) return calls;
  return (*calls - ticks_of_stopwatch()) / static_cast<double>(kCallsOfPiece);
}

}  // namespace devmap::bench
