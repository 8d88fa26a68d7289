#include <reports/compact.hpp>

#include <gmock/gmock.h>

#include <algorithm>
#include <harness/record/format.hpp>
#include <harness/record/read.hpp>
#include <reports/tests/sample.hpp>

namespace devmap::reports {
namespace {

using testing::HasSubstr;
using testing_support::record_of;
using testing_support::sample_sources;

std::vector<std::string> with_evidence(const RunRecord& record) {
  std::vector<std::string> checks;
  for (const auto& result : record.results) {
    if (!result.evidence.empty()) checks.push_back(result.name());
  }
  return checks;
}

TEST(Compact, KeepsVerdictsAndWhatDoesNotConform) {
  const auto whole = sample_sources();
  auto compacted = whole;
  compact(compacted);
  ASSERT_EQ(compacted.size(), whole.size());
  for (std::size_t source = 0; source < whole.size(); ++source) {
    const auto& before = whole[source].record;
    const auto& after = compacted[source].record;
    EXPECT_EQ(after.summary(), before.summary());
    ASSERT_EQ(after.results.size(), before.results.size());
    for (std::size_t i = 0; i < before.results.size(); ++i) {
      EXPECT_EQ(after.results[i].name(), before.results[i].name());
      EXPECT_EQ(after.results[i].verdict, before.results[i].verdict);
      EXPECT_EQ(after.results[i].reason, before.results[i].reason);
      if (before.results[i].verdict == Verdict::conforms) continue;
      EXPECT_EQ(after.results[i].evidence.size(), before.results[i].evidence.size());
    }
  }
}

TEST(Compact, KeepsEvidenceOfWhatConformsWithTheNewestUsualKernel) {
  auto sources = sample_sources();
  compact(sources);
  // The last one is real-time, of another machine and without a JIT: it keeps what conforms on no other.
  EXPECT_THAT(with_evidence(sources[0].record),
              testing::ElementsAre("create.value-size/devmap/v4", "create.value-size/devmap/v8", "update.key/once"));
  EXPECT_THAT(
      with_evidence(sources[1].record),
      testing::ElementsAre("create.value-size/devmap/v4", "create.value-size/devmap/v8", "create.flags/devmap/v4",
                           "create.flags/devmap/v8", "update.key/once", "update.any/once"));
  EXPECT_THAT(with_evidence(sources[2].record),
              testing::ElementsAre("create.value-size/devmap/v4", "create.flags/devmap/v8"));
}

TEST(Compact, KeepsNoEvidenceWithAVariantOfTheNewestKernel) {
  auto sources = sample_sources();
  sources.pop_back();
  sources.push_back(sources[1]);
  sources[2].record.context.kernel_label = "6.12-bpf-open";
  compact(sources);
  EXPECT_THAT(with_evidence(sources[1].record), testing::Contains("update.any/once"));
  EXPECT_THAT(with_evidence(sources[2].record), testing::Not(testing::Contains("update.any/once")));
}

TEST(Compact, ChangesNothingTheSecondTime) {
  auto once = sample_sources();
  compact(once);
  auto twice = once;
  compact(twice);
  for (std::size_t source = 0; source < once.size(); ++source) {
    EXPECT_EQ(render_json(twice[source].record), render_json(once[source].record));
  }
}

TEST(Compact, LosesNothingOfASingleRecord) {
  std::vector<Source> sources = {{"a.json", record_of("6.1.1", {"update.any/once=conforms"})}};
  compact(sources);
  EXPECT_FALSE(sources[0].record.results[0].evidence.empty());
}

TEST(RecordByLine, IsReadAsTheRecordItIs) {
  const auto record = sample_sources()[1].record;
  const auto by_line = render_json_by_line(record);
  const auto read = parse_record(by_line);
  ASSERT_TRUE(read.has_value()) << read.error().text();
  EXPECT_EQ(render_json(*read), render_json(record));
  EXPECT_EQ(static_cast<std::size_t>(std::ranges::count(by_line, '\n')), record.results.size() + 6);
  EXPECT_THAT(by_line, HasSubstr("\n{\"rule\":\"create.value-size\""));
}

TEST(RecordByLine, IsSoundWithoutResultsAndWithBytesThatAreNoText) {
  auto record = record_of("6.1.1", {});
  EXPECT_TRUE(parse_record(render_json_by_line(record)).has_value());
  record.context.version = "\xff\xfe";
  EXPECT_TRUE(parse_record(render_json_by_line(record)).has_value());
}

}  // namespace
}  // namespace devmap::reports
