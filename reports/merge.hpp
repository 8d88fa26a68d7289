#pragma once

#include <harness/base/error.hpp>
#include <reports/gather.hpp>
#include <reports/specification.hpp>

#include <vector>

namespace devmap::reports {

/// One record of several that hold parts of one run (`--shard`): results in the order of the specification, the
/// earliest beginning, the sum of the durations. An error where they are not of one kernel and one build of the suite,
/// or hold the same check.
[[nodiscard]] Expected<RunRecord> merged(const std::vector<Source>& parts, const Specification& specification);

}  // namespace devmap::reports
