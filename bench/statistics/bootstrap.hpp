#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace devmap::bench {

/// A ratio, and the interval it lies in with the confidence that was asked for.
struct RatioInterval {
  double ratio = 0;
  double low = 0;
  double high = 0;

  [[nodiscard]] bool contains(double value) const { return low <= value && value <= high; }
};

struct BootstrapOptions {
  std::size_t resamples = 4000;
  double confidence = 0.95;
  /// The same seed gives the same interval.
  std::uint64_t seed = 1;
};

/// Two samples of one round: taken one soon after the other, so that the state of the machine is in both.
struct Pair {
  double value = 0;
  double baseline = 0;
};

/// The median of the ratios of pairs, with the bootstrap's percentile interval over pairs (Efron and Tibshirani, An
/// Introduction to the Bootstrap, chapter 13). There must be a pair, and no baseline may be 0.
[[nodiscard]] RatioInterval paired_ratio(std::span<const Pair> pairs, const BootstrapOptions& options = {});

/// The ratio of the medians of two samples that have nothing to do with each other, such as those of two runs. Neither
/// may be empty, and no value of the baseline may be 0.
[[nodiscard]] RatioInterval unpaired_ratio(std::span<const double> values, std::span<const double> baseline,
                                           const BootstrapOptions& options = {});

/// Whether a run may be believed, by the ratio of a benchmark to itself in that run: the interval contains 1 and does
/// not go beyond `tolerance` on either side.
[[nodiscard]] bool is_reliable(const RatioInterval& to_itself, double tolerance = 0.015);

}  // namespace devmap::bench
