#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace devmap::bench {

/// How fast the canary, a loop whose speed depends on nothing but the processor, ran right before and right after a
/// sample, in nanoseconds an instruction.
struct Canaries {
  /// Steps of 100 MHz, by which a clock changes, are about 3 %, and canaries of one clock differ by 0.3 %.
  static constexpr double kSameClock = 1.015;

  double before = 0;
  double after = 0;

  /// Whether both saw the same clock, and nobody else on the processor.
  [[nodiscard]] constexpr bool agree() const noexcept {
    return std::max(before, after) <= std::min(before, after) * kSameClock;
  }
  [[nodiscard]] constexpr double mean() const noexcept { return (before + after) / 2; }
};

/// Lets samples through that were taken while the processor was at its own speed and its clock did not change, and
/// tells them at one clock. A neighbour on the same hardware slows some code more than other code, so that even a ratio
/// that was taken meanwhile is wrong.
///
/// The processor's own speed is the one that most canaries agree on, not the fastest of all: after a pause a
/// processor's clock is higher for a moment than it stays under load. A neighbour for most of the time is not taken for
/// it, as it slows the canary by more than the clock can.
class CanaryGate {
 public:
  /// How far apart canaries may be by the clock that a processor has under load: the range is what was seen.
  static constexpr double kSpread = 1.16;
  /// What the clock alone may change. A neighbour on the same core was seen to take 1.5 times as long and more.
  static constexpr double kClockRange = 1.3;

  /// There must be a canary.
  explicit CanaryGate(std::span<const Canaries> canaries);

  /// The fastest canary at the processor's own speed, nanoseconds an instruction.
  [[nodiscard]] double steady() const noexcept { return steady_; }
  /// The canary of the clock that samples are told at: the median of those that are let through.
  [[nodiscard]] double told_at() const noexcept { return told_at_; }
  [[nodiscard]] bool lets_through(const Canaries& canaries) const noexcept;
  /// A time that was taken between these, as it had been at the clock told_at(). What waits for memory is not faster
  /// at a higher clock, so that of a sample of that kind this corrects too much, by kSpread at most.
  [[nodiscard]] double at_one_clock(double time, const Canaries& canaries) const noexcept {
    return time * told_at_ / canaries.mean();
  }

 private:
  double steady_;
  double told_at_;
};

/// Something that was measured between two canaries: a time, in whatever unit.
struct Piece {
  double time = 0;
  Canaries canaries = {};
};

/// What was measured in many pieces, at the clock of a canary.
struct Undisturbed {
  double time = 0;
  double canary = 0;
};

/// What a tenth of the pieces are faster than, of those that are within kSpread of `steady` and of one clock: the
/// fastest clock of which there are enough. A neighbour may slow a canary by no more than a clock does and the pieces
/// by less, but never makes it faster; and one that comes and goes between two canaries only makes a piece slower.
/// Nothing where there are fewer than these, or none.
[[nodiscard]] std::optional<Undisturbed> undisturbed(std::span<const Piece> pieces, double steady, std::size_t fewest);

/// Whether a canary is slower than the clock alone can make it, by what the fastest was.
[[nodiscard]] constexpr bool shows_neighbour(double canary, double fastest) noexcept {
  return canary > fastest * CanaryGate::kClockRange;
}

/// The fastest of those of nearly one speed that most of these agree on, as CanaryGate has it; there must be one.
/// Those that do not agree with themselves say nothing, where there are others.
[[nodiscard]] double steady_canary(std::span<const Canaries> canaries);

}  // namespace devmap::bench
