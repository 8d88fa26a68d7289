#pragma once

#include <harness/base/error.hpp>
#include <harness/bpf/feature.hpp>

#include <vector>

namespace devmap::bench {

/// The processors this process may run on, as they were when this was first called: before its thread was told to stay
/// on one.
[[nodiscard]] const Expected<std::vector<unsigned>>& own_processors();

/// Keeps the calling thread on the first of them.
[[nodiscard]] Expected<void> stay_on_first_processor();

/// There are two of them.
[[nodiscard]] Feature two_own_processors();

}  // namespace devmap::bench
