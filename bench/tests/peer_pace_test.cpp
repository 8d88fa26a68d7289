#include <bench/peer/pace.hpp>

#include <bench/peer/side_facts.hpp>

#include <gtest/gtest.h>
#include <unistd.h>

#include <vector>

namespace devmap::bench {
namespace {

constexpr double kStretch = 0.025;  // CPU seconds

/// Looks at a generator that sends at these rates, a stretch each.
std::vector<Look> looks(const std::vector<double>& rates) {
  std::vector<Look> looks = {{.cpu_seconds = 0.1, .frames = 64}};
  for (const double rate : rates) {
    const auto& last = looks.back();
    looks.push_back({.cpu_seconds = last.cpu_seconds + kStretch,
                     .frames = last.frames + static_cast<std::uint64_t>(rate * kStretch)});
  }
  return looks;
}

TEST(UndisturbedRate, IsTheSameWhereNothingDisturbs) {
  EXPECT_NEAR(undisturbed_rate(looks(std::vector<double>(40, 4e6))).value(), 4e6, 1);
}

TEST(UndisturbedRate, IsNotOfWhatANeighbourSlows) {
  std::vector<double> rates(30, 2.4e6);
  rates.insert(rates.end(), 10, 4e6);
  EXPECT_NEAR(undisturbed_rate(looks(rates)).value(), 4e6, 1);
}

TEST(UndisturbedRate, IsNotThatOfOneLuckyStretch) {
  std::vector<double> rates(39, 4e6);
  rates.push_back(8e6);
  EXPECT_NEAR(undisturbed_rate(looks(rates)).value(), 4e6, 1);
}

TEST(UndisturbedRate, PassesOverStretchesWithoutFrames) {
  std::vector<double> rates(20, 0);
  rates.insert(rates.end(), 10, 4e6);
  EXPECT_NEAR(undisturbed_rate(looks(rates)).value(), 4e6, 1);
}

TEST(UndisturbedRate, TakesTenStretches) {
  EXPECT_FALSE(undisturbed_rate({}));
  EXPECT_FALSE(undisturbed_rate(looks(std::vector<double>(kFewestStretches - 1, 4e6))));
  EXPECT_TRUE(undisturbed_rate(looks(std::vector<double>(kFewestStretches, 4e6))));
}

TEST(LookAt, TellsTimeAndFramesOfTheSameMoment) {
  const GeneratorClocks clocks{.process = clock_of(getpid())};
  ASSERT_TRUE(clocks.process);
  const double before = seconds_of(clocks.process);
  const auto look = look_at(clocks, [] { return Expected<std::uint64_t>(7); });
  ASSERT_TRUE(look);
  EXPECT_EQ(look->frames, 7U);
  EXPECT_GE(look->cpu_seconds, before);
  EXPECT_LE(look->cpu_seconds, seconds_of(clocks.process));
}

TEST(LookAt, SeesNothingWhereOneOfBothIsMissing) {
  const auto seven = [] { return Expected<std::uint64_t>(7); };
  EXPECT_FALSE(look_at({}, seven));
  EXPECT_FALSE(
      look_at({.process = clock_of(getpid())}, []() -> Expected<std::uint64_t> { return failure("look", 1); }));
}

TEST(LookAt, SeesNothingWhereTimePassesMeanwhile) {
  const GeneratorClocks clocks{.process = clock_of(getpid())};
  const auto slow = [&] {
    for (const double begun = seconds_of(clocks.process); seconds_of(clocks.process) < begun + 0.001;) continue;
    return Expected<std::uint64_t>(7);
  };
  EXPECT_FALSE(look_at(clocks, slow));
}

}  // namespace
}  // namespace devmap::bench
