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
  };
  explicit QuietMoments(std::chrono::duration<double> patience) : QuietMoments(patience, Means()) {}
  QuietMoments(std::chrono::duration<double> patience, Means means);

  /// Returns when a canary runs at the processor's own speed, or when there is no patience left; gives that canary.
  [[nodiscard]] double await();

  /// Whether to take a sample again that was begun then: it was disturbed, and there is patience left, of which its
  /// time is taken.
  [[nodiscard]] bool take_again(const Canaries& canaries, TimePoint begun);

  [[nodiscard]] TimePoint now() const { return means_.now(); }

 private:
  void observe(double canary);
  [[nodiscard]] bool is_quiet(double canary) const noexcept { return canary <= steady_ * CanaryGate::kSpread; }
  std::chrono::duration<double> patience_;
  Means means_;
  /// The last ones, the oldest replaced first.
  std::vector<double> recent_ = {};
  std::size_t observed_ = 0;
  double fastest_ = 0;
  double steady_ = 0;
};

}  // namespace devmap::bench
