// What a user may ask of the suite without privilege, and what is said of a command line that cannot be followed.

#include <cases/tests/suite.hpp>

#include <fcntl.h>
#include <grp.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <filesystem>
#include <nlohmann/json.hpp>

namespace devmap::test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr unsigned kNobody = 65534;

/// Gives up the identity, and with it all capabilities; done already where there is none to give up.
bool become_nobody() {
  if (geteuid() != 0) return true;
  return setgroups(0, nullptr) == 0 && setresgid(kNobody, kNobody, kNobody) == 0 &&
         setresuid(kNobody, kNobody, kNobody) == 0;
}

/// The suite as nobody starts it, from a place that everybody can reach.
Finished run_as_nobody(const Arguments& arguments) {
  const TemporaryDirectory directory;
  Command command = suite(arguments);
  std::filesystem::copy_file(command.program, directory.file("program"));
  command.program = directory.file("program");
  command.prepare = become_nobody;
  return run(command);
}

TEST(WithoutPrivilege, HelpNamesEveryOptionAndExitCode) {
  const auto finished = run_as_nobody({"--help"});
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  for (const char* word :
       {"--help",    "--version",   "--list",         "--explain", "--spec",   "--filter",  "--chapter",
        "--shard",   "--dangerous", "--calibration",  "--jobs",    "--repeat", "--shuffle", "--seed",
        "--timeout", "--fail-fast", "--keep",         "--output",  "--known",  "--label",   "--color",
        "--quiet",   "--soak",      "--gtest_filter", "64 usage"}) {
    EXPECT_THAT(finished.out, HasSubstr(word));
  }
}

TEST(WithoutPrivilege, VersionIsOneLine) {
  const auto finished = run_as_nobody({"--version"});
  EXPECT_EQ(finished.exit_code, 0);
  EXPECT_THAT(finished.out, testing::MatchesRegex("devmap-conformance [0-9.]+ \\([-0-9a-z]+\\)\n"));
}

TEST(WithoutPrivilege, ListHasALineForEachRule) {
  const auto finished = run_as_nobody({"--list", "--chapter=retval"});
  EXPECT_EQ(finished.exit_code, 0);
  ASSERT_FALSE(lines_of(finished.out).empty());
  EXPECT_THAT(lines_of(finished.out), testing::Each(StartsWith("retval.")));
}

TEST(WithoutPrivilege, ExplainTellsAllOfARule) {
  const auto finished = run_as_nobody({"--calibration", "--explain=calibration.unmet"});
  EXPECT_EQ(finished.exit_code, 0);
  for (const char* part : {"calibration.unmet\n", "A check that needs what is not there is unmet.",
                           "needs:", "the impossible", "source:", "cases/calibration.cpp"}) {
    EXPECT_THAT(finished.out, HasSubstr(part));
  }
}

TEST(WithoutPrivilege, ExplainTakesTheNameOfACheckAsWell) {
  EXPECT_EQ(run_as_nobody({"--calibration", "--explain=calibration.unmet/once"}).exit_code, 0);
}

TEST(WithoutPrivilege, SpecificationIsJson) {
  const auto finished = run_as_nobody({"--spec=json"});
  EXPECT_EQ(finished.exit_code, 0);
  const auto specification = nlohmann::json::parse(finished.out);
  EXPECT_EQ(specification.at("schema_version"), 1);
  EXPECT_GT(specification.at("rules").size(), 0U);
}

TEST(WithoutPrivilege, SpecificationIsMarkdown) {
  const auto finished = run_as_nobody({"--spec=markdown"});
  EXPECT_EQ(finished.exit_code, 0);
  EXPECT_THAT(finished.out, StartsWith("# "));
  EXPECT_THAT(finished.out, HasSubstr("\n## retval: "));
}

TEST(WithoutPrivilege, GoogleTestListsTheChecks) {
  const auto finished = run_as_nobody({"--calibration", "--gtest_list_tests"});
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_THAT(finished.out, HasSubstr("calibration.\n"));
  EXPECT_THAT(finished.out, HasSubstr("\n  conforms/once\n"));
}

TEST(WithoutPrivilege, RunNamesTheMissingFactInOneLine) {
  const auto finished = run_as_nobody({"--calibration", "--filter=calibration.conforms"});
  EXPECT_EQ(finished.exit_code, 4);
  EXPECT_EQ(finished.out, "");
  EXPECT_EQ(lines_of(finished.err).size(), 1U);
  EXPECT_THAT(finished.err, HasSubstr("EPERM"));
  EXPECT_THAT(finished.err, HasSubstr("run it as root"));
}

/// A command line that cannot be followed, and what the one line that says so holds.
struct Refused {
  const char* name;
  Arguments arguments;
  std::vector<std::string> says;
};

class BadCommandLine : public testing::TestWithParam<Refused> {};

TEST_P(BadCommandLine, IsRefusedInOneLine) {
  const auto finished = run(suite(GetParam().arguments));
  EXPECT_EQ(finished.exit_code, 64);
  EXPECT_EQ(finished.out, "");
  EXPECT_EQ(lines_of(finished.err).size(), 1U) << finished.err;
  EXPECT_THAT(finished.err, StartsWith("devmap-conformance: "));
  for (const auto& text : GetParam().says) EXPECT_THAT(finished.err, HasSubstr(text));
}

