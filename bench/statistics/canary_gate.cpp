#include <bench/statistics/canary_gate.hpp>

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <vector>

namespace devmap::bench {
namespace {

/// Where the window begins that most of them are in; of several the fastest.
double begin_of_densest(const std::vector<double>& sorted) {
  double densest = sorted.front();
  std::ptrdiff_t most = 0;
  for (auto first = sorted.begin(); first != sorted.end() && *first <= sorted.front() * CanaryGate::kClockRange;
       ++first) {
    const auto within = std::upper_bound(first, sorted.end(), *first * CanaryGate::kSpread) - first;
    if (within <= most) continue;
    most = within;
    densest = *first;
  }
  return densest;
}

}  // namespace

CanaryGate::CanaryGate(std::span<const Canaries> canaries) {
  assert(!canaries.empty());
  std::vector<double> sorted;
  for (const auto& canary : canaries) {
    sorted.push_back(canary.before);
    sorted.push_back(canary.after);
  }
  std::ranges::sort(sorted);
  steady_ = begin_of_densest(sorted);
}

bool CanaryGate::lets_through(const Canaries& canaries) const noexcept {
  return std::max(canaries.before, canaries.after) <= steady_ * kSpread;
}

}  // namespace devmap::bench
