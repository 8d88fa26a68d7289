#include <vm/schedule.hpp>

#include <algorithm>
#include <atomic>
#include <ranges>
#include <thread>

namespace devmap::vm {

std::vector<std::size_t> longest_first(const std::vector<double>& costs) {
  std::vector<std::size_t> order(costs.size());
  std::ranges::copy(std::views::iota(std::size_t{0}, costs.size()), order.begin());
  std::ranges::stable_sort(order, std::greater{}, [&costs](std::size_t at) { return costs[at]; });
  return order;
}

void do_in_parallel(const std::vector<std::size_t>& order, unsigned at_a_time,
                    const std::function<void(std::size_t)>& job, const std::function<bool()>& is_over) {
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    while (!is_over()) {
      const auto at = next.fetch_add(1);
      if (at >= order.size()) return;
      job(order[at]);
    }
  };
  std::vector<std::jthread> workers;
  for (unsigned i = 0; i < at_a_time && i < order.size(); ++i) workers.emplace_back(work);
}

}  // namespace devmap::vm
