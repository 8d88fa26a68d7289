#include <bench/statistics/slope.hpp>

#include <cassert>

namespace devmap::bench {

Line fit_line(std::span<const CostOfCount> points) {
  assert(points.size() >= 2);
  const auto n = static_cast<double>(points.size());
  double mean_count = 0;
  double mean_cost = 0;
  for (const auto& point : points) {
    mean_count += point.count / n;
    mean_cost += point.cost / n;
  }
  double together = 0;
  double spread = 0;
  for (const auto& point : points) {
    together += (point.count - mean_count) * (point.cost - mean_cost);
    spread += (point.count - mean_count) * (point.count - mean_count);
  }
  assert(spread > 0);
  const double slope = together / spread;
  return {.slope = slope, .intercept = mean_cost - slope * mean_count};
}

}  // namespace devmap::bench
