#pragma once

#include <bench/preflight/obstacles.hpp>
#include <bench/rounds/taken.hpp>

#include <cstddef>
#include <utility>
#include <vector>

namespace devmap::bench {

/// The samples of a run as they are taken, and what there was meanwhile that makes them other than they would be.
class Gathered {
 public:
  /// `before`: what there was before the first; `despite`: samples count all the same.
  Gathered(std::vector<Obstacle> before, bool despite)
      : despite_(despite), last_seen_(std::move(before)), obstacles_(last_seen_) {}

  void add(TakenSample sample) { samples_.push_back(std::move(sample)); }

  /// Looks at the surroundings. What came or went since the last look is in some of the samples taken since, nobody
  /// knows which: they are all hindered.
  void look_around();

  [[nodiscard]] const std::vector<TakenSample>& samples() const { return samples_; }
  /// All that was seen.
  [[nodiscard]] const std::vector<Obstacle>& obstacles() const { return obstacles_; }

 private:
  bool despite_;
  std::vector<Obstacle> last_seen_;
  std::vector<Obstacle> obstacles_;
  std::vector<TakenSample> samples_ = {};
  std::size_t looked_at_ = 0;
};

}  // namespace devmap::bench
