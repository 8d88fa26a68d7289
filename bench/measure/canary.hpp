#pragma once

namespace devmap::bench {

/// Runs a loop of instructions that depend on nothing, neither memory nor each other, for some microseconds, twelve
/// times, and gives the fastest: nanoseconds an instruction. How slow it is says how much of this processor somebody
/// outside takes; CPU time does not show that.
[[nodiscard]] double run_canary() noexcept;

/// The same of three times, for a processor that is awake.
[[nodiscard]] double run_brief_canary() noexcept;

/// The fastest of this many canaries.
[[nodiscard]] double best_canary(unsigned count) noexcept;

}  // namespace devmap::bench
