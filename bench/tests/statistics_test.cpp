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
  const std::vector<Canaries> canaries = {{.before = 1.00, .after = 1.01},
                                          {.before = 1.14, .after = 1.15},
                                          {.before = 1.3, .after = 1.0},
                                          {.before = 1.0, .after = 1.3},
                                          {.before = 1.2, .after = 1.2}};
  const CanaryGate gate(canaries);
  EXPECT_DOUBLE_EQ(gate.steady(), 1.005);
  EXPECT_TRUE(gate.lets_through(canaries[0]));
  EXPECT_TRUE(gate.lets_through(canaries[1]));
  EXPECT_FALSE(gate.lets_through(canaries[2]));
  EXPECT_FALSE(gate.lets_through(canaries[3]));
  EXPECT_FALSE(gate.lets_through(canaries[4]));
}

TEST(CanaryGate, DoesNotLetThroughWhatTheClockChangedIn) {
  const CanaryGate gate(at(1, 10));
  EXPECT_TRUE(gate.lets_through({.before = 1.04, .after = 1.04}));
  EXPECT_FALSE(gate.lets_through({.before = 1, .after = 1.04}));
  EXPECT_FALSE(gate.lets_through({.before = 1.04, .after = 1}));
}

TEST(CanaryGate, TellsTimesAtTheClockOfMostSamples) {
  const CanaryGate gate(joined({at(0.058, 10), at(0.060, 30), at(0.067, 10), at(0.12, 20)}));
  EXPECT_DOUBLE_EQ(gate.told_at(), 0.060);
  EXPECT_DOUBLE_EQ(gate.at_one_clock(100, {.before = 0.060, .after = 0.060}), 100);
  EXPECT_DOUBLE_EQ(gate.at_one_clock(110, {.before = 0.066, .after = 0.066}), 100);
}

TEST(CanaryGate, IsOfTheSpeedThatTheProcessorKeeps) {
  // A clock that is higher for a moment after a pause.
  const auto canaries = joined({at(0.0560, 2), at(0.0645, 10), at(0.0669, 40), at(0.0700, 50)});
  EXPECT_DOUBLE_EQ(CanaryGate(canaries).steady(), 0.0645);
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

TEST(CanaryGate, DoesNotGoByWhatChangedMeanwhile) {
  auto canaries = at(1.0, 10);
  canaries.resize(60, {.before = 1.2, .after = 1.27});
  EXPECT_DOUBLE_EQ(CanaryGate(canaries).steady(), 1);
  EXPECT_EQ(let_through(canaries), 10U);
}

TEST(CanaryGate, LetsNothingThroughWhereNothingWasSteady) {
  EXPECT_EQ(let_through(std::vector<Canaries>(10, {.before = 1, .after = 1.1})), 0U);
}

constexpr double kCanary = 0.06;
constexpr std::size_t kFewest = 10;

/// As many pieces, at the same clock before and after.
std::vector<Piece> pieces_of(double time, std::size_t count, double canary = kCanary) {
  return std::vector<Piece>(count, {.time = time, .canaries = {.before = canary, .after = canary}});
}

std::vector<Piece> joined(std::vector<Piece> first, const std::vector<Piece>& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

TEST(Undisturbed, IsTheSameWhereNothingDisturbs) {
  const auto told = undisturbed(pieces_of(250, 40), kCanary, kFewest);
  ASSERT_TRUE(told);
  EXPECT_DOUBLE_EQ(told->time, 250);
  EXPECT_DOUBLE_EQ(told->canary, kCanary);
}

TEST(Undisturbed, IsNotOfWhatANeighbourSlows) {
  // Slowed less than its canary: at one clock it would be the fastest.
  const auto slowed = pieces_of(300, 30, 2 * kCanary);
  EXPECT_DOUBLE_EQ(undisturbed(joined(pieces_of(250, 20), slowed), kCanary, kFewest).value().time, 250);
  EXPECT_FALSE(undisturbed(slowed, kCanary, kFewest));
}

TEST(Undisturbed, IsNotOfWhatSlowsItBetweenTwoCanaries) {
  EXPECT_DOUBLE_EQ(undisturbed(joined(pieces_of(250, 15), pieces_of(425, 85)), kCanary, kFewest).value().time, 250);
}

TEST(Undisturbed, IsNotOfOneLuckyPiece) {
  EXPECT_DOUBLE_EQ(undisturbed(joined(pieces_of(250, 39), pieces_of(50, 1)), kCanary, kFewest).value().time, 250);
}

TEST(Undisturbed, IsToldAtTheFastestClockOfWhichThereIsEnough) {
  // A neighbour that slows the canary and not the pieces looks like a lower clock.
  const auto slow_canaries = pieces_of(250, 25, 1.1 * kCanary);
  const auto told = undisturbed(joined(pieces_of(250, 15), slow_canaries), kCanary, kFewest);
  ASSERT_TRUE(told);
  EXPECT_DOUBLE_EQ(told->canary, kCanary);
  EXPECT_DOUBLE_EQ(told->time, 250);
  EXPECT_DOUBLE_EQ(undisturbed(joined(pieces_of(250, 9), slow_canaries), kCanary, kFewest).value().canary,
                   1.1 * kCanary);
}

TEST(Undisturbed, TakesCanariesThatDifferALittleForOneClock) {
  const auto told = undisturbed(joined(pieces_of(250, 5), pieces_of(250 * 1.01, 5, 1.01 * kCanary)), kCanary, kFewest);
  ASSERT_TRUE(told);
  EXPECT_NEAR(told->time / told->canary, 250 / kCanary, 1e-6);
}

TEST(Undisturbed, IsNotOfPiecesInWhichTheClockChanges) {
  auto pieces = pieces_of(250, 20);
  for (auto& piece : pieces) piece.canaries.after *= 1.04;
  EXPECT_FALSE(undisturbed(pieces, kCanary, kFewest));
}

TEST(Undisturbed, TakesAsManyPiecesAsAreAskedFor) {
  EXPECT_FALSE(undisturbed({}, kCanary, 0));
  EXPECT_FALSE(undisturbed(pieces_of(250, kFewest - 1), kCanary, kFewest));
  EXPECT_TRUE(undisturbed(pieces_of(250, kFewest), kCanary, kFewest));
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
