#include <bench/measure/instruction_clock.hpp>

#include <bench/measure/stopwatch.hpp>

#include <time.h>

#include <algorithm>
#include <limits>

namespace devmap::bench {
namespace {

/// The least of several: what disturbs a count only adds to it.
template <class Work>
double least_ticks(Work work) noexcept {
  constexpr int kAttempts = 32;
  double least = std::numeric_limits<double>::infinity();
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const Stopwatch stopwatch(Clock::ticks);
    work();
    least = std::min(least, stopwatch.spent());
  }
  return least;
}

}  // namespace

bool ticks_are_instructions() noexcept {
#if defined(__x86_64__)
  constexpr double kMore = 3000;
  const double few = least_ticks([] { asm volatile(".rept 1000\n\tnop\n\t.endr"); });
  const double many = least_ticks([] { asm volatile(".rept 4000\n\tnop\n\t.endr"); });
  return many - few == kMore;
#else
  return false;
#endif
}

double ticks_of_stopwatch() noexcept {
  return least_ticks([] {});
}

void let_kernel_free() noexcept {
  constexpr timespec kGracePeriods = {.tv_sec = 0, .tv_nsec = 20'000'000};
  nanosleep(&kGracePeriods, nullptr);
}

}  // namespace devmap::bench
