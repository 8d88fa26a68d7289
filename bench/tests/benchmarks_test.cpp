#include <bench/measure/benchmark.hpp>
#include <bench/measure/stopwatch.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <utility>

namespace devmap::bench {
namespace {

TEST(Benchmarks, HaveNamesOfTheirOwn) {
  std::set<std::string> names;
  for (const auto& benchmark : all_benchmarks()) EXPECT_TRUE(names.insert(benchmark.name).second) << benchmark.name;
}

TEST(Benchmarks, NameOthersAsTheirBaselines) {
  for (const auto& benchmark : all_benchmarks()) {
    if (benchmark.baseline.empty()) continue;
    const auto* const baseline = find_benchmark(benchmark.baseline);
    ASSERT_NE(baseline, nullptr) << benchmark.name << " names " << benchmark.baseline;
    EXPECT_NE(baseline->name, benchmark.name);
    // Or there would be no ratio in the set that everybody runs.
    EXPECT_TRUE(!benchmark.standard || baseline->standard) << benchmark.name << " names " << baseline->name;
  }
}

TEST(Benchmarks, HaveTheRatiosThatAreClaimed) {
  for (const auto& [name, baseline] :
       {std::pair{"live/redirect_map/devmap", "live/drop"},
        std::pair{"live/redirect_map/devmap_hash", "live/redirect_map/devmap"},
        std::pair{"harness/lookup", "lookup/devmap/64"}, std::pair{"harness/update", "update_replace/devmap/64"}}) {
    const auto* const benchmark = find_benchmark(name);
    ASSERT_NE(benchmark, nullptr) << name;
    EXPECT_EQ(benchmark->baseline, baseline) << name;
    EXPECT_TRUE(benchmark->standard) << name;
  }
}

TEST(Benchmarks, CoverTheSizesOfBothMaps) {
  for (const auto* const map : {"devmap", "devmap_hash"}) {
    for (const auto* const call : {"update_new", "update_replace", "update_with_program", "lookup", "delete",
                                   "next_key", "iterate", "create_and_free"}) {
      for (const auto* const entries : {"1", "64", "4096", "65536", "1000000"}) {
        const auto name = std::string(call) + "/" + map + "/" + entries;
        EXPECT_NE(find_benchmark(name), nullptr) << name;
      }
    }
  }
}

TEST(Benchmarks, SayWhatTheyAreAbout) {
  const auto* const broadcast = find_benchmark("live/broadcast/devmap/devices:1/slots:4096");
  ASSERT_NE(broadcast, nullptr);
  EXPECT_EQ(broadcast->facts.text(), "map devmap, max_entries 4096, 64 bytes, batch 64, peer native XDP_DROP");
  EXPECT_EQ(find_benchmark("no such"), nullptr);
}

TEST(Benchmark, SaysWhatIsMissing) {
  const Benchmark benchmark = {
      .name = "one", .needs = {{.name = "a thing", .probe = [] { return Fact{Presence::absent, "there is none"}; }}}};
  EXPECT_EQ(benchmark.unmet(), "needs a thing: there is none");
  EXPECT_EQ(Benchmark{.name = "two"}.unmet(), "");
}

TEST(Stopwatch, CountsTimeOfThisThread) {
  for (const auto clock : {Clock::thread_time, Clock::ticks}) {
    const Stopwatch stopwatch(clock);
    volatile unsigned sum = 0;
    for (unsigned addition = 0; addition < 100'000; ++addition) sum = sum + addition;
    const double first = stopwatch.spent();
    EXPECT_GT(first, 0);
    EXPECT_GE(stopwatch.spent(), first);
  }
}

}  // namespace
}  // namespace devmap::bench
