#include <harness/spec/begin_order.hpp>

#include <algorithm>
#include <iterator>
#include <numeric>

namespace devmap {
namespace {

void spread(std::vector<std::size_t>& order) {
  if (order.empty()) return;
  const std::size_t count = order.size();
  // Steps of the golden ratio keep neighbours apart, and what is next to them too.
  constexpr double kGoldenRatio = 0.618;
  auto step = std::max<std::size_t>(1, static_cast<std::size_t>(kGoldenRatio * static_cast<double>(count)));
  while (std::gcd(step, count) > 1) ++step;  // so that each is met once
  const auto listed = order;
  for (std::size_t i = 0; i < count; ++i) order.at(i) = listed.at(i * step % count);
}

}  // namespace

std::vector<std::size_t> begin_order(const std::vector<Check>& checks, BeginOrder kind, std::mt19937& generator) {
  std::vector<std::size_t> order;
  std::vector<std::size_t> dangerous;
  order.reserve(checks.size());
  for (std::size_t i = 0; i < checks.size(); ++i) {
    (checks.at(i).rule->danger.empty() ? order : dangerous).push_back(i);
  }
  if (kind == BeginOrder::spread) spread(order);
  if (kind == BeginOrder::shuffled) {
    std::ranges::shuffle(order, generator);
    std::ranges::shuffle(dangerous, generator);
  }
  std::ranges::copy(dangerous, std::back_inserter(order));
  return order;
}

}  // namespace devmap
