#pragma once

#include <bench/control/map_under_test.hpp>
#include <bench/measure/workload.hpp>

#include <cstdint>
#include <utility>

namespace devmap::bench {

/// From key to key through one map (BPF_MAP_GET_NEXT_KEY), and from the start again.
class NextKeys : public Workload {
 public:
  explicit NextKeys(MapUnderTest maps) : maps_(std::move(maps)) {}
  [[nodiscard]] Expected<void> verify() override;
  [[nodiscard]] Expected<Sample> run(std::uint64_t operations, Clock clock) override;

 private:
  /// One call; at the end of the map the next one starts anew. False where it failed otherwise.
  [[nodiscard]] bool step() noexcept;
  MapUnderTest maps_;
  std::uint32_t key_ = 0;
  bool at_start_ = true;
};

/// The whole of one map, from the first key to where there is no next one.
class Iterations : public Workload {
 public:
  explicit Iterations(MapUnderTest maps) : maps_(std::move(maps)) {}
  [[nodiscard]] Expected<void> verify() override;
  [[nodiscard]] Expected<Sample> run(std::uint64_t operations, Clock clock) override;

 private:
  /// How many keys there were; the number of elements where all is well.
  [[nodiscard]] std::uint64_t walk() const noexcept;
  MapUnderTest maps_;
};

}  // namespace devmap::bench
