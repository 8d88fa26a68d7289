#include <bench/rounds/worker.hpp>

#include <bench/measure/canary.hpp>
#include <bench/measure/prepared.hpp>
#include <bench/statistics/quantiles.hpp>

#include <algorithm>
#include <random>
#include <utility>

namespace devmap::bench {
namespace {

/// The canary goes before and after.
Expected<void> measure(Workload& workload, const Benchmark& benchmark, TakenSample& sample) {
  std::vector<double> pieces;
  sample.canaries.before = run_canary();
  for (std::uint32_t piece = 0; piece < benchmark.chunks; ++piece) {
    const auto measured = workload.run(benchmark.chunk, Clock::thread_time);
    if (!measured) return std::unexpected(measured.error());
    pieces.push_back(measured->each());
    sample.frames += measured->frames;
  }
  sample.canaries.after = run_canary();
  constexpr double kUndisturbed = 0.1;
  sample.each = quantile(pieces, kUndisturbed);
  return {};
}

TakenSample take(const Benchmark& benchmark, Prepared& prepared) {
  TakenSample sample{.benchmark = benchmark.name};
  sample.unmet = benchmark.unmet();
  if (!sample.unmet.empty()) return sample;
  const auto workload = prepared.workload_of(benchmark);
  const auto measured = workload ? measure(**workload, benchmark, sample) : std::unexpected(workload.error());
  if (!measured) sample.fault = measured.error().text();
  return sample;
}

}  // namespace

void take_rounds(const WorkerSpec& spec, const std::function<void(const TakenSample&)>& took) {
  struct Turn {
    const Benchmark* benchmark;
    std::uint32_t copy;
  };
  std::vector<Turn> turns;
  for (const auto* benchmark : spec.benchmarks) {
    for (const std::uint32_t copy : {0U, 1U}) turns.push_back({.benchmark = benchmark, .copy = copy});
  }
  std::mt19937_64 random(spec.seed);
  Prepared prepared;
  for (std::uint32_t round = 0; round < spec.rounds; ++round) {
    std::ranges::shuffle(turns, random);
    for (const auto& turn : turns) {
      auto sample = take(*turn.benchmark, prepared);
      sample.round = spec.first_round + round;
      sample.copy = turn.copy;
      took(sample);
    }
  }
}

}  // namespace devmap::bench
