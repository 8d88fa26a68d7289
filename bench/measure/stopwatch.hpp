#pragma once

#include <cstdint>

namespace devmap::bench {

/// What is counted while something is measured.
enum class Clock : std::uint8_t {
  /// Nanoseconds of CPU time of the calling thread, the softirqs it runs included (CLOCK_THREAD_CPUTIME_ID).
  thread_time,
  /// Ticks of the processor's time stamp counter. In a virtual machine whose time is counted in instructions
  /// (QEMU's -icount shift=0) a tick is an instruction; idle time counts as well. x86-64 only: elsewhere as above.
  ticks,
};

/// Starts when it is made.
class Stopwatch {
 public:
  explicit Stopwatch(Clock clock) noexcept : clock_(clock), start_(read(clock)) {}
  [[nodiscard]] double spent() const noexcept { return static_cast<double>(read(clock_) - start_); }

 private:
  [[nodiscard]] static std::uint64_t read(Clock clock) noexcept;
  Clock clock_;
  std::uint64_t start_;
};

}  // namespace devmap::bench
