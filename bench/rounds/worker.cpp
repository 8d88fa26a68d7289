#include <bench/rounds/worker.hpp>

#include <bench/measure/canary.hpp>
#include <bench/measure/prepared.hpp>
#include <bench/measure/processors.hpp>
#include <bench/measure/quiet_moments.hpp>
#include <bench/statistics/canary_gate.hpp>

#include <algorithm>
#include <chrono>
#include <random>
#include <utility>
#include <vector>

namespace devmap::bench {
namespace {

/// A benchmark that is long must not use up the patience for all others.
constexpr std::uint32_t kMostDiscarded = 5;

/// Of a hundred pieces a tenth, and if there are only a few, two of them.
std::size_t fewest_undisturbed(std::uint32_t pieces) {
  return std::max(pieces / 10, std::min(pieces, 2U));
}

/// Frames and pieces of one attempt.
Expected<std::vector<Piece>> measure_pieces(Workload& workload, const Benchmark& benchmark, double canary,
                                            FrameCount& frames) {
  std::vector<Piece> pieces;
  frames = {};
  const auto operations = benchmark.piece > 0 ? benchmark.piece : benchmark.chunk;
  for (std::uint32_t nth = 0; nth < benchmark.pieces; ++nth) {
    const auto measured = workload.run(operations, Clock::thread_time);
    if (!measured) return std::unexpected(measured.error());
    const double after = nth + 1 < benchmark.pieces ? run_brief_canary() : run_canary();
    pieces.push_back({.time = measured->each(), .canaries = {.before = canary, .after = after}});
    canary = after;
    frames += measured->frames;
  }
  return pieces;
}

/// Whether that is a sample.
bool tell(const std::vector<Piece>& pieces, double steady, TakenSample& sample) {
  const auto told = undisturbed(pieces, steady, fewest_undisturbed(static_cast<std::uint32_t>(pieces.size())));
  sample.hindered = !told;
  if (!told) return false;
  sample.each = told->time;
  sample.canaries = Canaries{.before = told->canary, .after = told->canary};
  return true;
}

Expected<void> measure(Workload& workload, const Benchmark& benchmark, QuietMoments& quiet, TakenSample& sample) {
  for (;; ++sample.discarded) {
    if (auto stays = stay_on_quietest_processor(); !stays) return stays;
    const double before = quiet.await();
    const auto begun = quiet.now();
    const auto pieces = measure_pieces(workload, benchmark, before, sample.frames);
    if (!pieces) return std::unexpected(pieces.error());
    quiet.saw(pieces->back().canaries.after);
    if (tell(*pieces, quiet.steady(), sample) || sample.discarded == kMostDiscarded || !quiet.bears(begun)) return {};
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
