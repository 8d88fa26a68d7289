#include <bench/statistics/bootstrap.hpp>
#include <bench/statistics/canary_gate.hpp>
#include <bench/statistics/quantiles.hpp>
#include <bench/statistics/significance.hpp>
#include <bench/statistics/slope.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <random>
#include <vector>

namespace devmap::bench {
namespace {

std::vector<double> counting_to(int last) {
  std::vector<double> values;
  for (int value = 1; value <= last; ++value) values.push_back(value);
  return values;
}

/// Normally distributed, always the same ones for a seed.
std::vector<double> noisy(double mean, double deviation, std::size_t count, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal(mean, deviation);
  std::vector<double> values(count);
  std::ranges::generate(values, [&] { return normal(random); });
  return values;
}

TEST(Quantiles, InterpolateBetweenNeighbours) {
  const std::vector<double> four = {40, 10, 30, 20};
  EXPECT_DOUBLE_EQ(quantile(four, 0), 10);
  EXPECT_DOUBLE_EQ(quantile(four, 1), 40);
  EXPECT_DOUBLE_EQ(median(four), 25);
  EXPECT_DOUBLE_EQ(quantile(four, 0.1), 13);  // 10 + 0.3 * 10
}

TEST(Quantiles, OfOneValueAreThatValue) {
  const auto all = quantiles(std::vector<double>{7});
  EXPECT_DOUBLE_EQ(all.p10, 7);
  EXPECT_DOUBLE_EQ(all.median, 7);
  EXPECT_DOUBLE_EQ(all.p90, 7);
}

TEST(Quantiles, AreUndisturbedByMostPiecesAndByALuckyOne) {
  std::vector<double> pieces(15, 1.0);
  pieces.insert(pieces.end(), 84, 1.7);
  pieces.push_back(0.2);
  EXPECT_DOUBLE_EQ(undisturbed(pieces), 1);
}

TEST(Quantiles, OfElevenValuesFallOnValues) {
  const auto all = quantiles(counting_to(11));
  EXPECT_DOUBLE_EQ(all.p10, 2);
  EXPECT_DOUBLE_EQ(all.median, 6);
  EXPECT_DOUBLE_EQ(all.p90, 10);
}

TEST(PairedRatio, OfConstantRatiosHasNoWidth) {
  std::vector<Pair> pairs;
  for (int round = 1; round <= 10; ++round) pairs.push_back({.value = 3.0 * round, .baseline = 2.0 * round});
  const auto interval = paired_ratio(pairs);
  EXPECT_DOUBLE_EQ(interval.ratio, 1.5);
  EXPECT_DOUBLE_EQ(interval.low, 1.5);
  EXPECT_DOUBLE_EQ(interval.high, 1.5);
}

TEST(PairedRatio, IsNotMovedByWhatSlowsBothOfAPair) {
  std::vector<Pair> pairs;
  for (int round = 0; round < 20; ++round) {
    const double slowness = round % 3 == 0 ? 1.9 : 1;
    pairs.push_back({.value = 20 * slowness, .baseline = 10 * slowness});
  }
  const auto interval = paired_ratio(pairs);
  EXPECT_DOUBLE_EQ(interval.low, 2);
  EXPECT_DOUBLE_EQ(interval.high, 2);
}

TEST(PairedRatio, OfTwoValuesHasTheWholeRangeAsItsInterval) {
  // The median of two ratios drawn from {1, 2} is 1 or 2 with a quarter each: more than the 2.5 % of either tail.
  const std::vector<Pair> pairs = {{.value = 1, .baseline = 1}, {.value = 2, .baseline = 1}};
  const auto interval = paired_ratio(pairs);
  EXPECT_DOUBLE_EQ(interval.ratio, 1.5);
  EXPECT_DOUBLE_EQ(interval.low, 1);
  EXPECT_DOUBLE_EQ(interval.high, 2);
}

TEST(PairedRatio, IsTheSameForTheSameSeed) {
  std::vector<Pair> pairs;
  for (const double value : noisy(100, 5, 25, 3)) pairs.push_back({.value = value, .baseline = 100});
  const auto once = paired_ratio(pairs, {.seed = 9});
  const auto again = paired_ratio(pairs, {.seed = 9});
  EXPECT_EQ(once.low, again.low);
  EXPECT_EQ(once.high, again.high);
}

TEST(UnpairedRatio, HoldsTheTrueRatioAboutAsOftenAsItSays) {
  constexpr double kTrue = 1.1;
  int held = 0;
  constexpr int kTrials = 200;
  for (std::uint64_t trial = 0; trial < kTrials; ++trial) {
    const auto values = noisy(110, 3, 25, 2 * trial + 1);
    const auto baseline = noisy(100, 3, 25, 2 * trial + 2);
    if (unpaired_ratio(values, baseline, {.resamples = 500, .seed = trial}).contains(kTrue)) ++held;
  }
  EXPECT_GE(held, kTrials * 90 / 100);
  EXPECT_LE(held, kTrials * 99 / 100);
}

TEST(UnpairedRatio, NarrowsWithTheSquareRootOfTheSamples) {
  const auto width = [](std::size_t count) {
    double sum = 0;
    for (std::uint64_t trial = 0; trial < 20; ++trial) {
      const auto interval = unpaired_ratio(noisy(100, 3, count, 2 * trial + 1), noisy(100, 3, count, 2 * trial + 2),
                                           {.resamples = 500, .seed = trial});
      sum += interval.high - interval.low;
    }
    return sum;
  };
  EXPECT_NEAR(width(25) / width(400), 4, 1);
}

TEST(Reliability, WantsOneInANarrowInterval) {
  EXPECT_TRUE(is_reliable({.ratio = 1, .low = 0.99, .high = 1.01}));
  EXPECT_FALSE(is_reliable({.ratio = 1.006, .low = 1.002, .high = 1.01}));
  EXPECT_FALSE(is_reliable({.ratio = 0.994, .low = 0.99, .high = 0.998}));
  EXPECT_FALSE(is_reliable({.ratio = 1, .low = 0.98, .high = 1.01}));
  EXPECT_FALSE(is_reliable({.ratio = 1, .low = 0.99, .high = 1.02}));
  EXPECT_TRUE(is_reliable({.ratio = 1, .low = 0.98, .high = 1.02}, 0.02));
}

TEST(Significance, IsExactForFewValues) {
  // Of the 20 arrangements of three and three values, two are as extreme as complete separation.
  EXPECT_DOUBLE_EQ(mann_whitney_p(std::vector<double>{1, 2, 3}, std::vector<double>{4, 5, 6}), 0.1);
  EXPECT_DOUBLE_EQ(mann_whitney_p(std::vector<double>{4, 5, 6}, std::vector<double>{1, 2, 3}), 0.1);
  // U = 1: of 70 arrangements of four and four, one has 0 and one has 1.
  EXPECT_NEAR(mann_whitney_p(std::vector<double>{1, 2, 3, 5}, std::vector<double>{4, 6, 7, 8}), 4.0 / 70, 1e-12);
  // U = 3 is the middle of what one and six values can have.
  EXPECT_DOUBLE_EQ(mann_whitney_p(std::vector<double>{3.5}, std::vector<double>{1, 2, 3, 4, 5, 6}), 1);
}

TEST(Significance, FollowsTheNormalApproximationWithTies) {
  // U = 3 of 25: 4 is above two values, and 3 is equal to two. A pair and a group of three are equal.
  const std::vector<double> first = {1, 2, 2, 3, 4};
  const std::vector<double> second = {3, 3, 5, 6, 7};
  const double deviation = std::sqrt(25.0 / 12 * (11 - 30.0 / 90));
  EXPECT_NEAR(mann_whitney_p(first, second), std::erfc((12.5 - 3 - 0.5) / deviation / std::sqrt(2.0)), 1e-12);
}

TEST(Significance, OfEqualSamplesIsOne) {
  EXPECT_DOUBLE_EQ(mann_whitney_p(std::vector<double>{5, 5, 5}, std::vector<double>{5, 5, 5}), 1);
  const auto same = counting_to(40);
  EXPECT_DOUBLE_EQ(mann_whitney_p(same, same), 1);
}

TEST(Significance, FindsADifferenceAndRarelyOneThatIsNotThere) {
  EXPECT_LT(mann_whitney_p(noisy(103, 2, 30, 1), noisy(100, 2, 30, 2)), 0.001);
  int found = 0;
  constexpr int kTrials = 400;
  for (std::uint64_t trial = 0; trial < kTrials; ++trial) {
    if (mann_whitney_p(noisy(100, 2, 25, 2 * trial + 1), noisy(100, 2, 25, 2 * trial + 2)) < 0.05) ++found;
  }
  EXPECT_NEAR(found, kTrials * 0.05, kTrials * 0.03);
}

/// As many samples, at the same speed before and after.
std::vector<Canaries> at(double speed, std::size_t samples) {
  return std::vector<Canaries>(samples, {.before = speed, .after = speed});
}

std::size_t let_through(const std::vector<Canaries>& canaries) {
  const CanaryGate gate(canaries);
  return static_cast<std::size_t>(
      std::ranges::count_if(canaries, [&](const auto& canary) { return gate.lets_through(canary); }));
}

std::vector<Canaries> joined(std::initializer_list<std::vector<Canaries>> parts) {
  std::vector<Canaries> all;
  for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

TEST(CanaryGate, LetsThroughWhatWasFastBeforeAndAfter) {
  const std::vector<Canaries> canaries = {{.before = 1.00, .after = 1.02},
                                          {.before = 1.05, .after = 1.079},
                                          {.before = 1.3, .after = 1.0},
                                          {.before = 1.0, .after = 1.09}};
  const CanaryGate gate(canaries);
  EXPECT_DOUBLE_EQ(gate.steady(), 1);
  EXPECT_TRUE(gate.lets_through(canaries[0]));
  EXPECT_TRUE(gate.lets_through(canaries[1]));
  EXPECT_FALSE(gate.lets_through(canaries[2]));
  EXPECT_FALSE(gate.lets_through(canaries[3]));
}

TEST(CanaryGate, IsOfTheSpeedThatTheProcessorKeeps) {
  // A clock that is 10 to 16 % higher for a moment after a pause.
  const auto canaries = joined({at(0.0602, 2), at(0.0645, 10), at(0.0669, 40), at(0.0700, 50)});
  EXPECT_DOUBLE_EQ(CanaryGate(canaries).steady(), 0.0669);
  EXPECT_EQ(let_through(canaries), canaries.size());
}

TEST(CanaryGate, KeepsTheFastStateOfABimodalMachine) {
  EXPECT_EQ(let_through(joined({at(1.4, 25), at(1.0, 50), at(1.02, 25)})), 75U);
}

TEST(CanaryGate, DoesNotTakeANeighbourForTheProcessorItself) {
  const auto canaries = joined({at(1.0, 5), at(1.6, 90), at(1.65, 5)});
  EXPECT_DOUBLE_EQ(CanaryGate(canaries).steady(), 1);
  EXPECT_EQ(let_through(canaries), 5U);
}

TEST(Slope, OfTwoPointsGoesThroughBoth) {
  const auto line = fit_line(std::vector<CostOfCount>{{.count = 1, .cost = 8}, {.count = 65, .cost = 136}});
  EXPECT_DOUBLE_EQ(line.slope, 2);
  EXPECT_DOUBLE_EQ(line.intercept, 6);
}

TEST(Slope, FitsByLeastSquares) {
  const auto line = fit_line(std::vector<CostOfCount>{
      {.count = 0, .cost = 1}, {.count = 1, .cost = 3}, {.count = 2, .cost = 4}, {.count = 3, .cost = 4}});
  EXPECT_NEAR(line.slope, 1.0, 1e-12);
  EXPECT_NEAR(line.intercept, 1.5, 1e-12);
}

}  // namespace
}  // namespace devmap::bench