INSTANTIATE_TEST_SUITE_P(
    With, BadCommandLine,
    testing::Values(
        Refused{"UnknownRule",
                {"--explain=retval.hit-is-redirct"},
                {"'retval.hit-is-redirct'", "did you mean", "retval.hit-is-redirect"}},
        Refused{"UnknownRuleInFilter",
                {"--filter=retval.hit-is-redirct"},
                {"--filter", "did you mean", "retval.hit-is-redirect"}},
        Refused{"GlobWithoutMatch", {"--filter=nothing.*"}, {"--filter", "'nothing.*' matches no rule"}},
        Refused{"ExcludingGlobWithoutMatch", {"--filter=-nothing.*"}, {"--filter", "'nothing.*' matches no rule"}},
        Refused{"FilterAndChapterApart", {"--filter=retval.*", "--chapter=create"}, {"no rule matches all", "--list"}},
        Refused{"UnknownChapter", {"--chapter=retvals"}, {"--chapter", "'retvals'", "retval, "}},
        Refused{"ShardPastTheEnd", {"--shard=3/2"}, {"--shard", "'3/2'", "such as 2/3"}},
        Refused{"ShardZero", {"--shard=0/2"}, {"--shard", "'0/2'"}},
        Refused{"ShardOfText", {"--shard=half"}, {"--shard", "'half'"}},
        Refused{"MoreShardsThanChecks",
                {"--calibration", "--filter=calibration.conforms", "--shard=2/2"},
                {"--shard", "only 1 check"}},
        Refused{"UnknownOption", {"--colour=never"}, {"--colour", "--help"}},
        Refused{"StrayArgument", {"retval"}, {"retval", "--help"}},
        Refused{"OptionWithoutValue", {"--filter"}, {"--filter"}},
        Refused{"UnknownFormat", {"--output=xml:results.xml"}, {"--output", "'xml:results.xml'", "junit"}},
        Refused{"OutputWithoutFile", {"--output=json"}, {"--output", "'json'", "FORMAT:FILE"}},
        Refused{"TwoOutputsToOneFile", {"-o", "json:/tmp/x", "-o", "ktap:/tmp/x"}, {"two outputs", "'/tmp/x'"}},
        Refused{"TwoNamesOfOneFile", {"-o", "json:/tmp/x", "-o", "ktap:/tmp/../tmp/x"}, {"two outputs", "/tmp/x'"}},
        Refused{"TwoOutputsToStandardOutput", {"-o", "json:-", "-o", "ktap:-"}, {"two outputs", "'-'"}},
        Refused{"NoJobs", {"--jobs=0"}, {"--jobs", "0"}},
        Refused{"TimeoutOfText", {"--timeout=long"}, {"--timeout", "long"}},
        Refused{"SoakTooShort", {"--soak=0"}, {"--soak", "0"}},
        Refused{"SeedWithoutShuffle", {"--seed=1"}, {"--seed", "--shuffle"}},
        Refused{"UnknownSpecificationForm", {"--spec=xml"}, {"--spec", "xml", "markdown"}},
        Refused{"UnknownColor", {"--color=blue"}, {"--color", "blue"}},
        Refused{"MissingKnownFile", {"--known=/no/such/file.json"}, {"--known", "ENOENT", "/no/such/file.json"}},
        Refused{"OutputWithGoogleTest", {"--gtest_filter=*", "--output=json:/tmp/x"}, {"--output", "--gtest_output"}}),
    [](const testing::TestParamInfo<Refused>& instance) { return instance.param.name; });

/// What is said of a file with this text as --known.
std::string complaint_about_known(const std::string& text) {
  const TemporaryDirectory directory;
  const auto file = directory.file("known.json");
  write_to(file, text);
  const auto finished = run(suite({"--known=" + file}));
  EXPECT_EQ(finished.exit_code, 64);
  EXPECT_EQ(lines_of(finished.err).size(), 1U) << finished.err;
  EXPECT_THAT(finished.err, HasSubstr(file));
  return finished.err;
}

TEST(KnownIssuesFile, FaultIsToldWithLineAndColumn) {
  EXPECT_THAT(complaint_about_known("{\n  \"schema_version\": 1,\n  \"known\": [}\n"),
              HasSubstr("known.json: line 3, column 13: not JSON"));
}

TEST(KnownIssuesFile, EntryWithoutReasonIsNamed) {
  EXPECT_THAT(complaint_about_known(R"({"schema_version": 1, "known": [{"rule": "retval.*"}]})"),
              HasSubstr("entry 1 of \"known\" lacks \"rule\" or \"reason\""));
}

TEST(KnownIssuesFile, OtherSchemaVersionIsRefused) {
  EXPECT_THAT(complaint_about_known(R"({"schema_version": 7, "known": []})"), HasSubstr("schema_version"));
}

bool open_full_device_as_standard_output() {
  const int full = open("/dev/full", O_WRONLY);
  return full >= 0 && dup2(full, STDOUT_FILENO) == STDOUT_FILENO;
}

class AnswerToFullDisk : public testing::TestWithParam<std::string> {};

TEST_P(AnswerToFullDisk, IsComplainedAbout) {
  Command command = suite({GetParam()});
  command.prepare = open_full_device_as_standard_output;
  const auto finished = run(command);
  EXPECT_EQ(finished.exit_code, 70);
  EXPECT_THAT(finished.err, HasSubstr("ENOSPC"));
}

INSTANTIATE_TEST_SUITE_P(Of, AnswerToFullDisk, testing::Values("--list", "--spec=json", "--help", "--version"),
                         [](const testing::TestParamInfo<std::string>& instance) {
                           return instance.param.substr(2, instance.param.find('=') - 2);
                         });

}  // namespace
}  // namespace devmap::test
