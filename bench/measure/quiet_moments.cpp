#include <bench/measure/quiet_moments.hpp>

#include <algorithm>
#include <utility>

namespace devmap::bench {
namespace {

constexpr std::size_t kRecent = 2048;
/// As many are run before it goes by them, and between two looks at what they say.
constexpr std::size_t kAtFirst = 256;

}  // namespace

QuietMoments::QuietMoments(std::chrono::duration<double> patience, Means means)
    : patience_(patience), means_(std::move(means)) {
  recent_.reserve(kRecent);
  while (observed_ < kAtFirst) observe(means_.canary());
}

void QuietMoments::observe(double canary) {
  observe({.before = observed_ == 0 ? canary : last_, .after = canary});
}

void QuietMoments::observe(const Canaries& canaries) {
  if (recent_.size() < kRecent) {
    recent_.push_back(canaries);
  } else {
    recent_[observed_ % kRecent] = canaries;
  }
  last_ = canaries.after;
  fastest_ = observed_ == 0 ? last_ : std::min(fastest_, last_);
  if (++observed_ % kAtFirst != 0) return;
  // Where a neighbour was there all the time, the recent ones say nothing of the processor itself.
  const double steady = steady_canary(recent_);
  if (steady_ == 0 || !shows_neighbour(steady, fastest_)) steady_ = steady;
}

double QuietMoments::await() {
  for (auto begun = now();;) {
    const double canary = means_.canary();
    observe(canary);
    if (is_quiet(canary) || !bears(begun)) return canary;
    begun = now();
  }
}

bool QuietMoments::had(const Canaries& canaries) {
  observe(canaries);
  return canaries.agree() && is_quiet(std::max(canaries.before, canaries.after));
}

bool QuietMoments::bears(TimePoint since) {
  if (patience_.count() > 0) patience_ -= now() - since;
  return patience_.count() > 0 && !means_.given_up();
}

}  // namespace devmap::bench
