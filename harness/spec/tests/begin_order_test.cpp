#include <harness/spec/begin_order.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <numeric>

namespace devmap {
namespace {

std::vector<std::size_t> order_of(std::size_t count, BeginOrder kind, unsigned seed = 1) {
  static const Rule rule;
  std::mt19937 generator(seed);
  return begin_order(std::vector<Check>(count, Check{.rule = &rule}), kind, generator);
}

std::vector<std::size_t> listed(std::size_t count) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), 0U);
  return order;
}

TEST(BeginOrder, HasEveryCheckOnce) {
  for (std::size_t count = 0; count < 50; ++count) {
    for (const auto kind : {BeginOrder::as_listed, BeginOrder::spread, BeginOrder::shuffled}) {
      auto order = order_of(count, kind);
      std::ranges::sort(order);
      EXPECT_EQ(order, listed(count)) << count;
    }
  }
}

TEST(BeginOrder, IsTheListWhereAsked) {
  EXPECT_EQ(order_of(20, BeginOrder::as_listed), listed(20));
}

TEST(BeginOrder, KeepsNeighboursApartWhereSpread) {
  const auto order = order_of(1000, BeginOrder::spread);
  for (std::size_t place = 1; place < order.size(); ++place) {
    const auto step = std::abs(static_cast<long>(order.at(place)) - static_cast<long>(order.at(place - 1)));
    EXPECT_GT(step, 100) << "at " << place;
  }
  EXPECT_EQ(order, order_of(1000, BeginOrder::spread, 2)) << "it does not depend on chance";
}

TEST(BeginOrder, DependsOnTheSeedWhereShuffled) {
  EXPECT_EQ(order_of(100, BeginOrder::shuffled, 7), order_of(100, BeginOrder::shuffled, 7));
  EXPECT_NE(order_of(100, BeginOrder::shuffled, 7), order_of(100, BeginOrder::shuffled, 8));
}

TEST(BeginOrder, PutsDangerousChecksLast) {
  const Rule harmless;
  const Rule dangerous{.danger = "may panic"};
  std::vector<Check> checks(30, Check{.rule = &harmless});
  checks.at(0).rule = checks.at(7).rule = &dangerous;
  std::mt19937 generator(1);
  for (const auto kind : {BeginOrder::as_listed, BeginOrder::spread, BeginOrder::shuffled}) {
    auto order = begin_order(checks, kind, generator);
    std::vector<std::size_t> last(order.end() - 2, order.end());
    std::ranges::sort(last);
    EXPECT_EQ(last, (std::vector<std::size_t>{0, 7}));
  }
}

TEST(BeginOrder, PutsNamedChecksFirst) {
  const Rule plain{.id = "a.plain"};
  const Rule dangerous{.id = "a.dangerous", .danger = "may panic"};
  std::vector<Check> checks(30, Check{.rule = &plain});
  checks.at(7).rule = checks.at(9).rule = &dangerous;
  checks.at(9).variant = {.value_size = 8};
  checks.at(20).variant = {.value_size = 4};
  std::mt19937 generator(1);
  for (const auto kind : {BeginOrder::as_listed, BeginOrder::spread, BeginOrder::shuffled}) {
    auto order = begin_order(checks, kind, generator, {"a.plain/v4", "a.dangerous/v8"});
    ASSERT_EQ(order.size(), 30U);
    EXPECT_EQ(order.back(), 7U);
    std::ranges::sort(order.begin(), order.begin() + 2);
    EXPECT_EQ(order.at(0), 9U);
    EXPECT_EQ(order.at(1), 20U);
  }
}

}  // namespace
}  // namespace devmap
