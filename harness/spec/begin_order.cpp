#include <harness/spec/begin_order.hpp>

#include <harness/spec/check_names.hpp>

#include <algorithm>
#include <iterator>
#include <numeric>
#include <utility>

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

std::vector<std::size_t> begin_order(const std::vector<Check>& checks, BeginOrder kind, std::mt19937& generator,
                                     const std::set<std::string>& first) {
  std::vector<std::size_t> named;
  std::vector<std::size_t> harmless;
  std::vector<std::size_t> dangerous;
  for (std::size_t i = 0; i < checks.size(); ++i) {
    const Check& check = checks.at(i);
    (names_check(first, check) ? named : check.rule->danger.empty() ? harmless : dangerous).push_back(i);
  }
  if (kind == BeginOrder::spread) spread(harmless);
  if (kind == BeginOrder::shuffled) {
    for (auto* const part : {&named, &harmless, &dangerous}) std::ranges::shuffle(*part, generator);
  }
  std::vector<std::size_t> order = std::move(named);
  order.reserve(checks.size());
  std::ranges::copy(harmless, std::back_inserter(order));
  std::ranges::copy(dangerous, std::back_inserter(order));
  return order;
}

}  // namespace devmap
