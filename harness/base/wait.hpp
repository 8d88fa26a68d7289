#pragma once

#include <chrono>
#include <thread>

namespace devmap {

/// Asks again and again until the answer is yes or the limit has passed; says which. For effects that the kernel
/// completes on its own time and announces to nobody (RCU, namespace teardown).
template <class Predicate>
[[nodiscard]] bool wait_until(Predicate&& answer, std::chrono::milliseconds limit) {
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + limit;
  auto pause = std::chrono::microseconds(50);
  while (!answer()) {
    if (Clock::now() >= deadline) return false;
    std::this_thread::sleep_for(pause);
    if (pause < std::chrono::milliseconds(5)) pause *= 2;
  }
  return true;
}

}  // namespace devmap
