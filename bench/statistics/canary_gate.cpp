#include <bench/statistics/canary_gate.hpp>

#include <algorithm>
#include <cassert>
#include <limits>

namespace devmap::bench {

CanaryGate::CanaryGate(std::span<const Canaries> canaries, double limit, double known_best)
    : best_(known_best > 0 ? known_best : std::numeric_limits<double>::infinity()), limit_(limit) {
  assert(!canaries.empty());
  for (const auto& canary : canaries) best_ = std::min({best_, canary.before, canary.after});
}

bool CanaryGate::lets_through(const Canaries& canaries) const noexcept {
  return std::max(canaries.before, canaries.after) <= best_ * limit_;
}

}  // namespace devmap::bench
