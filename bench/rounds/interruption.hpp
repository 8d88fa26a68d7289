#pragma once

namespace devmap::bench {

/// From now on SIGINT and SIGTERM end a run early instead of the process, so that nothing gathered is lost.
void end_early_on_signals();

/// The signal that came, or 0.
[[nodiscard]] int signal_that_came() noexcept;

}  // namespace devmap::bench
