#include <vm/shared_run.hpp>

#include <vm/files.hpp>
#include <vm/tests/fake_qemu.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <harness/record/format.hpp>
#include <harness/record/read.hpp>
#include <harness/record/run_stream.hpp>

namespace devmap::vm {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using Phase = KernelProgress::Phase;

RunRecord record_of(const std::vector<std::string>& rules) {
  auto record = test::empty_record();
  for (const auto& rule : rules) {
    record.results.push_back({.rule = rule, .variant = "once", .verdict = Verdict::conforms});
  }
  return record;
}

std::vector<std::string> rules_in(const RunRecord& record) {
  std::vector<std::string> rules;
  for (const auto& result : record.results) rules.push_back(result.rule);
  return rules;
}

TEST(JoinedRecords, DealResultsBack) {
  auto first = record_of({"a.one", "a.three", "a.five"});
  auto second = record_of({"a.two", "a.four"});
  first.context.duration_ms = 10;
  second.context.duration_ms = 30;
  second.context.boots = 2;
  second.context.started = "2024-02-29T12:34:55Z";
  first.context.foreign_warnings = {"one"};
  second.context.foreign_warnings = {"other"};
  const auto whole = joined_record({first, second});
  ASSERT_TRUE(whole);
  EXPECT_THAT(rules_in(*whole), ElementsAre("a.one", "a.two", "a.three", "a.four", "a.five"));
  EXPECT_EQ(whole->context.duration_ms, 30) << "they ran at the same time";
  EXPECT_EQ(whole->context.boots, 3U);
  EXPECT_EQ(whole->context.started, "2024-02-29T12:34:55Z");
  EXPECT_THAT(whole->context.foreign_warnings, ElementsAre("one", "other"));
  EXPECT_FALSE(whole->context.partial);
}

TEST(JoinedRecords, ArePartialWhereAShareIs) {
  const auto sound = record_of({"a.one"});
  auto cut = record_of({});
  cut.context.partial = true;
  for (const auto& other : {std::optional(cut), std::optional<RunRecord>()}) {
    const auto whole = joined_record({sound, other});
    ASSERT_TRUE(whole);
    EXPECT_THAT(rules_in(*whole), ElementsAre("a.one"));
    EXPECT_TRUE(whole->context.partial);
  }
  EXPECT_FALSE(joined_record({std::nullopt, std::nullopt}));
}

TEST(JoinedProgress, IsThatOfTheShareFurthestBehind) {
  const KernelProgress ahead{.phase = Phase::ended,
                             .through = 5,
                             .all = 5,
                             .counts = {{"conforms", 4}, {"absent", 1}},
                             .elapsed = std::chrono::seconds(3)};
  KernelProgress behind{.phase = Phase::booting, .elapsed = std::chrono::seconds(4)};
  auto whole = joined_progress({ahead, behind});
  EXPECT_EQ(whole.phase, Phase::booting);
  EXPECT_EQ(whole.through, 5U);
  EXPECT_EQ(whole.all, 0U) << "one has not said yet how many there are";
  EXPECT_EQ(whole.elapsed, std::chrono::seconds(4));
  behind = {.phase = Phase::running, .through = 1, .all = 4, .counts = {{"conforms", 1}}};
  whole = joined_progress({ahead, behind});
  EXPECT_EQ(whole.phase, Phase::running);
  EXPECT_EQ(whole.all, 9U);
  EXPECT_THAT(whole.counts, ElementsAre(Pair("absent", 1), Pair("conforms", 5)));
}

class SharedRun : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(setenv("PATH", (directory_.path().string() + ":/usr/bin:/bin").c_str(), 1), 0); }

  /// A run in two guests, of which each does what its share's script says.
  KernelRun run(const std::string& first, const std::string& second) {
    const std::string script = std::string(test::kFakeQemu) +
                               "say hello 6.1.0-x; say started ''\nif grep -aq 1/2 \"$root\"; then\n" + first +
                               "else\n" + second + "fi\n";
    test::put_program(directory_.path() / "qemu-system-x86_64", script);
    auto run = run_kernel_in(2, {.name = "k"}, {.suite = "SUITE"}, {});
    EXPECT_TRUE(run) << run.error().text();
    return run.value_or(KernelRun{});
  }

  static std::string end(int code) { return test::told(end_line({})) + "say ended " + std::to_string(code) + "\n"; }

  TemporaryDirectory directory_ = TemporaryDirectory::create(testing::TempDir()).value();
};

TEST_F(SharedRun, IsOneRun) {
  const auto run = SharedRun::run(test::told_run_of("a.one", Verdict::conforms) + end(0),
                                  test::told_run_of("a.two", Verdict::deviates) + end(1));
  EXPECT_EQ(run.ending, Ending::ended) << run.reason;
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_EQ(run.boots, 2U);
  EXPECT_THAT(run.counts, ElementsAre(Pair("conforms", 1), Pair("deviates", 1)));
  const auto record = parse_record(run.record);
  ASSERT_TRUE(record) << record.error().text();
  EXPECT_THAT(rules_in(*record), ElementsAre("a.one", "a.two"));
}

TEST_F(SharedRun, SaysWhichRecordItCouldNotRead) {
  const auto run = SharedRun::run(test::told_run_of("a.one", Verdict::conforms) + end(0),
                                  "tell '{\"run\": {\"schema_version\": 1, \"suite\": {}, \"context\": {}, \"checks\": "
                                  "[\"a.two/once\"], \"repeat\": 1}}'\n" +
                                      end(0));
  EXPECT_THAT(run.record, HasSubstr("a.one"));
  EXPECT_THAT(run.record, HasSubstr("\"partial\": true"));
  EXPECT_THAT(run.notes, ElementsAre(HasSubstr("the record of one machine is left out: ")));
}

TEST_F(SharedRun, EndsAsBadlyAsItsWorstShare) {
  const auto run = SharedRun::run(test::told_run_of("a.one", Verdict::conforms) + end(0),
                                  test::told_run_of("a.two", Verdict::conforms) + "kill -KILL $$\n");
  EXPECT_EQ(run.ending, Ending::killed);
  EXPECT_EQ(run.exit_code, 70);
  EXPECT_THAT(run.record, HasSubstr("a.one"));
  EXPECT_THAT(run.record, HasSubstr("a.two"));
}

}  // namespace
}  // namespace devmap::vm
