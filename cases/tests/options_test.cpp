// What each option does to a run.

#include <cases/tests/results.hpp>
#include <cases/tests/suite.hpp>

#include <signal.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <harness/base/wait.hpp>
#include <nlohmann/json.hpp>
#include <regex>

namespace devmap::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

/// Runs the command with its results as JSON on standard output.
json results_of(Command command, int exit_code = 0) {
  command.arguments.emplace_back("--output=json:-");
  const auto finished = run(command);
  EXPECT_EQ(finished.exit_code, exit_code) << finished.err;
  return json::parse(finished.out);
}

std::vector<std::string> rules_in(const json& record) {
  std::vector<std::string> rules;
  for (const auto& result : record.at("results")) rules.push_back(result.at("rule"));
  return rules;
}

Verdicts verdicts_of(const json& record) {
  return verdicts_in(Format::json, record.dump());
}

TEST(Options, ChapterRunsItsRulesAlone) {
  NEED_PRIVILEGE();
  const auto rules = rules_in(results_of(suite({"--chapter=retval"})));
  EXPECT_FALSE(rules.empty());
  EXPECT_THAT(rules, testing::Each(testing::StartsWith("retval.")));
}

TEST(Options, FilterTakesRulesVariantsAndExceptions) {
  NEED_PRIVILEGE();
  EXPECT_THAT(rules_in(results_of(calibration({"conf*", "absent"}))),
              testing::ElementsAre("calibration.conforms", "calibration.absent"));
  EXPECT_THAT(rules_in(results_of(calibration({"conforms", "absent"}, {"--filter", "-*absent"}))),
              testing::ElementsAre("calibration.conforms"));
  for (const auto& [check, verdict] : verdicts_of(results_of(suite({"--filter=retval.*/devmap/v8"})))) {
    EXPECT_THAT(check, testing::EndsWith("/devmap/v8"));
  }
}

TEST(Options, ShardsTogetherAreEveryCheckOnce) {
  NEED_PRIVILEGE();
  Verdicts together;
  std::size_t count = 0;
  for (const char* shard : {"1/3", "2/3", "3/3"}) {
    const auto verdicts = verdicts_of(results_of(suite({"--chapter=retval", "--shard", shard})));
    count += verdicts.size();
    together.insert(verdicts.begin(), verdicts.end());
  }
  EXPECT_EQ(together, verdicts_of(results_of(suite({"--chapter=retval"}))));
  EXPECT_EQ(together.size(), count);
}

TEST(Options, ShuffledRunsAgree) {
  NEED_PRIVILEGE();
  const Arguments arguments = {"--chapter=retval", "--shuffle", "--jobs=8"};
  const auto first = verdicts_of(results_of(suite(arguments)));
  EXPECT_EQ(verdicts_of(results_of(suite(arguments))), first);
  EXPECT_EQ(verdicts_of(results_of(suite(arguments))), first);
}

/// The checks that were begun before the first failure, which tells of the order.
Verdicts begun_before_failure(const std::string& seed) {
  const auto finished = run(calibration({"*"}, {"--filter=-calibration.hangs", "--jobs=1", "--fail-fast", "--shuffle",
                                                "--seed=" + seed, "--output=json:-"}));
  return verdicts_in(Format::json, finished.out);
}

TEST(Options, SameSeedIsSameOrder) {
  NEED_PRIVILEGE();
  std::set<Verdicts> orders;
  for (const char* seed : {"1", "2", "3", "4", "5"}) {
    const auto order = begun_before_failure(seed);
    EXPECT_EQ(begun_before_failure(seed), order);
    orders.insert(order);
  }
  EXPECT_GT(orders.size(), 1U) << "five seeds gave one order";
}

TEST(Options, ShuffleWithoutSeedTellsTheSeed) {
  NEED_PRIVILEGE();
  EXPECT_THAT(run(calibration({"conforms"}, {"--shuffle"})).err, testing::ContainsRegex("--seed [0-9]+\n$"));
}

