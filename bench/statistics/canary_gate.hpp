#pragma once

#include <span>
#include <vector>

namespace devmap::bench {

/// How fast the canary, a loop whose speed depends on nothing but the processor, ran right before and right after a
/// sample, in nanoseconds an instruction.
struct Canaries {
  double before = 0;
  double after = 0;
};

/// Lets samples through that were taken while the processor was at its own speed. A neighbour on the same hardware
/// slows some code more than other code, so that even a ratio that was taken meanwhile is wrong.
///
/// That speed is the one that most canaries agree on, not the fastest of all: after a pause a processor's clock is
/// higher for a moment than it stays under load. A neighbour for most of the time is not taken for the processor's own
/// speed, as it slows the canary by more than the clock can.
class CanaryGate {
 public:
  /// How far apart canaries of the same speed may be: steps of 100 MHz are about 3 %.
  static constexpr double kSpread = 1.08;
  /// What the clock alone may change. A neighbour on the same core was seen to take 1.5 times as long and more.
  static constexpr double kClockRange = 1.3;

  /// There must be a canary.
  explicit CanaryGate(std::span<const Canaries> canaries);

  /// The fastest canary at the processor's own speed, nanoseconds an instruction.
  [[nodiscard]] double steady() const noexcept { return steady_; }
  [[nodiscard]] bool lets_through(const Canaries& canaries) const noexcept;

 private:
  double steady_;
};

/// Whether a canary is slower than the clock alone can make it, by what the fastest was.
[[nodiscard]] constexpr bool shows_neighbour(double canary, double fastest) noexcept {
  return canary > fastest * CanaryGate::kClockRange;
}

/// The speed that most of these canaries agree on, as CanaryGate has it; there must be one.
[[nodiscard]] double steady_canary(std::vector<double> canaries);

}  // namespace devmap::bench
