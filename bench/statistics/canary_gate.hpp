#pragma once

#include <span>

namespace devmap::bench {

/// How fast the canary, a loop whose speed depends on nothing but the processor, ran right before and right after a
/// sample, in nanoseconds an instruction.
struct Canaries {
  double before = 0;
  double after = 0;
};

/// Lets samples through that were taken while the processor was at its own speed. A neighbour on the same hardware
/// slows some code more than other code, so that even a ratio that was taken meanwhile is wrong.
class CanaryGate {
 public:
  /// How much slower than at its best the canary may be.
  static constexpr double kLimit = 1.06;

  /// The best is the fastest of all these canaries; there must be one. `known_best`, where not 0, is that of earlier
  /// ones and counts as well.
  explicit CanaryGate(std::span<const Canaries> canaries, double limit = kLimit, double known_best = 0);

  [[nodiscard]] double best() const noexcept { return best_; }
  [[nodiscard]] bool lets_through(const Canaries& canaries) const noexcept;

 private:
  double best_;
  double limit_;
};

}  // namespace devmap::bench
