#include <bench/statistics/bootstrap.hpp>
#include <bench/statistics/quantiles.hpp>

#include <algorithm>
#include <cassert>
#include <random>
#include <vector>

namespace devmap::bench {
namespace {

using Random = std::mt19937_64;

/// As many values as there are, drawn with replacement.
void resample(std::span<const double> values, std::vector<double>& into, Random& random) {
  std::uniform_int_distribution<std::size_t> any(0, values.size() - 1);
  into.resize(values.size());
  std::ranges::generate(into, [&] { return values[any(random)]; });
}

/// `once(random)` gives the statistic of one resample.
template <class Once>
RatioInterval percentile_interval(double observed, const BootstrapOptions& options, Once once) {
  Random random(options.seed);
  std::vector<double> ratios(options.resamples);
  std::ranges::generate(ratios, [&] { return once(random); });
  const double tail = (1 - options.confidence) / 2;
  return {.ratio = observed, .low = quantile(ratios, tail), .high = quantile(ratios, 1 - tail)};
}

}  // namespace

RatioInterval paired_ratio(std::span<const Pair> pairs, const BootstrapOptions& options) {
  assert(!pairs.empty());
  std::vector<double> ratios;
  ratios.reserve(pairs.size());
  for (const auto& pair : pairs) ratios.push_back(pair.value / pair.baseline);
  std::vector<double> drawn;
  return percentile_interval(median(ratios), options, [&](Random& random) {
    resample(ratios, drawn, random);
    return median(drawn);
  });
}

RatioInterval unpaired_ratio(std::span<const double> values, std::span<const double> baseline,
                             const BootstrapOptions& options) {
  assert(!values.empty() && !baseline.empty());
  std::vector<double> drawn_values;
  std::vector<double> drawn_baseline;
  return percentile_interval(median(values) / median(baseline), options, [&](Random& random) {
    resample(values, drawn_values, random);
    resample(baseline, drawn_baseline, random);
    return median(drawn_values) / median(drawn_baseline);
  });
}

bool is_reliable(const RatioInterval& to_itself, double tolerance) {
  return to_itself.contains(1) && to_itself.low >= 1 - tolerance && to_itself.high <= 1 + tolerance;
}

}  // namespace devmap::bench
