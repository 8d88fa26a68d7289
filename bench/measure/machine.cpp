#include <bench/measure/machine.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <algorithm>
#include <chrono>
#include <harness/base/file.hpp>
#include <harness/spec/context.hpp>
#include <limits>
#include <sstream>

namespace devmap::bench {
namespace {

std::string processor_model() {
  const auto text = read_file("/proc/cpuinfo");
  if (!text) return "unknown";
  std::istringstream lines(*text);
  for (std::string line; std::getline(lines, line);) {
    const auto colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown";
}

std::string joined(const std::map<std::string, std::string>& facts) {
  std::vector<std::string> words;
  words.reserve(facts.size());
  for (const auto& [name, value] : facts) words.push_back(fmt::format("{}={}", name, value));
  return fmt::format("{}", fmt::join(words, "; "));
}

/// Some processors carry out additions of constants several at a time, though each needs the last.
std::uint64_t kept_in_a_register(std::uint64_t constant) noexcept {
  asm volatile("" : "+r"(constant));
  return constant;
}

}  // namespace

double measured_clock() noexcept {
  constexpr int kAttempts = 20;
  constexpr int kAdditions = 64'000;
  double best = std::numeric_limits<double>::infinity();
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const auto begin = std::chrono::steady_clock::now();
    std::uint64_t sum = 0;
    const auto step = kept_in_a_register(1);
#pragma GCC unroll 64
    for (int addition = 0; addition < kAdditions; ++addition) {
      sum += step;
      asm volatile("" : "+r"(sum));  // or the compiler would add them up
    }
    const std::chrono::duration<double, std::nano> spent = std::chrono::steady_clock::now() - begin;
    best = std::min(best, spent.count() / kAdditions);
  }
  return 1 / best;
}

std::map<std::string, std::string> machine_context(const std::vector<Obstacle>& obstacles) {
  const auto run = context_of_this_machine();
  const auto suite = suite_of_this_build();
  std::vector<std::string> hindered;
  std::ranges::transform(obstacles, std::back_inserter(hindered), &Obstacle::what);
  return {{"kernel", run.release},
          {"kernel_version", run.version},
          {"machine", run.machine},
          {"configuration", joined(run.config)},
          {"mitigations", joined(run.mitigations)},
          {"jit", run.jit},
          {"cpu", processor_model()},
          {"clock", fmt::format("{:.2f} GHz", measured_clock())},
          {"suite_version", suite.version},
          {"suite_commit", suite.commit},
          {"started", run.started},
          {"obstacles", fmt::format("{}", fmt::join(hindered, "; "))}};
}

}  // namespace devmap::bench
