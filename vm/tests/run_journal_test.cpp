#include <vm/run_journal.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <harness/record/format.hpp>
#include <harness/record/run_stream.hpp>

namespace devmap::vm {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

RunRecord record_of(std::vector<Result> results) {
  RunRecord record{.suite = {.version = "1.2.3", .commit = "0123"}, .results = std::move(results)};
  record.context.release = "6.1.0-x";
  record.context.foreign_warnings = {"WARNING: elsewhere"};
  record.context.duration_ms = 12.5;
  return record;
}

const std::vector<std::string> kNames = {"a.one/once", "a.two/devmap/v4", "a.three/once"};

/// A run that has begun and is to check three things.
RunJournal begun() {
  RunJournal journal;
  journal.begin_boot();
  journal.feed(run_line(record_of({}), kNames, 1));
  return journal;
}

std::string conforms(const std::string& rule, const std::string& variant = "once") {
  return result_line({.rule = rule, .variant = variant, .verdict = Verdict::conforms});
}

json written_by(const RunJournal& journal) {
  return json::parse(journal.record(1, std::chrono::milliseconds(7)));
}

TEST(RunJournal, OfAWholeStreamIsTheRecordThatTheSuiteWouldWrite) {
  const auto record = record_of({{.rule = "a.one", .variant = "once", .verdict = Verdict::conforms, .duration_ms = 1.5},
                                 {.rule = "a.two",
                                  .variant = "devmap/v4",
                                  .verdict = Verdict::deviates,
                                  .evidence = {{.did = "x", .expected = "0", .observed = "1", .as_expected = false}},
                                  .reason = "\xff bytes"},
                                 {.rule = "a.one", .variant = "once", .verdict = Verdict::unmet, .iteration = 2},
                                 {.rule = "a.two", .variant = "devmap/v4", .verdict = Verdict::known, .iteration = 2}});
  RunJournal journal;
  journal.begin_boot();
  for (const char c : render_stream(record)) journal.feed({&c, 1});
  auto expected = json::parse(render_json(record));
  expected["context"]["boots"] = 1;
  EXPECT_EQ(json::parse(journal.record(1, {})), expected);
  EXPECT_TRUE(journal.has_end());
  EXPECT_THAT(journal.left(), IsEmpty());
}

TEST(RunJournal, KnowsNothingBeforeTheSuiteHasSpoken) {
  const RunJournal journal;
  EXPECT_FALSE(journal.has_run());
  EXPECT_EQ(journal.all(), 0U);
  EXPECT_EQ(journal.record(1, {}), "");
}

TEST(RunJournal, KeepsWhatWasFoundBeforeTheGuestDied) {
  auto journal = begun();
  journal.feed(begun_line("a.three", "once", 1) + begun_line("a.one", "once", 1) + conforms("a.one"));
  journal.feed(begun_line("a.two", "devmap/v4", 1) + "{\"result\": {\"rule\": \"a.tw");
  EXPECT_THAT(journal.in_flight(), ElementsAre("a.three/once", "a.two/devmap/v4"));
  EXPECT_THAT(journal.left(), ElementsAre("a.two/devmap/v4", "a.three/once"));
  EXPECT_EQ(journal.through(), 1U);
  EXPECT_EQ(journal.all(), 3U);
  EXPECT_THAT(journal.counts(), ElementsAre(Pair("conforms", 1)));
  const auto record = written_by(journal);
  EXPECT_EQ(record["context"]["partial"], true);
  EXPECT_EQ(record["context"]["duration_ms"], 7.0);
  ASSERT_EQ(record["results"].size(), 1U);
  EXPECT_EQ(record["results"][0]["rule"], "a.one");
}

TEST(RunJournal, PutsResultsInTheOrderOfTheChecks) {
  auto journal = begun();
  journal.feed(conforms("a.three") + conforms("a.one") + conforms("a.two", "devmap/v4"));
  const auto record = written_by(journal);
  EXPECT_EQ(record["results"][0]["rule"], "a.one");
  EXPECT_EQ(record["results"][2]["rule"], "a.three");
}

TEST(RunJournal, GivesACheckThatCouldNotSpeakItsVerdict) {
  auto journal = begun();
  journal.feed(begun_line("a.two", "devmap/v4", 1));
  journal.settle("a.two/devmap/v4", "crash", "Kernel panic", {"BUG: x", "Kernel panic"}, "look");
  EXPECT_THAT(journal.in_flight(), IsEmpty());
  EXPECT_THAT(journal.counts(), ElementsAre(Pair("crash", 1)));
  const auto result = written_by(journal)["results"][0];
  EXPECT_EQ(result["verdict"], "crash");
  EXPECT_EQ(result["variant"], "devmap/v4");
  EXPECT_EQ(result["reason"], "Kernel panic");
  EXPECT_EQ(result["evidence"][1], (json{{"role", "note"}, {"did", "Kernel panic"}}));
}

TEST(RunJournal, SettlesOnlyWhatIsInFlight) {
  auto journal = begun();
  journal.settle("a.one/once", "crash", "", {}, "");
  journal.settle("b.none/once", "crash", "", {}, "");
  EXPECT_EQ(journal.through(), 0U);
}

TEST(RunJournal, GoesOnOverBoots) {
  auto journal = begun();
  journal.feed(begun_line("a.two", "devmap/v4", 1) + conforms("a.one"));
  journal.begin_boot();
  EXPECT_THAT(journal.in_flight(), IsEmpty());
  const std::vector<std::string> rest = {"a.two/devmap/v4", "a.three/once"};
  journal.feed(run_line(record_of({}), rest, 1) + conforms("a.two", "devmap/v4") + conforms("a.three"));
  journal.feed(end_line(record_of({}).context));
  EXPECT_EQ(journal.all(), 3U);
  EXPECT_THAT(journal.left(), IsEmpty());
  const auto record = json::parse(journal.record(2, std::chrono::milliseconds(7)));
  EXPECT_EQ(record["context"]["partial"], false);
  EXPECT_EQ(record["context"]["boots"], 2);
  EXPECT_EQ(record["context"]["duration_ms"], 19.5);
  EXPECT_EQ(record["summary"]["conforms"], 3);
}

TEST(RunJournal, PassesOverWhatIsNoStream) {
  auto journal = begun();
  for (const char* line : {"\n", "garbage\n", "{}\n", "[]\n", "{\"result\": 3}\n", "{\"result\": {\"rule\": 1}}\n",
                           "{\"begun\": {\"rule\": \"b.other\", \"variant\": \"once\"}}\n", "{\"end\": {}}\n",
                           "{\"run\": {\"checks\": 1}}\n"}) {
    journal.feed(line);
  }
  EXPECT_EQ(journal.through(), 0U);
  EXPECT_FALSE(journal.has_end());
  journal.feed(conforms("a.one"));
  EXPECT_EQ(journal.through(), 1U);
}

}  // namespace
}  // namespace devmap::vm
