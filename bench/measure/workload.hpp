#pragma once

#include <bench/measure/stopwatch.hpp>
#include <harness/base/error.hpp>

#include <cstdint>

namespace devmap::bench {

/// Frames that were sent, and how many came where.
struct FrameCount {
  std::uint64_t sent = 0;
  /// Copies that were to arrive at the sinks, and those that did.
  std::uint64_t expected = 0;
  std::uint64_t delivered = 0;
  /// Of those delivered, the ones that came only after the call that sent them had returned: somebody else's time went
  /// into them.
  std::uint64_t late = 0;

  FrameCount& operator+=(const FrameCount& other) {
    sent += other.sent;
    expected += other.expected;
    delivered += other.delivered;
    late += other.late;
    return *this;
  }
  /// A figure that rests on other frames than those it is said to be about is void.
  [[nodiscard]] bool is_void() const { return delivered != expected; }
};

/// What some repetitions of an operation took.
struct Sample {
  std::uint64_t operations = 0;
  /// By the clock asked for, for all of them together.
  double spent = 0;
  FrameCount frames = {};

  [[nodiscard]] double each() const { return spent / static_cast<double>(operations); }
};

/// An operation to be measured, with all that it needs. It belongs to the thread that made it.
class Workload {
 public:
  Workload() = default;
  Workload(const Workload&) = delete;
  Workload& operator=(const Workload&) = delete;
  Workload(Workload&&) = delete;
  Workload& operator=(Workload&&) = delete;
  virtual ~Workload() = default;

  /// Does the operation and looks at what came of it: whether what is going to be measured is what it is said to be.
  [[nodiscard]] virtual Expected<void> verify() = 0;

  /// Does the operation this many times, or somewhat more often where it is only done in multiples.
  [[nodiscard]] virtual Expected<Sample> run(std::uint64_t operations, Clock clock) = 0;
};

}  // namespace devmap::bench
