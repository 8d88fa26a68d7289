#pragma once

#include <bench/measure/benchmark.hpp>
#include <bench/rounds/taken.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace devmap::bench {

/// What one process does.
struct WorkerSpec {
  std::vector<const Benchmark*> benchmarks = {};
  std::uint32_t first_round = 0;
  std::uint32_t rounds = 1;
  /// Of the order of each round.
  std::uint64_t seed = 1;
  /// Seconds for which it may wait for moments in which the processor is undisturbed, what must be taken again
  /// included.
  double patience = 0;
};

/// Takes the samples of some rounds, every benchmark twice in each, in random order. Each goes to `took` as soon as it
/// is there. The calling thread changes its network namespace.
void take_rounds(const WorkerSpec& spec, const std::function<void(const TakenSample&)>& took);

}  // namespace devmap::bench
