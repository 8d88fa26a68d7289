#include <bench/statistics/quantiles.hpp>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <vector>

namespace devmap::bench {
namespace {

double quantile_of_sorted(std::span<const double> sorted, double part) {
  assert(!sorted.empty() && part >= 0 && part <= 1);
  const double at = part * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(std::floor(at));
  const auto above = std::min(below + 1, sorted.size() - 1);
  return std::lerp(sorted[below], sorted[above], at - static_cast<double>(below));
}

std::vector<double> sorted(std::span<const double> values) {
  std::vector<double> copy(values.begin(), values.end());
  std::ranges::sort(copy);
  return copy;
}

}  // namespace

double quantile(std::span<const double> values, double part) {
  return quantile_of_sorted(sorted(values), part);
}

double median(std::span<const double> values) {
  return quantile(values, 0.5);
}

Quantiles quantiles(std::span<const double> values) {
  const auto ordered = sorted(values);
  return {.p10 = quantile_of_sorted(ordered, 0.1),
          .median = quantile_of_sorted(ordered, 0.5),
          .p90 = quantile_of_sorted(ordered, 0.9)};
}

}  // namespace devmap::bench
