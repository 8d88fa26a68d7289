#pragma once

#include <harness/base/error.hpp>
#include <harness/bpf/feature.hpp>

#include <functional>
#include <span>
#include <vector>

namespace devmap::bench {

/// The processors this process may run on, as they were when this was first called: before its thread was told to stay
/// on one.
[[nodiscard]] const Expected<std::vector<unsigned>>& own_processors();

/// That on which a canary is fastest, the first of several; what `canary_on(processor)` could not run is an error.
[[nodiscard]] Expected<unsigned> quietest(std::span<const unsigned> processors,
                                          const std::function<Expected<double>(unsigned)>& canary_on);

/// Keeps the calling thread on that of its processors of which others take least at this moment: neighbours come and
/// go, on one processor of a virtual machine and not on the other. Looks at the first eight, for a millisecond each.
[[nodiscard]] Expected<void> stay_on_quietest_processor();

/// There are two of them.
[[nodiscard]] Feature two_own_processors();

}  // namespace devmap::bench
