#include <harness/base/file.hpp>
#include <harness/spec/tests/trial_suite.hpp>

#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

// Whole runs of a suite, as its users make them. What needs no run is in suite_test.cpp.
namespace devmap {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;
using testing_support::TemporaryDirectory;

class SuiteRunTest : public testing_support::TrialSuiteTest {
 protected:
  static json record_of(const std::string& arguments) { return json::parse(run(arguments + " -o json:-", "").out); }
  TemporaryDirectory directory_;
};

TEST_F(SuiteRunTest, EndsWithTheCodeOfTheWorst) {
  const struct {
    const char* arguments;
    int code;
  } kTable[] = {
      {"--filter 'trial.conforms*'", 0},
      {"--filter trial.conforms --filter trial.unmet", 0},
      {"--filter trial.unmet", 4},
      {"--filter trial.conforms --filter trial.deviates", 1},
      {"--filter trial.breaks", 70},
      {"--filter trial.hangs --timeout 0.1", 124},
      {"--timeout 2", 1},
  };
  for (const auto& row : kTable) EXPECT_EQ(run(row.arguments).code, row.code) << row.arguments;
}

TEST_F(SuiteRunTest, PrintsTheConsoleFormUnlessSomethingElseGoesThere) {
  EXPECT_THAT(run("--filter trial.conforms").out, testing::StartsWith("chapter "));
  EXPECT_THAT(run("-q --filter trial.conforms").out, testing::MatchesRegex("1 check on [^\n]+\n"));
  EXPECT_THAT(run("--filter trial.conforms -o ktap:-").out, testing::StartsWith("KTAP version 1\n"));
}

TEST_F(SuiteRunTest, WritesEveryOutput) {
  const auto result =
      run("--filter trial.conforms --label mine -o json:" + directory_.file("a") + " -o junit:" + directory_.file("b"));
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.out, testing::EndsWith(": 1 conforms\n"));
  EXPECT_EQ(json::parse(read_file(directory_.file("a")).value()).at("context").at("kernel_label"), "mine");
  EXPECT_THAT(read_file(directory_.file("b")).value(), HasSubstr("<testsuites "));
}

TEST_F(SuiteRunTest, SaysWhetherItCanRunHere) {
  const auto here = run("--preflight");
  EXPECT_EQ(here.code, 0);
  EXPECT_EQ(here.out, "a network namespace and a device map can be made\n");
  const auto elsewhere = run("--preflight", "2>&1", "exec setpriv --reuid 65534 --clear-groups");
  EXPECT_EQ(elsewhere.code, 4);
  EXPECT_THAT(elsewhere.out, HasSubstr("no network namespace can be made: unshare(CLONE_NEWNET): EPERM"));
}

TEST_F(SuiteRunTest, StreamsWhatItDoes) {
  const auto text = run("-j 1 --filter trial.conforms --filter trial.deviates --repeat 2 -o stream:-", "").out;
  std::vector<std::string> told;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const auto object = json::parse(line);
    const auto& what = object.begin().value();
    told.push_back(object.begin().key() + (what.contains("rule") ? " " + what.at("rule").get<std::string>() : "") +
                   (what.contains("iteration") ? " again" : ""));
  }
  EXPECT_THAT(told,
              testing::ElementsAre("run", "begun trial.conforms", "result trial.conforms", "begun trial.deviates",
                                   "result trial.deviates", "begun trial.conforms again", "result trial.conforms again",
                                   "begun trial.deviates again", "result trial.deviates again", "end"));
  const auto first = json::parse(text.substr(0, text.find('\n')));
  EXPECT_EQ(first.at("run").at("checks"), (json{"trial.conforms/once", "trial.deviates/once"}));
  EXPECT_EQ(first.at("run").at("repeat"), 2);
}

TEST_F(SuiteRunTest, TellsItsStreamWhatHangsBeforeItDoes) {
  const auto file = directory_.file("stream");
  const auto killed = run("-j 1 --filter trial.hangs -o stream:" + file, "2>&1", "exec timeout -s KILL 1");
  EXPECT_NE(killed.code, 0);
  EXPECT_THAT(read_file(file).value(),
              testing::EndsWith("{\"begun\":{\"rule\":\"trial.hangs\",\"variant\":\"once\"}}\n"));
}

TEST_F(SuiteRunTest, SaysThatItsStreamIsLost) {
  const auto lost = run("--filter trial.conforms -o stream:/dev/full");
  EXPECT_EQ(lost.code, 70);
  EXPECT_THAT(lost.out, HasSubstr("ENOSPC"));
  EXPECT_THAT(lost.out, HasSubstr("1 conforms"));
}

TEST_F(SuiteRunTest, SaysThatAnOutputIsLostAndFailsForIt) {
  const auto lost = run("--filter trial.conforms -o json:/dev/full");
  EXPECT_EQ(lost.code, 70);
  EXPECT_THAT(lost.out, HasSubstr("ENOSPC"));
  EXPECT_THAT(lost.out, HasSubstr("1 conforms"));
  const auto nowhere = run("--filter trial.deviates -o json:" + directory_.file("none/a"));
  EXPECT_EQ(nowhere.code, 1) << "the deviation is the worse news";
  EXPECT_THAT(nowhere.out, HasSubstr("ENOENT"));
}

TEST_F(SuiteRunTest, RepeatsAndCountsIterations) {
  const auto record = record_of("--filter trial.conforms --repeat 3");
  ASSERT_EQ(record.at("results").size(), 3U);
  EXPECT_FALSE(record.at("results").at(0).contains("iteration"));
  EXPECT_EQ(record.at("results").at(2).at("iteration"), 3);
}

TEST_F(SuiteRunTest, SaysWithWhichSeedItShuffled) {
  EXPECT_THAT(run("--filter trial.conforms --shuffle").out, HasSubstr("order shuffled with --seed "));
  EXPECT_THAT(run("--filter trial.conforms --shuffle --seed 7").out, Not(HasSubstr("--seed")));
}

TEST_F(SuiteRunTest, TakesKnownDeviations) {
  std::ofstream(directory_.file("known"))
      << R"({"schema_version": 1, "known": [{"rule": "trial.deviates", "reason": "r"}]})";
  const auto known = run("--filter trial.deviates --known " + directory_.file("known"));
  EXPECT_EQ(known.code, 0);
  EXPECT_THAT(known.out, HasSubstr("1 known"));
  const auto missing = run("--known " + directory_.file("none"));
  EXPECT_EQ(missing.code, 64);
  EXPECT_THAT(missing.out, HasSubstr("ENOENT"));
}

TEST_F(SuiteRunTest, KeepsWhatIsThroughWhenItIsInterrupted) {
  const auto file = directory_.file("a");
  const auto ended = run("-j 1 --filter trial.conforms --filter trial.hangs -o json:" + file, "2>&1",
                         "exec timeout --preserve-status --signal INT 2");
  EXPECT_EQ(ended.code, 128 + SIGINT);
  const auto record = json::parse(read_file(file).value_or("null"));
  EXPECT_EQ(record.at("context").at("partial"), true);
  ASSERT_EQ(record.at("results").size(), 1U);
  EXPECT_EQ(record.at("results").at(0).at("rule"), "trial.conforms");
}

TEST_F(SuiteRunTest, StopsAfterTheFirstFailureWhereAskedTo) {
  const auto record = record_of("-j 1 --fail-fast --filter 'trial.[cdb]*' --repeat 5");
  EXPECT_EQ(record.at("results").size(), 3U) << "two conform, the third deviates";
  EXPECT_EQ(record.at("context").at("partial"), true);
}

}  // namespace
}  // namespace devmap
