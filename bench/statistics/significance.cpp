#include <bench/statistics/significance.hpp>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <vector>

namespace devmap::bench {
namespace {

struct Ranked {
  /// In how many pairs the first sample's value is the larger one; half for each pair of equals.
  double u = 0;
  /// The sum of t^3 - t over groups of t equal values.
  double ties = 0;
};

Ranked rank(std::span<const double> first, std::span<const double> second) {
  struct Value {
    double value;
    bool of_first;
  };
  std::vector<Value> all;
  all.reserve(first.size() + second.size());
  for (const double value : first) all.push_back({value, true});
  for (const double value : second) all.push_back({value, false});
  std::ranges::sort(all, {}, &Value::value);

  Ranked ranked;
  double rank_sum = 0;
  for (std::size_t begin = 0; begin < all.size();) {
    std::size_t end = begin;
    while (end < all.size() && all[end].value == all[begin].value) ++end;
    const double shared_rank = static_cast<double>(begin + 1 + end) / 2;
    for (std::size_t at = begin; at < end; ++at) rank_sum += all[at].of_first ? shared_rank : 0;
    const auto equal = static_cast<double>(end - begin);
    ranked.ties += equal * equal * equal - equal;
    begin = end;
  }
  const auto n = static_cast<double>(first.size());
  ranked.u = rank_sum - n * (n + 1) / 2;
  return ranked;
}

/// The probability that U is at most this, by counting the arrangements: those of (n, m) with a given U are those of
/// (n - 1, m) whose last value brings m to U, and those of (n, m - 1).
double exact_tail(std::size_t n, std::size_t m, double u) {
  const std::size_t most = n * m;
  // arrangements[j][k]: of i values of the first and j of the second, those with U = k; i grows by one a round.
  std::vector arrangements(m + 1, std::vector<double>(most + 1, 0));
  for (auto& row : arrangements) row[0] = 1;
  for (std::size_t i = 1; i <= n; ++i) {
    for (std::size_t j = 1; j <= m; ++j) {
      auto& row = arrangements[j];
      for (std::size_t k = most + 1; k-- > 0;) {
        row[k] = (k >= j ? row[k - j] : 0) + arrangements[j - 1][k];
      }
    }
  }
  double at_most = 0;
  double all = 0;
  for (std::size_t k = 0; k <= most; ++k) {
    all += arrangements[m][k];
    if (static_cast<double>(k) <= u) at_most += arrangements[m][k];
  }
  return at_most / all;
}

}  // namespace

double mann_whitney_p(std::span<const double> first, std::span<const double> second) {
  assert(!first.empty() && !second.empty());
  const auto ranked = rank(first, second);
  const auto n = static_cast<double>(first.size());
  const auto m = static_cast<double>(second.size());
  const double smaller = std::min(ranked.u, n * m - ranked.u);
  if (ranked.ties == 0 && first.size() <= kExactUpTo && second.size() <= kExactUpTo) {
    return std::min(1.0, 2 * exact_tail(first.size(), second.size(), smaller));
  }
  const double all = n + m;
  const double variance = n * m / 12 * (all + 1 - ranked.ties / (all * (all - 1)));
  if (variance <= 0) return 1;  // all values are equal
  const double distance = std::max(0.0, n * m / 2 - smaller - 0.5);
  return std::min(1.0, std::erfc(distance / std::sqrt(variance) / std::sqrt(2.0)));
}

}  // namespace devmap::bench
