#pragma once

#include <bench/preflight/surroundings.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace devmap::bench {

/// Something that makes figures other than they would be.
struct Obstacle {
  enum class Weight : std::uint8_t {
    refuses,  ///< figures would be about this, and not about device maps
    labels,   ///< to be known by whoever reads the figures
  };
  Weight weight = Weight::labels;
  /// What there is, with its effect.
  std::string what = {};
  /// What a person can do about it.
  std::string remedy = {};
};

/// The heavier ones first.
[[nodiscard]] std::vector<Obstacle> obstacles(const Surroundings& surroundings);

/// Adds those that are not among them yet.
void add_new(std::vector<Obstacle>& all, const std::vector<Obstacle>& found);

/// Whether nothing is to be measured here.
[[nodiscard]] bool refuses(const std::vector<Obstacle>& obstacles);

}  // namespace devmap::bench
