#pragma once

namespace devmap::bench {

/// Whether a tick of Clock::ticks is an instruction, as in a virtual machine whose time is counted in them (QEMU's
/// -icount shift=0): found out by instructions of a known number.
[[nodiscard]] bool ticks_are_instructions() noexcept;

/// What reading Clock::ticks at the beginning and the end of something adds to it.
[[nodiscard]] double ticks_of_stopwatch() noexcept;

/// Sleeps long enough that the kernel has freed what it frees after an RCU grace period, which no call awaits. What
/// is taken from free memory then does not depend on when that was. Of no use where time is measured: it takes some.
void let_kernel_free() noexcept;

}  // namespace devmap::bench
