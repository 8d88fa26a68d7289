#include <bench/compare/compare.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace devmap::bench {
namespace {

using testing::HasSubstr;
using Verdict = Difference::Verdict;

std::vector<double> around(double mean, std::uint64_t seed, std::size_t count = 30) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal(mean, mean * 0.005);
  std::vector<double> values(count);
  std::ranges::generate(values, [&] { return normal(random); });
  return values;
}

Comparable with(const std::string& name, std::vector<double> samples) {
  return {.samples = {{name, std::move(samples)}}};
}

Verdict verdict(const Comparable& before, const Comparable& after, const CompareOptions& options = {}) {
  return compare(before, after, options).front().verdict;
}

TEST(Compare, FindsWhatBecameSlowerOrFaster) {
  const auto before = with("a", around(100, 1));
  EXPECT_EQ(verdict(before, with("a", around(104, 2))), Verdict::slower);
  EXPECT_EQ(verdict(before, with("a", around(96, 3))), Verdict::faster);
  EXPECT_EQ(verdict(before, with("a", around(100, 4))), Verdict::same);
}

TEST(Compare, DoesNotCallADifferenceBelowTheThresholdARegression) {
  const auto before = with("a", around(100, 1, 200));
  const auto after = with("a", around(101, 2, 200));
  EXPECT_EQ(verdict(before, after), Verdict::same);
  EXPECT_EQ(verdict(before, after, {.threshold = 0.005}), Verdict::slower);
}

TEST(Compare, DoesNotDecideBySamplesThatAreTooFew) {
  const auto few = compare(with("a", {100, 101, 102}), with("a", {150, 151, 152})).front();
  EXPECT_EQ(few.verdict, Verdict::undecided);
  EXPECT_EQ(few.reason, "too few samples: 3 and 3");
  EXPECT_EQ(verdict(with("a", {100, 101, 102, 103, 104}), with("a", {150, 151, 152, 153, 154})), Verdict::slower);
}

TEST(Compare, SaysOfWhatThereIsNothingToCompare) {
  Comparable before = with("a", around(100, 1));
  before.without = {{"b", "unreliable"}};
  const auto differences = compare(before, with("b", around(100, 2)));
  ASSERT_EQ(differences.size(), 2U);
  EXPECT_EQ(differences[0].verdict, Verdict::undecided);
  EXPECT_EQ(differences[0].reason, "missing in the second record");
  EXPECT_EQ(differences[1].reason, "unreliable in the first record");
}

TEST(Compare, TakesTheNumberOfBenchmarksIntoAccount) {
  // With 300 equal ones, p below 0.01 comes three times by chance.
  Comparable before;
  Comparable after;
  for (std::uint64_t nth = 0; nth < 300; ++nth) {
    before.samples[std::to_string(nth)] = around(100, 2 * nth + 1, 10);
    after.samples[std::to_string(nth)] = around(100, 2 * nth + 2, 10);
  }
  const auto differences = compare(before, after, {.threshold = 0});
  EXPECT_LE(std::ranges::count(differences, Verdict::slower, &Difference::verdict), 1);
}

TEST(ReadComparable, TakesOnlyReliableFiguresOfRounds) {
  const auto read = read_comparable(R"({"schema_version": 1, "layer": "time", "context": {"kernel": "6.18"},
    "benchmarks": [{"name": "a", "status": "reliable", "samples": [1.5, 2]},
                   {"name": "b", "status": "unreliable", "samples": [1, 9]}]})");
  ASSERT_TRUE(read.has_value()) << read.error().text();
  EXPECT_EQ(read->samples.at("a"), (std::vector<double>{1.5, 2}));
  EXPECT_EQ(read->without.at("b"), "unreliable");
  EXPECT_EQ(read->context.at("kernel"), "6.18");
}

TEST(ReadComparable, TakesRepetitionsOfGoogleBenchmark) {
  const auto read = read_comparable(R"({"context": {"kernel": "6.18"}, "benchmarks": [
    {"name": "a/repeats:2", "run_name": "a", "run_type": "iteration", "real_time": 1.5},
    {"name": "a/repeats:2", "run_name": "a", "run_type": "iteration", "real_time": 2.5},
    {"name": "a_mean", "run_name": "a", "run_type": "aggregate", "real_time": 2},
    {"name": "b", "run_name": "b", "run_type": "iteration", "error_occurred": true, "error_message": "void"}]})");
  ASSERT_TRUE(read.has_value()) << read.error().text();
  EXPECT_EQ(read->samples.at("a"), (std::vector<double>{1.5, 2.5}));
  EXPECT_EQ(read->without.at("b"), "void");
}

TEST(ReadComparable, SaysWhatIsWrongWithOtherText) {
  for (const auto& [text, complaint] : {std::pair{"", "parse error"},
                                        {R"({"benchmarks": [)", "parse error"},
                                        {"{}", "neither a record"},
                                        {"[1]", "neither a record"},
                                        {R"({"schema_version": 9, "layer": "time", "benchmarks": []})", "version 9"},
                                        {R"({"layer": "instructions", "benchmarks": []})", "neither a record"},
                                        {R"({"benchmarks": [{"name": "a", "real_time": 0}]})", "samples of no time"}}) {
    const auto read = read_comparable(text);
    ASSERT_FALSE(read.has_value()) << text;
    EXPECT_THAT(read.error().text(), HasSubstr(complaint)) << text;
  }
}

}  // namespace
}  // namespace devmap::bench
