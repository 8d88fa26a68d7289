#include <bench/compare/counts.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace devmap::bench {
namespace {

using testing::HasSubstr;
using Verdict = CountChange::Verdict;

Counts of(const std::string& name, double instructions) {
  return {.instructions = {{name, instructions}}};
}

Verdict verdict(const std::string& name, double before, double after, std::optional<double> threshold = {}) {
  return compare(of(name, before), of(name, after), threshold).front().verdict;
}

TEST(CompareCounts, AllowsAQuarterOfAPercentAboutDeviceMapsAndOnePercentElsewhere) {
  EXPECT_EQ(verdict("lookup/devmap/64", 2000, 2005), Verdict::same);
  EXPECT_EQ(verdict("lookup/devmap/64", 2000, 2006), Verdict::more);
  EXPECT_EQ(verdict("live/redirect_map/devmap_hash", 2000, 1994), Verdict::less);
  EXPECT_EQ(verdict("live/drop", 2000, 2020), Verdict::same);
  EXPECT_EQ(verdict("live/drop", 2000, 2021), Verdict::more);
  EXPECT_EQ(verdict("live/drop", 2000, 2001, 0), Verdict::more);
}

TEST(CompareCounts, TakesAnythingForMoreThanNothing) {
  EXPECT_EQ(verdict("overhead/harness/lookup", 0, 1), Verdict::more);
  EXPECT_EQ(verdict("overhead/harness/lookup", 0, 0), Verdict::same);
  EXPECT_EQ(verdict("overhead/harness/lookup", -2, -3), Verdict::less);
}

TEST(CompareCounts, SaysOfWhatThereIsNothingToCompare) {
  Counts before = of("a", 1);
  before.left_out = {{"b", "needs veth"}};
  const auto changes = compare(before, of("b", 1));
  ASSERT_EQ(changes.size(), 2U);
  EXPECT_EQ(changes[0].verdict, Verdict::undecided);
  EXPECT_EQ(changes[0].reason, "missing in the second record");
  EXPECT_EQ(changes[1].reason, "left out of the first record: needs veth");
}

TEST(ReadCounts, TakesFiguresAndReasons) {
  const auto read = read_counts(R"({"schema_version": 1, "layer": "instructions", "context": {"qemu": "7.2.22"},
    "benchmarks": [{"name": "a", "instructions": 33.5, "per": "call"}, {"name": "b", "left_out": "why"}]})");
  ASSERT_TRUE(read.has_value()) << read.error().text();
  EXPECT_EQ(read->instructions.at("a"), 33.5);
  EXPECT_EQ(read->left_out.at("b"), "why");
  EXPECT_EQ(read->context.at("qemu"), "7.2.22");
}

TEST(ReadCounts, SaysWhatIsWrongWithOtherText) {
  for (const auto& [text, complaint] :
       {std::pair{"", "parse error"},
        {R"({"layer": "time"})", "none of the instruction layer"},
        {R"({"layer": "instructions", "schema_version": 2})", "version 2"},
        {R"({"layer": "instructions", "schema_version": 1, "context": {}})", "benchmarks"},
        {R"({"layer": "instructions", "schema_version": 1, "context": {}, "benchmarks": [{"name": "a"}]})",
         "instructions"}}) {
    const auto read = read_counts(text);
    ASSERT_FALSE(read.has_value()) << text;
    EXPECT_THAT(read.error().text(), HasSubstr(complaint)) << text;
  }
  EXPECT_FALSE(is_of_instructions("{"));
  EXPECT_FALSE(is_of_instructions("[]"));
  EXPECT_FALSE(is_of_instructions(R"({"layer": "time"})"));
}

}  // namespace
}  // namespace devmap::bench
