#include <bench/statistics/canary_gate.hpp>

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <utility>
#include <vector>

namespace devmap::bench {

double steady_canary(std::vector<double> canaries) {
  assert(!canaries.empty());
  std::ranges::sort(canaries);
  // Where the window begins that most of them are in; of several the fastest.
  double densest = canaries.front();
  std::ptrdiff_t most = 0;
  for (auto first = canaries.begin(); first != canaries.end() && !shows_neighbour(*first, canaries.front()); ++first) {
    const auto within = std::upper_bound(first, canaries.end(), *first * CanaryGate::kSpread) - first;
    if (within <= most) continue;
    most = within;
    densest = *first;
  }
  return densest;
}

CanaryGate::CanaryGate(std::span<const Canaries> canaries) {
  std::vector<double> all;
  for (const auto& canary : canaries) {
    all.push_back(canary.before);
    all.push_back(canary.after);
  }
  steady_ = steady_canary(std::move(all));
}

bool CanaryGate::lets_through(const Canaries& canaries) const noexcept {
  return std::max(canaries.before, canaries.after) <= steady_ * kSpread;
}

}  // namespace devmap::bench
