#include <bench/rounds/evaluate.hpp>
#include <bench/rounds/record.hpp>
#include <bench/rounds/table.hpp>
#include <bench/rounds/taken.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace devmap::bench {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr double kCanary = 0.044;

const Benchmark kFloor = {.name = "live/floor", .chunk = 64};
const Benchmark kPath = {.name = "live/path", .facts = {.map_type = "devmap", .batch = 64}, .baseline = "live/floor"};

/// Twenty rounds of two copies; `value(round, copy)` is what each took.
template <class Value>
void take(std::vector<TakenSample>& taken, const Benchmark& benchmark, Value value) {
  for (std::uint32_t round = 0; round < 20; ++round) {
    for (const std::uint32_t copy : {0U, 1U}) {
      taken.push_back({.benchmark = benchmark.name,
                       .round = round,
                       .copy = copy,
                       .each = value(round, copy),
                       .canaries = Canaries{.before = kCanary, .after = kCanary}});
    }
  }
}

/// A wobble of a thousandth that is the same for both copies over the run, and not in a round.
double wobble(std::uint32_t round, std::uint32_t copy) {
  return 1 + 0.001 * ((round + copy) % 2);
}

std::vector<TakenSample> floor_and_path(double ratio) {
  std::vector<TakenSample> taken;
  take(taken, kFloor, [](auto round, auto copy) { return 20 * wobble(round, copy); });
  take(taken, kPath, [&](auto round, auto copy) { return 20 * ratio * wobble(round, copy); });
  return taken;
}

const Figure& of(const std::vector<Figure>& figures, const Benchmark& benchmark) {
  return *std::ranges::find(figures, benchmark.name, &Figure::benchmark);
}

TEST(Evaluate, TellsTheRatioToTheBaseline) {
  const auto figures = evaluate({&kFloor, &kPath}, floor_and_path(2));
  const auto& path = of(figures, kPath);
  EXPECT_EQ(path.status, Figure::Status::reliable);
  EXPECT_EQ(path.samples.size(), 40U);
  EXPECT_EQ(path.taken, 40U);
  ASSERT_TRUE(path.quantiles && path.to_itself && path.to_baseline);
  EXPECT_NEAR(path.quantiles->median, 40, 0.1);
  EXPECT_NEAR(path.to_itself->ratio, 1, 0.002);
  EXPECT_NEAR(path.to_baseline->ratio, 2, 0.001);
  EXPECT_FALSE(of(figures, kFloor).to_baseline);
}

TEST(Evaluate, DoesNotBelieveABenchmarkThatDiffersFromItself) {
  std::vector<TakenSample> taken;
  take(taken, kFloor, [](auto, auto copy) { return copy == 0 ? 20.0 : 20.5; });
  take(taken, kPath, [](auto round, auto copy) { return 40 * wobble(round, copy); });
  const auto figures = evaluate({&kFloor, &kPath}, taken);
  const auto& floor = of(figures, kFloor);
  EXPECT_EQ(floor.status, Figure::Status::unreliable);
  EXPECT_FALSE(floor.quantiles);
  EXPECT_THAT(floor.reason, HasSubstr("its ratio to itself is 0.976"));
  // Nor in a ratio to it.
  EXPECT_EQ(of(figures, kPath).status, Figure::Status::reliable);
  EXPECT_FALSE(of(figures, kPath).to_baseline);
}

TEST(Evaluate, LeavesOutWhatTheCanaryDoesNotLetThrough) {
  auto taken = floor_and_path(2);
  for (auto& sample : taken) {
    if (sample.round % 4 != 0) continue;
    sample.each *= 1.9;
    sample.canaries->after = kCanary * 1.3;
  }
  const auto figures = evaluate({&kFloor, &kPath}, taken);
  EXPECT_EQ(of(figures, kPath).samples.size(), 30U);
  EXPECT_EQ(of(figures, kPath).taken, 40U);
  EXPECT_NEAR(of(figures, kPath).quantiles.value().p90, 40, 0.1);
}

TEST(Evaluate, TellsSamplesOfAllClocksAtOne) {
  auto taken = floor_and_path(2);
  for (auto& sample : taken) {
    // A clock for either copy: without it a benchmark would differ from itself.
    if (sample.copy == 0) continue;
    sample.each *= 1.05;
    sample.canaries = Canaries{.before = kCanary * 1.05, .after = kCanary * 1.05};
  }
  const auto figures = evaluate({&kFloor, &kPath}, taken);
  EXPECT_EQ(of(figures, kPath).status, Figure::Status::reliable);
  EXPECT_NEAR(of(figures, kPath).to_itself.value().ratio, 1, 0.002);
  const auto canary = canary_told_at(taken).value();
  EXPECT_NEAR(of(figures, kPath).quantiles.value().median, 40 * canary / kCanary, 0.1);
}

TEST(Evaluate, KnowsNoClockWithoutACanary) {
  auto taken = floor_and_path(2);
  std::map<std::string, std::string> context;
  EXPECT_DOUBLE_EQ(canary_told_at(taken).value(), kCanary);
  add_canary(context, taken);
  EXPECT_EQ(context["canary"], "0.0440 ns");
  for (auto& sample : taken) sample.canaries.reset();
  context.clear();
  EXPECT_FALSE(canary_told_at(taken));
  add_canary(context, taken);
  EXPECT_TRUE(context.empty());
}

