#pragma once

#include <span>

namespace devmap::bench {

/// The value below which this part (0 to 1) of the values lie, interpolated linearly between neighbours (type 7 of
/// Hyndman and Fan, the usual one). There must be a value.
[[nodiscard]] double quantile(std::span<const double> values, double part);

/// Of pieces of the same work, the time that a tenth of them takes less than: what disturbs some of them is not in it,
/// nor is a lucky one. There must be a piece.
[[nodiscard]] double undisturbed(std::span<const double> pieces);

[[nodiscard]] double median(std::span<const double> values);

/// What is told of a distribution.
struct Quantiles {
  double p10 = 0;
  double median = 0;
  double p90 = 0;
};
[[nodiscard]] Quantiles quantiles(std::span<const double> values);

}  // namespace devmap::bench
