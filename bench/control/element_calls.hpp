#pragma once

#include <bench/control/map_under_test.hpp>
#include <bench/measure/instruction_clock.hpp>
#include <bench/measure/workload.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>

namespace devmap::bench {

/// What is to be found of an element right after the call that is measured.
enum class Effect : std::uint8_t { present, absent };

/// A call about one element, as a type with `call` and, where the element is to be put in order, `before` or `after`;
/// so that the call is compiled into the loop. Each gives the result of bpf(2), or -errno.
struct ElementCall {
  /// What the call is to come to.
  static constexpr long kExpected = 0;
  static constexpr Effect kEffect = Effect::present;
  static long before(const MapUnderTest&, std::uint64_t) { return 0; }
  static long after(const MapUnderTest&, std::uint64_t) { return 0; }
};

/// The elements are gone through again and again.
template <class Operation>
class ElementCalls : public Workload {
 public:
  /// `owned`: what must live as long as the maps, such as programs in their elements.
  explicit ElementCalls(MapUnderTest maps, std::shared_ptr<const void> owned = {})
      : maps_(std::move(maps)), owned_(std::move(owned)) {}

  [[nodiscard]] Expected<void> verify() override {
    const std::uint64_t element = maps_.elements() / 2;
    if (Operation::before(maps_, element) < 0) return failure("prepare an element", 0);
    if (const long result = Operation::call(maps_, element); result != Operation::kExpected) {
      return failure("the call to be measured", static_cast<int>(-result), "it is not to end so");
    }
    Element found{};
    const bool present = maps_.lookup(element, found) == 0 && found.ifindex == maps_.value().ifindex &&
                         (found.program_id != 0) == (maps_.value().program_fd > 0);
    if (present != (Operation::kEffect == Effect::present)) {
      return failure("look at what the call did", 0, "the element is not as it should be after the call");
    }
    if (Operation::after(maps_, element) < 0) return failure("restore an element", 0);
    return {};
  }

  [[nodiscard]] Expected<Sample> run(std::uint64_t operations, Clock clock) override {
    Sample sample;
    while (sample.operations < operations) {
      const auto piece = std::min(operations - sample.operations, maps_.elements() - next_);
      if (failures<Operation::before>(0, piece) > 0) return failure("prepare elements", 0);
      if (clock == Clock::ticks) let_kernel_free();
      const Stopwatch stopwatch(clock);
      const auto wrong = failures<Operation::call>(Operation::kExpected, piece);
      sample.spent += stopwatch.spent();
      if (wrong > 0) return failure("the calls that are measured", 0, "some did not end as they should");
      if (failures<Operation::after>(0, piece) > 0) return failure("restore elements", 0);
      sample.operations += piece;
      next_ = (next_ + piece) % maps_.elements();
    }
    return sample;
  }

 private:
  /// How many of the calls about the next elements did not come to this.
  template <auto call>
  [[nodiscard]] std::uint64_t failures(long expected, std::uint64_t count) const {
    std::uint64_t wrong = 0;
    for (std::uint64_t element = next_; element < next_ + count; ++element) {
      wrong += call(maps_, element) != expected ? 1U : 0U;
    }
    return wrong;
  }

  MapUnderTest maps_;
  std::shared_ptr<const void> owned_;
  std::uint64_t next_ = 0;
};

}  // namespace devmap::bench