TEST(Evaluate, CountsWhatWasTakenAgain) {
  auto taken = floor_and_path(2);
  taken.front().discarded = 3;
  const auto figures = evaluate({&kFloor}, taken);
  EXPECT_EQ(figures.front().samples.size(), 40U);
  EXPECT_EQ(figures.front().taken, 43U);
}

TEST(Evaluate, AsksForNoCanaryOfWhatTellsItself) {
  auto taken = floor_and_path(2);
  for (auto& sample : taken) sample.canaries.reset();
  EXPECT_EQ(evaluate({&kFloor}, taken).front().samples.size(), 40U);
}

TEST(Evaluate, HasNoFigureOfFewSamples) {
  auto taken = floor_and_path(2);
  for (auto& sample : taken) sample.hindered = sample.round >= kFewestPairs - 1;
  const auto figures = evaluate({&kPath}, taken);
  EXPECT_EQ(figures.front().status, Figure::Status::unreliable);
  EXPECT_EQ(figures.front().reason, "only 8 of 40 samples were undisturbed");
  EXPECT_FALSE(figures.front().to_itself);
}

TEST(Evaluate, AsksForMoreRoundsWhereNothingWasDisturbed) {
  auto taken = floor_and_path(2);
  std::erase_if(taken, [](const TakenSample& sample) { return sample.round >= 2; });
  const auto figures = evaluate({&kPath}, taken);
  EXPECT_EQ(figures.front().status, Figure::Status::unreliable);
  EXPECT_EQ(figures.front().reason, "2 rounds are too few: it takes 5");
}

TEST(Evaluate, VoidsAFigureThatLostFrames) {
  auto taken = floor_and_path(2);
  for (auto& sample : taken) sample.frames = {.sent = 64, .expected = 64, .delivered = 64};
  taken.back().frames.delivered = 63;
  const auto figures = evaluate({&kFloor, &kPath}, taken);
  EXPECT_EQ(of(figures, kFloor).status, Figure::Status::reliable);
  EXPECT_EQ(of(figures, kPath).status, Figure::Status::failed);
  EXPECT_EQ(of(figures, kPath).reason, "void: 2559 frames were delivered, of 2560 expected");
}

TEST(Evaluate, SaysWhatIsMissingAndWhatWentWrong) {
  const std::vector<TakenSample> taken = {{.benchmark = kFloor.name, .unmet = "needs a thing"},
                                          {.benchmark = kPath.name, .fault = "it broke"}};
  const auto figures = evaluate({&kFloor, &kPath}, taken);
  EXPECT_EQ(of(figures, kFloor).status, Figure::Status::unmet);
  EXPECT_EQ(of(figures, kFloor).reason, "needs a thing");
  EXPECT_EQ(of(figures, kPath).status, Figure::Status::failed);
  EXPECT_EQ(of(figures, kPath).reason, "it broke");
}

TEST(Evaluate, SurvivesARunThatWasEndedAtOnce) {
  const auto figures = evaluate({&kFloor}, {});
  EXPECT_EQ(figures.front().status, Figure::Status::unreliable);
  EXPECT_EQ(figures.front().taken, 0U);
}

TEST(TakenSample, ComesThroughAsItWas) {
  const TakenSample sample = {.benchmark = "live/path",
                              .round = 3,
                              .copy = 1,
                              .each = 41.25,
                              .canaries = Canaries{.before = 0.044, .after = 0.045},
                              .discarded = 2,
                              .frames = {.sent = 5, .expected = 10, .delivered = 9, .late = 2},
                              .hindered = true,
                              .unmet = "a",
                              .fault = "b \"quoted\"\n"};
  const auto line = sample.json_line();
  EXPECT_EQ(std::ranges::count(line, '\n'), 1);
  const auto read = TakenSample::from_json_line(line);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->json_line(), line);
  EXPECT_EQ(read->frames.late, 2U);
}

TEST(TakenSample, IsRefusedWhereTheLineIsCutOff) {
  const auto line = TakenSample{.benchmark = "live/path"}.json_line();
  EXPECT_FALSE(TakenSample::from_json_line(line.substr(0, line.size() / 2)).has_value());
  EXPECT_FALSE(TakenSample::from_json_line("{}").has_value());
}

TEST(TimeRecord, HasNoFigureOfWhatIsUnreliable) {
  std::vector<TakenSample> taken;
  take(taken, kFloor, [](auto, auto copy) { return copy == 0 ? 20.0 : 20.5; });
  take(taken, kPath, [](auto round, auto copy) { return 40 * wobble(round, copy); });
  const TimeRecord record = {.context = {{"kernel", "6.18"}}, .figures = evaluate({&kFloor, &kPath}, taken)};
  const auto json = nlohmann::json::parse(record.json());
  EXPECT_EQ(json.at("schema_version"), 1);
  EXPECT_EQ(json.at("layer"), "time");
  EXPECT_EQ(json.at("context").at("kernel"), "6.18");
  const auto& floor = json.at("benchmarks").at(0);
  EXPECT_EQ(floor.at("status"), "unreliable");
  EXPECT_FALSE(floor.contains("median"));
  const auto& path = json.at("benchmarks").at(1);
  EXPECT_EQ(path.at("facts").at("map_type"), "devmap");
  EXPECT_TRUE(path.contains("median") && path.contains("p10") && path.contains("p90"));

  const auto text = tables(record);
  EXPECT_THAT(text, HasSubstr("live/floor  unreliable: its ratio to itself"));
  EXPECT_THAT(text, Not(HasSubstr("20.")));
  EXPECT_THAT(text, HasSubstr("40.0"));
}

}  // namespace
}  // namespace devmap::bench
