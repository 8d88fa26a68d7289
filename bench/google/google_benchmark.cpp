#include <bench/google/google_benchmark.hpp>

#include <bench/measure/prepared.hpp>
#include <bench/statistics/quantiles.hpp>

#include <benchmark/benchmark.h>

#include <fmt/format.h>
#include <algorithm>

namespace devmap::bench {
namespace {

class Runner {
 public:
  void run(const Benchmark& benchmark, benchmark::State& state) {
    if (const auto unmet = benchmark.unmet(); !unmet.empty()) {
      state.SkipWithError(unmet.c_str());
      return;
    }
    if (const auto measured = measure(benchmark, state); !measured) {
      failed_ = true;
      state.SkipWithError(measured.error().text().c_str());
    }
  }
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  Expected<void> measure(const Benchmark& benchmark, benchmark::State& state) {
    const auto workload = prepared_.workload_of(benchmark);
    if (!workload) return std::unexpected(workload.error());
    FrameCount frames;
    Expected<void> outcome;
    while (state.KeepRunningBatch(static_cast<benchmark::IterationCount>(benchmark.chunk))) {
      const auto sample = (*workload)->run(benchmark.chunk, Clock::thread_time);
      if (!sample) {
        outcome = std::unexpected(sample.error());
        break;
      }
      constexpr double kNanosecond = 1e-9;
      // A slope may come out below nothing where the machine is disturbed; Google Benchmark takes no such time.
      state.SetIterationTime(std::max(0.0, sample->spent) * kNanosecond);
      frames += sample->frames;
    }
    if (outcome) tell(benchmark, frames, state);
    return outcome;
  }

  static void tell(const Benchmark& benchmark, const FrameCount& frames, benchmark::State& state) {
    const auto& facts = benchmark.facts;
    state.SetLabel(facts.text());
    const auto count = [&](const char* name, auto value) {
      if (value != 0) state.counters[name] = static_cast<double>(value);
    };
    count("max_entries", facts.max_entries);
    count("frame_length", facts.frame_length);
    count("batch", facts.batch);
    count("sent", frames.sent);
    if (frames.sent > 0) {
      state.counters["delivered"] = static_cast<double>(frames.delivered);
      state.counters["late"] = static_cast<double>(frames.late);
    }
    if (frames.is_void()) {
      state.SkipWithError(
          fmt::format("void: {} frames were delivered, of {} expected", frames.delivered, frames.expected).c_str());
    }
  }

  Prepared prepared_;
  bool failed_ = false;
};

double p10(const std::vector<double>& values) {
  return quantile(values, 0.1);
}
double p90(const std::vector<double>& values) {
  return quantile(values, 0.9);
}

}  // namespace

bool take_google_flags(std::vector<std::string> arguments) {
  // It keeps the name.
  static std::string program = "devmap-bench";
  std::vector<char*> words = {program.data()};
  for (auto& argument : arguments) words.push_back(argument.data());
  int count = static_cast<int>(words.size());
  words.push_back(nullptr);
  benchmark::Initialize(&count, words.data());
  return !benchmark::ReportUnrecognizedArguments(count, words.data());
}

bool run_google_benchmark(const std::map<std::string, std::string>& context) {
  for (const auto& [name, value] : context) benchmark::AddCustomContext(name, value);
  Runner runner;
  for (const auto& one : all_benchmarks()) {
    benchmark::RegisterBenchmark(one.name.c_str(), [&runner, &one](benchmark::State& state) { runner.run(one, state); })
        ->UseManualTime()
        ->ComputeStatistics("p10", p10)
        ->ComputeStatistics("p90", p90);
  }
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return !runner.failed();
}

}  // namespace devmap::bench
