#include <reports/benchmarks.hpp>

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace devmap::reports {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST(BenchmarkNames, AreTakenApart) {
  const auto lookup = BenchmarkName::of("lookup/devmap_hash/4096");
  EXPECT_EQ(lookup.operation, "lookup");
  EXPECT_EQ(lookup.series, "devmap_hash");
  EXPECT_EQ(lookup.axis, "entries");
  EXPECT_EQ(lookup.size, 4096);
  const auto broadcast = BenchmarkName::of("live/broadcast/devmap/devices:4/batch:16");
  EXPECT_EQ(broadcast.operation, "live/broadcast");
  EXPECT_EQ(broadcast.axis, "devices");
  EXPECT_EQ(broadcast.size, 4);
}

TEST(Benchmarks, AreOfAKernelThatIsNamedAsInTheMatrix) {
  const auto name = [](const BenchmarkContext& context) {
    return InstructionCounts{"bench.json", context, {}}.kernel().name();
  };
  EXPECT_EQ(name({{"release", "6.1.0-5-amd64"}, {"version", "Debian 6.1.9-1"}, {"label", "6.1"}}), "6.1.9");
  EXPECT_EQ(name({{"release", "7.3.4"}, {"label", "7.3-bpf-open"}, {"machine", "x86_64"}}), "7.3.4 (bpf-open)");
  EXPECT_EQ(name({{"release", "7.3.4"}, {"label", "7.3-jit-off"}, {"jit", "off"}}), "7.3.4 (no JIT)");
  EXPECT_EQ(name({{"kernel", "6.1.9"}, {"machine", "aarch64"}}), "6.1.9 (aarch64)");
  EXPECT_EQ(name({}), "bench.json");
}

TEST(Benchmarks, MayDifferByLessThanNothing) {
  constexpr const char* kOne = R"({{"schema_version": 1, "layer": "instructions", "context": {{}}, "benchmarks": [
      {{"name": "{}", "per": "call", "instructions": -1.91}}]}})";
  Benchmarks all;
  ASSERT_TRUE(all.add("bench.json", fmt::format(kOne, "overhead/harness/lookup")).has_value());
  EXPECT_EQ(all.instructions.front().figures.front().instructions, -1.91);
  const auto negative = all.add("bench.json", fmt::format(kOne, "lookup/devmap/64"));
  ASSERT_FALSE(negative.has_value());
  EXPECT_THAT(negative.error().text(), HasSubstr("benchmarks[0]: instructions is -1.91"));
}

TEST(Benchmarks, TellWhatPeersTakeWithAndWithoutTheirStart) {
  Benchmarks all;
  ASSERT_TRUE(all.add("bench.json", R"({"schema_version": 1, "layer": "peer", "context": {}, "comparisons": [
      {"path": "direct", "ratio": 1.36, "interval": [1.35, 1.37], "ours": {"median": 3, "p10": 2, "p90": 4},
       "theirs": {"median": 2, "p10": 1, "p90": 3}, "without_start_up": {"ratio": 1.09, "interval": [1.08, 1.1]}}]})"));
  const auto& comparison = all.peers.front().comparisons.front();
  ASSERT_TRUE(comparison.ratio && comparison.without_start_up);
  EXPECT_EQ(comparison.ratio->ratio, 1.36);
  EXPECT_EQ(comparison.without_start_up->ratio, 1.09);
  EXPECT_EQ(comparison.without_start_up->low, 1.08);
  EXPECT_EQ(comparison.without_start_up->high, 1.1);
}

TEST(Benchmarks, ThatCannotBeReadAreALineAndAddNothing) {
  const struct {
    const char* text;
    const char* complaint;
  } kTable[] = {
      {R"({"schema_version": 1, "layer": "ti)", "cut off"},
      {R"({"schema_version": 9, "layer": "time"})", "schema version 9"},
      {R"({"schema_version": 1, "layer": "space\n", "context": {}})", "no layer of benchmarks"},
      {R"({"schema_version": 1, "layer": "instructions", "context": {}, "benchmarks": [{"name": "a", "per": "call",
          "instructions": "many"}]})",
       "benchmarks[0]: instructions is no number"},
      {R"({"schema_version": 1, "layer": "peer", "context": {}, "comparisons": 3})", "comparisons is no list"},
      {R"({"schema_version": 1, "layer": "peer", "context": {}, "comparisons": [{"path": "direct", "ratio": 1.36,
          "interval": [1.35, 1.37], "ours": {"median": 3, "p10": 2, "p90": 4},
          "theirs": {"median": 2, "p10": 1, "p90": 3}, "without_start_up": {"ratio": 1.09}}]})",
       "comparisons[0]: "},
  };
  for (const auto& row : kTable) {
    Benchmarks all;
    const auto added = all.add("bench.json", row.text);
    ASSERT_FALSE(added.has_value()) << row.text;
    EXPECT_THAT(added.error().text(), AllOf(HasSubstr("bench.json"), HasSubstr(row.complaint), Not(HasSubstr("\n"))));
    EXPECT_TRUE(all.empty());
  }
}

}  // namespace
}  // namespace devmap::reports
