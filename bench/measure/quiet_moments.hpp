#pragma once

#include <bench/measure/canary.hpp>
#include <bench/statistics/canary_gate.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <vector>

namespace devmap::bench {

/// Waits for moments in which nobody outside takes time of this processor, as long as its patience lasts. What it goes
/// by is what canaries have shown so far; whether a sample counts is decided when all are there (CanaryGate).
class QuietMoments {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  struct Means {
    std::function<double()> canary = run_canary;
    std::function<TimePoint()> now = std::chrono::steady_clock::now;
    /// Whether nothing is to be waited for any more, as where a signal came.
    std::function<bool()> given_up = [] { return false; };
  };
  explicit QuietMoments(std::chrono::duration<double> patience) : QuietMoments(patience, Means()) {}
  QuietMoments(std::chrono::duration<double> patience, Means means);

  /// Returns when a canary runs at the processor's own speed, or when there is no patience left; gives that canary.
  [[nodiscard]] double await();

  /// Whether a sample between these was taken at the processor's own speed, at one clock.
  [[nodiscard]] bool had(const Canaries& canaries);

  /// Learns from a canary that was run since.
  void saw(double canary) { observe(canary); }

  /// The fastest canary at the processor's own speed, as far as it is known.
  [[nodiscard]] double steady() const noexcept { return steady_; }

  /// Takes what has passed since then, for nothing, from its patience; false where none is left or all is given up.
  [[nodiscard]] bool bears(TimePoint since);

  [[nodiscard]] TimePoint now() const { return means_.now(); }

 private:
  void observe(double canary);
  void observe(const Canaries& canaries);
  [[nodiscard]] bool is_quiet(double canary) const noexcept { return canary <= steady_ * CanaryGate::kSpread; }
  std::chrono::duration<double> patience_;
  Means means_;
  /// The last ones, each with the one before it, the oldest replaced first.
  std::vector<Canaries> recent_ = {};
  std::size_t observed_ = 0;
  double last_ = 0;
  double fastest_ = 0;
  double steady_ = 0;
};

}  // namespace devmap::bench
