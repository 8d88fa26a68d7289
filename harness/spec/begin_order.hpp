#pragma once

#include <harness/spec/registry.hpp>

#include <cstddef>
#include <cstdint>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace devmap {

/// How the checks of a run follow one another.
enum class BeginOrder : std::uint8_t {
  as_listed,
  spread,    ///< neighbours apart: those of a chapter wait for the same locks of the kernel, and hold each other up
  shuffled,  ///< at random
};

/// The indexes of the checks in the order in which they are begun: those that `first` names before all, and of the rest
/// those that may take the kernel down last. The generator is for `shuffled`.
[[nodiscard]] std::vector<std::size_t> begin_order(const std::vector<Check>& checks, BeginOrder kind,
                                                   std::mt19937& generator, const std::set<std::string>& first = {});

}  // namespace devmap
