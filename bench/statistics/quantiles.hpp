#pragma once

#include <span>

namespace devmap::bench {

/// The value below which this part (0 to 1) of the values lie, interpolated linearly between neighbours (type 7 of
/// Hyndman and Fan, the usual one). There must be a value.
[[nodiscard]] double quantile(std::span<const double> values, double part);

[[nodiscard]] double median(std::span<const double> values);

/// What is told of a distribution.
struct Quantiles {
  double p10 = 0;
  double median = 0;
  double p90 = 0;
};
[[nodiscard]] Quantiles quantiles(std::span<const double> values);

}  // namespace devmap::bench
