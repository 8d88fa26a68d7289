#pragma once

#include <cstddef>
#include <functional>
#include <vector>

namespace devmap::vm {

/// The places of these costs, the highest first; those of equal cost in their order.
[[nodiscard]] std::vector<std::size_t> longest_first(const std::vector<double>& costs);

/// Does jobs in this order, so many at a time, each in one of so many threads. Begins none any more once `is_over` says
/// so, and comes back when all that were begun are done.
void do_in_parallel(const std::vector<std::size_t>& order, unsigned at_a_time,
                    const std::function<void(std::size_t)>& job, const std::function<bool()>& is_over);

}  // namespace devmap::vm