TEST(Options, OneJobIsOneCheckAtATime) {
  NEED_PRIVILEGE();
  Spawned running(calibration({"hangs", "crashes"}, {"--jobs=1", "--timeout=600", "--output=json:-"}));
  ASSERT_NE(await_check(running, 0), 0);
  EXPECT_EQ(children_of(running.pid()).size(), 1U);
  running.send(SIGTERM);
  EXPECT_TRUE(verdicts_in(Format::json, running.wait().out).empty());
}

TEST(Options, MoreJobsAreMoreChecksAtATime) {
  NEED_PRIVILEGE();
  Spawned running(suite({"--chapter=retval", "--jobs=4", "--repeat=100000", "--quiet"}));
  EXPECT_TRUE(wait_until([&] { return children_of(running.pid()).size() > 1; }, std::chrono::seconds(20)));
  running.send(SIGTERM);
  EXPECT_EQ(running.wait().exit_code, 128 + SIGTERM);
}

TEST(Options, RepeatCountsItsIterations) {
  NEED_PRIVILEGE();
  const auto record = results_of(calibration({"conforms", "absent"}, {"--repeat=3"}));
  std::multiset<unsigned> iterations;
  for (const auto& result : record.at("results")) iterations.insert(result.value("iteration", 1U));
  EXPECT_EQ(iterations, (std::multiset<unsigned>{1, 1, 2, 2, 3, 3}));
}

TEST(Options, TimeoutEndsWhatHangsAndLeavesTheRest) {
  NEED_PRIVILEGE();
  const auto verdicts = verdicts_of(results_of(calibration({"hangs", "conforms"}, {"--timeout=1"}), 124));
  EXPECT_EQ(verdicts, (Verdicts{{"calibration.conforms/once", "conforms"}, {"calibration.hangs/once", "timeout"}}));
}

TEST(Options, FailFastBeginsNothingAfterAFailure) {
  NEED_PRIVILEGE();
  const auto record = results_of(calibration({"conforms", "deviates", "absent"}, {"--jobs=1", "--fail-fast"}), 1);
  EXPECT_THAT(rules_in(record), testing::ElementsAre("calibration.conforms", "calibration.deviates"));
  EXPECT_EQ(record.at("context").at("partial"), true);
}

TEST(Options, KnownFileExcusesADeviation) {
  NEED_PRIVILEGE();
  const TemporaryDirectory directory;
  const auto file = directory.file("known.json");
  write_to(file, R"({"schema_version": 1, "known": [
    {"rule": "calibration.deviates", "reason": "we live with it", "link": "https://example.org/1"}]})");
  const auto record = results_of(calibration({"deviates"}, {"--known=" + file}));
  EXPECT_EQ(record.at("results").at(0).at("verdict"), "known");
  EXPECT_THAT(record.at("results").at(0).at("reason"), HasSubstr("we live with it (https://example.org/1)"));
}

TEST(Options, KnownFileWithASlipIsMentioned) {
  NEED_PRIVILEGE();
  const TemporaryDirectory directory;
  const auto file = directory.file("known.json");
  write_to(file, R"({"schema_version": 1, "known": [{"rule": "calibration.deviate", "reason": "we live with it"}]})");
  const auto finished = run(calibration({"deviates"}, {"--known=" + file}));
  EXPECT_EQ(finished.exit_code, 1);
  EXPECT_THAT(finished.err, HasSubstr("'calibration.deviate' matches no rule; did you mean calibration.deviates"));
}

TEST(Options, LabelNamesTheKernel) {
  NEED_PRIVILEGE();
  EXPECT_EQ(results_of(calibration({"conforms"}, {"--label=mine"})).at("context").at("kernel_label"), "mine");
  EXPECT_THAT(run(calibration({"conforms"}, {"--label=mine"})).out, HasSubstr("1 check on mine in "));
}

