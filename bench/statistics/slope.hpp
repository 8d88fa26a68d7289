#pragma once

#include <span>

namespace devmap::bench {

/// What `count` repetitions of something, beside all else that happens, cost together.
struct CostOfCount {
  double count = 0;
  double cost = 0;
};

struct Line {
  /// What one repetition costs.
  double slope = 0;
  /// What all else costs.
  double intercept = 0;
};

/// The line that fits best (least squares). There must be two different counts.
[[nodiscard]] Line fit_line(std::span<const CostOfCount> points);

}  // namespace devmap::bench
