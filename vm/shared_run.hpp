#pragma once

#include <vm/kernel_run.hpp>

#include <functional>
#include <harness/record/record.hpp>
#include <optional>
#include <vector>

namespace devmap::vm {

/// Runs the suite on a kernel in several machines at once, each with its share of the checks (--shard), and gives what
/// came of it as of one run: the record of all, the worst ending, the longest time. `on_progress` is called in the
/// threads of the machines, one at a time; what the suites print is not handed on. Fails as run_kernel does.
[[nodiscard]] Expected<KernelRun> run_kernel_in(unsigned machines, const Kernel& kernel,
                                                const KernelRunOptions& options,
                                                const std::function<void(const KernelProgress&)>& on_progress);

/// The records of all shares of a run as one, with the results in the order that a single run gives them. A share
/// without one makes the whole partial. Nothing where none has one.
[[nodiscard]] std::optional<RunRecord> joined_record(std::vector<std::optional<RunRecord>> shares);

/// How far a run has come whose shares have come this far: in the phase of the one that is furthest behind.
[[nodiscard]] KernelProgress joined_progress(const std::vector<KernelProgress>& shares);

}  // namespace devmap::vm
