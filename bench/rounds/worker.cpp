#include <bench/rounds/worker.hpp>

#include <bench/measure/canary.hpp>
#include <bench/measure/prepared.hpp>
#include <bench/measure/quiet_moments.hpp>
#include <bench/statistics/quantiles.hpp>

#include <algorithm>
#include <chrono>
#include <random>
#include <utility>

namespace devmap::bench {
namespace {

/// A benchmark that is long must not use up the patience for all others.
constexpr std::uint32_t kMostDiscarded = 5;

Expected<void> measure_once(Workload& workload, const Benchmark& benchmark, TakenSample& sample) {
  std::vector<double> pieces;
  sample.frames = {};
  for (std::uint32_t piece = 0; piece < benchmark.chunks; ++piece) {
    const auto measured = workload.run(benchmark.chunk, Clock::thread_time);
    if (!measured) return std::unexpected(measured.error());
    pieces.push_back(measured->each());
    sample.frames += measured->frames;
  }
  sample.each = undisturbed(pieces);
  return {};
}

Expected<void> measure(Workload& workload, const Benchmark& benchmark, QuietMoments& quiet, TakenSample& sample) {
  for (;; ++sample.discarded) {
    const double before = quiet.await();
    const auto begun = quiet.now();
    if (auto measured = measure_once(workload, benchmark, sample); !measured) return measured;
    sample.canaries = Canaries{.before = before, .after = run_canary()};
    if (quiet.had(*sample.canaries) || sample.discarded == kMostDiscarded || !quiet.bears(begun)) return {};
  }
}

TakenSample take(const Benchmark& benchmark, Prepared& prepared, QuietMoments& quiet) {
  TakenSample sample{.benchmark = benchmark.name};
  sample.unmet = benchmark.unmet();
  if (!sample.unmet.empty()) return sample;
  const auto workload = prepared.workload_of(benchmark);
  const auto measured = workload ? measure(**workload, benchmark, quiet, sample) : std::unexpected(workload.error());
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
  QuietMoments quiet(std::chrono::duration<double>(spec.patience));
  for (std::uint32_t round = 0; round < spec.rounds; ++round) {
    std::ranges::shuffle(turns, random);
    for (const auto& turn : turns) {
      auto sample = take(*turn.benchmark, prepared, quiet);
      sample.round = spec.first_round + round;
      sample.copy = turn.copy;
      took(sample);
    }
  }
}

}  // namespace devmap::bench
