#pragma once

#include <reports/gather.hpp>

#include <vector>

namespace devmap::reports {

/// Makes the records of many kernels small enough to be published together, and leaves their verdicts as they are. What
/// a check that conforms observed is the same on most kernels: it is kept in the record of the newest kernel on which
/// the check conforms, of the usual kind (x86-64 with a JIT) if there is one, and left out of the others. `sources` are
/// in the order of kernels, as gather() gives them. Doing it twice changes nothing.
void compact(std::vector<Source>& sources);

/// Whether a check that conforms was recorded without its evidence, as compact() leaves it.
[[nodiscard]] bool is_compacted(const Result& result);

}  // namespace devmap::reports
