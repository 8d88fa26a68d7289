#include <bench/measure/canary.hpp>

#include <algorithm>
#include <chrono>
#include <limits>

namespace devmap::bench {
namespace {

constexpr int kInstructions = 64;  // as many as the assembler is told to repeat
constexpr int kRounds = 1500;
/// So many that the processor has woken after a pause.
constexpr unsigned kAttempts = 12;

double one_attempt() noexcept {
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  for (int round = 0; round < kRounds; ++round) {
    asm volatile(".rept 64\n\tnop\n\t.endr" ::: "memory");
  }
  const std::chrono::duration<double, std::nano> spent = Clock::now() - begin;
  return spent.count() / (kRounds * kInstructions);
}

double best_of(unsigned attempts) noexcept {
  double best = std::numeric_limits<double>::infinity();
  for (unsigned attempt = 0; attempt < attempts; ++attempt) best = std::min(best, one_attempt());
  return best;
}

}  // namespace

double run_canary() noexcept {
  return best_canary(1);
}

double run_brief_canary() noexcept {
  constexpr unsigned kFewAttempts = 3;
  return best_of(kFewAttempts);
}

double best_canary(unsigned count) noexcept {
  return best_of(count * kAttempts);
}

}  // namespace devmap::bench
