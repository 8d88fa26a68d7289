#include <bench/google/google_benchmark.hpp>
#include <bench/measure/machine.hpp>
#include <bench/measure/processors.hpp>
#include <bench/preflight/obstacles.hpp>

#include <fmt/format.h>
#include <algorithm>
#include <cstdio>
#include <exception>
#include <harness/spec/preflight.hpp>
#include <string>
#include <string_view>
#include <vector>

// devmap-bench: what device maps cost.
namespace devmap::bench {
namespace {

constexpr int kFailed = 1;
constexpr int kNothingCouldRun = 4;
constexpr int kUsage = 64;
constexpr int kBroken = 70;
constexpr std::string_view kDespite = "--despite-obstacles";

constexpr const char* kHelp = R"(devmap-bench: what device maps cost on this kernel

  devmap-bench [--despite-obstacles] [flags of Google Benchmark]

    --despite-obstacles          measure also where figures would be about something else; they say so
    --benchmark_list_tests       the names of all benchmarks
    --benchmark_filter=REGEX     those whose names it matches; and what else Google Benchmark has:

)";

/// False where nothing is to be measured.
bool may_measure(const std::vector<Obstacle>& found, bool despite) {
  for (const auto& obstacle : found) {
    const bool hinders = obstacle.weight == Obstacle::Weight::refuses;
    fmt::print(stderr, "devmap-bench: {}{}; {}\n", hinders && !despite ? "refused: " : "note: ", obstacle.what,
               obstacle.remedy);
  }
  if (!refuses(found) || despite) return true;
  fmt::print(stderr, "devmap-bench: nothing was measured; {} measures all the same\n", kDespite);
  return false;
}

bool has(const std::vector<std::string>& arguments, std::string_view word) {
  return std::ranges::find(arguments, word) != arguments.end();
}

int run(std::vector<std::string> arguments) {
  const bool despite = std::erase(arguments, kDespite) > 0;
  if (has(arguments, "--help")) {
    fmt::print("{}", kHelp);
    std::fflush(stdout);
  }
  if (!take_google_flags(arguments)) return kUsage;
  if (has(arguments, "--benchmark_list_tests") || has(arguments, "--benchmark_list_tests=true")) {
    return run_google_benchmark({}) ? 0 : kBroken;
  }
  if (const auto possible = preflight(); possible.presence != Presence::present) {
    fmt::print(stderr, "devmap-bench: nothing can be measured: {}; run it as root\n", possible.text);
    return kNothingCouldRun;
  }
  // Before this thread stays on one of them.
  (void)own_processors();
  if (const auto stays = stay_on_first_processor(); !stays) {
    fmt::print(stderr, "devmap-bench: {}\n", stays.error().text());
    return kBroken;
  }
  const auto found = obstacles(Surroundings::of_this_machine());
  if (!may_measure(found, despite)) return kNothingCouldRun;
  return run_google_benchmark(machine_context(found)) ? 0 : kFailed;
}

}  // namespace
}  // namespace devmap::bench

int main(int argc, char** argv) {
  try {
    return devmap::bench::run(std::vector<std::string>(argv + 1, argv + argc));
  } catch (const std::exception& fault) {
    fmt::print(stderr, "devmap-bench: {}\n", fault.what());
    return devmap::bench::kBroken;
  }
}
