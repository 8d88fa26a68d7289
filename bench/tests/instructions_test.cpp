#include <bench/instructions/count.hpp>
#include <bench/instructions/counted_set.hpp>
#include <bench/measure/instruction_clock.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace devmap::bench {
namespace {

using testing::HasSubstr;

/// As a clock would tell of it: each operation costs the same, and every third piece is disturbed.
class Invented : public Workload {
 public:
  Invented(double each, FrameCount frames) : each_(each), frames_(frames) {}
  Expected<void> verify() override { return {}; }
  Expected<Sample> run(std::uint64_t operations, Clock clock) override {
    EXPECT_EQ(clock, Clock::ticks);
    constexpr double kOfACall = 1000;
    constexpr double kDisturbance = 50'000;
    const double disturbed = ++pieces_ % 3 == 1 ? kDisturbance : 0;
    return Sample{.operations = operations,
                  .spent = kOfACall + each_ * static_cast<double>(operations) + disturbed,
                  .frames = frames_};
  }

 private:
  double each_;
  FrameCount frames_;
  int pieces_ = 0;
};

const Benchmark kFrames = {.name = "live/path", .facts = {.frame_length = 64}};

TEST(CountedSet, NamesBenchmarksThatThereAre) {
  std::set<std::string> seen;
  for (const auto& name : counted_set()) {
    EXPECT_NE(find_benchmark(name), nullptr) << name;
    EXPECT_TRUE(seen.insert(name).second) << name;
  }
}

TEST(CountedSet, HasTheCallsOfTheHarnessBehindWhatTheyAreComparedWith) {
  std::set<std::string> seen;
  int of_harness = 0;
  for (const auto& name : counted_set()) {
    const auto& benchmark = *find_benchmark(name);
    if (is_of_harness(benchmark)) {
      EXPECT_TRUE(seen.contains(benchmark.baseline)) << name;
      ++of_harness;
    }
    seen.insert(name);
  }
  EXPECT_EQ(of_harness, 2);
}

TEST(CountedSet, SaysWhatAFigureIsAbout) {
  EXPECT_EQ(counted_per(*find_benchmark("lookup/devmap/64")), "operation");
  EXPECT_EQ(counted_per(*find_benchmark("helper/redirect")), "call");
  EXPECT_EQ(counted_per(*find_benchmark("harness/lookup")), "call");
  EXPECT_EQ(counted_per(*find_benchmark("packet/drop")), "frame");
}

TEST(CountInstructions, TakesFramesBySlopeFromPiecesThatWereNotDisturbed) {
  Invented workload(597.25, {});
  EXPECT_EQ(count_instructions(workload, kFrames).value(), 597.25);
}

TEST(CountInstructions, LeavesOutFramesThatDidNotAllComeInTime) {
  Invented lost(600, {.sent = 256, .expected = 256, .delivered = 255});
  const auto lossy = count_instructions(lost, kFrames);
  ASSERT_FALSE(lossy.has_value());
  EXPECT_THAT(lossy.error().text(), HasSubstr("255 of 256 frames"));
  Invented late(600, {.sent = 256, .expected = 256, .delivered = 256, .late = 1});
  EXPECT_FALSE(count_instructions(late, kFrames).has_value());
}

TEST(CountInstructions, DividesTheLeastPieceByItsCalls) {
  constexpr double kCalls = 64;
  constexpr double kOfACall = 1000;
  Invented workload(2000, {});
  const auto counted = count_instructions(workload, {.name = "lookup/devmap/64"});
  ASSERT_TRUE(counted.has_value());
  EXPECT_LE(*counted, 2000 + kOfACall / kCalls);
}

TEST(CountInstructions, TakesWhatIsASlopeAlreadyAsItIs) {
  Invented workload(30, {});
  const auto counted = count_instructions(workload, {.name = "helper/x", .chunk = 1000, .by_slope = true});
  EXPECT_EQ(counted.value(), 30 + 1 + 50);
}

}  // namespace
}  // namespace devmap::bench
