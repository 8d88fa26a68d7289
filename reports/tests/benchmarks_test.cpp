#include <reports/benchmarks.hpp>

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
