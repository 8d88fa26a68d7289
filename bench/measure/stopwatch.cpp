#include <bench/measure/stopwatch.hpp>

#include <ctime>

namespace devmap::bench {

std::uint64_t Stopwatch::read(Clock clock) noexcept {
#if defined(__x86_64__)
  if (clock == Clock::ticks) {
    // Not before all that came before it is done.
    asm volatile("lfence" ::: "memory");
    return __builtin_ia32_rdtsc();
  }
#else
  (void)clock;
#endif
  constexpr std::uint64_t kSecond = 1'000'000'000;
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * kSecond + static_cast<std::uint64_t>(now.tv_nsec);
}

}  // namespace devmap::bench