TEST(Options, QuietIsTheSummaryAlone) {
  NEED_PRIVILEGE();
  const auto finished = run(calibration({"deviates"}, {"--quiet"}));
  EXPECT_EQ(lines_of(finished.out).size(), 1U) << finished.out;
  EXPECT_EQ(finished.err, "");
}

TEST(Options, ColorIsThereWhenAskedFor) {
  NEED_PRIVILEGE();
  Command command = calibration({"conforms"});
  EXPECT_THAT(run(command).out, Not(HasSubstr("\033[")));
  command.arguments.front() = "--color=auto";
  EXPECT_THAT(run(command).out, Not(HasSubstr("\033["))) << "standard output is no terminal";
  command.arguments.front() = "--color=always";
  EXPECT_THAT(run(command).out, HasSubstr("\033["));
}

/// What the suite printed as GoogleTest program, in words that do not make ctest take this test for a skipped one.
std::string told_by_google_test(const Finished& finished) {
  return std::regex_replace(finished.out, std::regex(R"(\[  SKIPPED \])"), "[skipped]");
}

TEST(GoogleTestFlags, FilterSelects) {
  NEED_PRIVILEGE();
  const auto finished = run(calibration({}, {"--gtest_filter=calibration.conforms/*:calibration.unmet/*"}));
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_THAT(told_by_google_test(finished), HasSubstr("[       OK ] calibration.conforms/once"));
  EXPECT_THAT(told_by_google_test(finished), HasSubstr("[skipped] calibration.unmet/once"));
}

TEST(GoogleTestFlags, ExitCodesAreTheSuites) {
  NEED_PRIVILEGE();
  EXPECT_EQ(run(calibration({}, {"--gtest_filter=*.deviates/*"})).exit_code, 1);
  EXPECT_EQ(run(calibration({}, {"--gtest_filter=*.broken_set_up/*"})).exit_code, 70);
  EXPECT_EQ(run(calibration({}, {"--gtest_filter=*.hangs/*", "--timeout=0.5"})).exit_code, 124);
  EXPECT_EQ(run(calibration({}, {"--gtest_filter=*.unmet/*"})).exit_code, 4);
}

TEST(GoogleTestFlags, FilterThatMatchesNothingIsRefused) {
  NEED_PRIVILEGE();
  const auto finished = run(calibration({}, {"--gtest_filter=nothing"}));
  EXPECT_EQ(finished.exit_code, 64);
  EXPECT_THAT(finished.err, HasSubstr("--gtest_filter=nothing"));
}

TEST(GoogleTestFlags, UnknownFlagIsRefused) {
  NEED_PRIVILEGE();
  const auto finished = run(calibration({}, {"--gtest_fliter=*"}));
  EXPECT_EQ(finished.exit_code, 64);
  EXPECT_THAT(finished.err, HasSubstr("--gtest_fliter=*"));
}

TEST(GoogleTestFlags, OutputIsWritten) {
  NEED_PRIVILEGE();
  const TemporaryDirectory directory;
  const auto file = directory.file("results.xml");
  const auto finished =
      run(calibration({}, {"--gtest_filter=*.conforms/*:*.deviates/*", "--gtest_output=xml:" + file}));
  EXPECT_EQ(finished.exit_code, 1);
  EXPECT_THAT(content_of(file), HasSubstr("<testsuites tests=\"2\" failures=\"1\""));
  EXPECT_THAT(content_of(file), HasSubstr("one and one -&gt; 2, expected 3"));
}

TEST(GoogleTestFlags, InterruptEndsTheRun) {
  NEED_PRIVILEGE();
  Spawned running(calibration({}, {"--gtest_filter=*.hangs/*:*.warns/*", "--timeout=600"}));
  ASSERT_NE(await_check(running, 0), 0);
  running.send(SIGINT);
  const auto finished = running.wait();
  EXPECT_EQ(finished.exit_code, 128 + SIGINT);
  EXPECT_THAT(told_by_google_test(finished), HasSubstr("[skipped] calibration.warns/once"));
}

}  // namespace
}  // namespace devmap::test
