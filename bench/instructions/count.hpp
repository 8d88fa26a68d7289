#pragma once

#include <bench/measure/benchmark.hpp>
#include <bench/measure/workload.hpp>

namespace devmap::bench {

/// Guest instructions of one operation, call or frame of a benchmark, where a tick is an instruction: the least of
/// several pieces, for what disturbs a piece only adds to it. Of frames by the slope between two numbers of them, so
/// that what a call costs besides its frames is not in the figure. Fails where the frames that were sent did not all
/// come, or came only after the call.
[[nodiscard]] Expected<double> count_instructions(Workload& workload, const Benchmark& benchmark);

}  // namespace devmap::bench
