#include <bench/statistics/canary_gate.hpp>

#include <bench/statistics/quantiles.hpp>

#include <cassert>
#include <iterator>

namespace devmap::bench {
namespace {

/// Of those for which `keeps(pair)`.
template <class Keeps>
std::vector<double> means_of(std::span<const Canaries> canaries, Keeps keeps) {
  std::vector<double> means;
  for (const auto& pair : canaries) {
    if (keeps(pair)) means.push_back(pair.mean());
  }
  return means;
}

bool is_undisturbed(const Canaries& canaries, double steady) noexcept {
  return canaries.agree() && std::max(canaries.before, canaries.after) <= steady * CanaryGate::kSpread;
}

}  // namespace

double steady_canary(std::span<const Canaries> canaries) {
  assert(!canaries.empty());
  auto means = means_of(canaries, [](const auto& pair) { return pair.agree(); });
  if (means.empty()) means = means_of(canaries, [](const auto&) { return true; });
  std::ranges::sort(means);
  // Where the window begins that most of them are in; of several the fastest.
  double densest = means.front();
  std::ptrdiff_t most = 0;
  for (auto first = means.begin(); first != means.end() && !shows_neighbour(*first, means.front()); ++first) {
    const auto within = std::upper_bound(first, means.end(), *first * CanaryGate::kSpread) - first;
    if (within <= most) continue;
    most = within;
    densest = *first;
  }
  return densest;
}

CanaryGate::CanaryGate(std::span<const Canaries> canaries) : steady_(steady_canary(canaries)), told_at_(steady_) {
  const auto means = means_of(canaries, [this](const auto& pair) { return lets_through(pair); });
  if (!means.empty()) told_at_ = median(means);
}

bool CanaryGate::lets_through(const Canaries& canaries) const noexcept {
  return is_undisturbed(canaries, steady_);
}

std::optional<Undisturbed> undisturbed(std::span<const Piece> pieces, double steady, std::size_t fewest) {
  std::vector<Piece> kept;
  std::ranges::copy_if(pieces, std::back_inserter(kept),
                       [&](const Piece& piece) { return is_undisturbed(piece.canaries, steady); });
  const auto canary_of = [](const Piece& piece) { return piece.canaries.mean(); };
  std::ranges::sort(kept, {}, canary_of);
  for (auto first = kept.begin(); first != kept.end(); ++first) {
    const auto end =
        std::ranges::upper_bound(first, kept.end(), canary_of(*first) * Canaries::kSameClock, {}, canary_of);
    if (static_cast<std::size_t>(end - first) < fewest) continue;
    std::vector<double> times;  // at a clock of which the canary is 1
    std::transform(first, end, std::back_inserter(times),
                   [&](const Piece& piece) { return piece.time / canary_of(piece); });
    constexpr double kPart = 0.1;
    const double canary = canary_of(first[(end - first) / 2]);
    return Undisturbed{.time = quantile(times, kPart) * canary, .canary = canary};
  }
  return std::nullopt;
}

}  // namespace devmap::bench
