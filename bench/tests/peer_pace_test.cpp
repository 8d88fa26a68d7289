#include <bench/peer/pace.hpp>

#include <bench/peer/side_facts.hpp>

#include <gtest/gtest.h>
#include <unistd.h>

#include <vector>

namespace devmap::bench {
namespace {

constexpr double kCanary = 0.06;

TEST(PiecesBetween, AreOfWhatCameInBetweenTwoLooks) {
  const std::vector<Look> looks = {{.cpu_seconds = 0.1, .frames = 64, .canary = 0.06},
                                   {.cpu_seconds = 0.105, .frames = 20'064, .canary = 0.07},
                                   {.cpu_seconds = 0.110, .frames = 45'064, .canary = 0.08}};
  const auto pieces = pieces_between(looks);
  ASSERT_EQ(pieces.size(), 2U);
  EXPECT_NEAR(pieces[0].time, 250, 1e-6);
  EXPECT_EQ(pieces[0].canaries.before, 0.06);
  EXPECT_EQ(pieces[0].canaries.after, 0.07);
  EXPECT_NEAR(pieces[1].time, 200, 1e-6);
  EXPECT_EQ(pieces[1].canaries.before, 0.07);
  EXPECT_EQ(pieces[1].canaries.after, 0.08);
}

TEST(PiecesBetween, AreNoneWhereNoFramesCameInOrNoTimePassed) {
  EXPECT_TRUE(pieces_between({}).empty());
  EXPECT_TRUE(pieces_between(std::vector<Look>{{.cpu_seconds = 0.1, .frames = 64}}).empty());
  EXPECT_TRUE(pieces_between(std::vector<Look>{{.cpu_seconds = 0.1, .frames = 64}, {.cpu_seconds = 0.2, .frames = 64}})
                  .empty());
  EXPECT_TRUE(pieces_between(std::vector<Look>{{.cpu_seconds = 0.1, .frames = 64}, {.cpu_seconds = 0.1, .frames = 128}})
                  .empty());
}

TEST(LookAt, TellsTimeAndFramesOfTheSameMoment) {
  const GeneratorClocks clocks{.process = clock_of(getpid())};
  ASSERT_TRUE(clocks.process);
  const double before = seconds_of(clocks.process);
  const auto look = look_at(clocks, [] { return Expected<std::uint64_t>(7); }, [] { return kCanary; });
  ASSERT_TRUE(look);
  EXPECT_EQ(look->frames, 7U);
  EXPECT_EQ(look->canary, kCanary);
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
