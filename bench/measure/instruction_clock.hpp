#pragma once

namespace devmap::bench {

/// Whether a tick of Clock::ticks is an instruction, as in a virtual machine whose time is counted in them (QEMU's
/// -icount shift=0): found out by instructions of a known number.
[[nodiscard]] bool ticks_are_instructions() noexcept;

/// What reading Clock::ticks at the beginning and the end of something adds to it.
[[nodiscard]] double ticks_of_stopwatch() noexcept;

}  // namespace devmap::bench
