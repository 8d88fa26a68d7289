#include <harness/spec/suite.hpp>

#include <harness/base/capabilities.hpp>
#include <harness/spec/gtest_bridge.hpp>
#include <harness/spec/tests/sample_registry.hpp>
#include <harness/spec/tests/support.hpp>

#include <algorithm>
#include <cerrno>

namespace devmap {
namespace {

using testing::HasSubstr;
using testing::StartsWith;
using testing_support::fault;
using testing_support::make_rule;
using testing_support::sample_registry;

Registry failing_on_purpose() {
  Registry registry;
  registry.chapter("calibration", "Failures");
  registry.add(make_rule("calibration.fails", testing_support::not_hold));
  return registry;
}

struct Ended {
  int code = -1;
  std::string out = {}, err = {};
};

Ended run(std::vector<std::string> arguments, Suite suite) {
  arguments.insert(arguments.begin(), "program");
  std::vector<char*> argv;
  for (auto& argument : arguments) argv.push_back(argument.data());
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  const int code = suite_main(std::move(suite), static_cast<int>(argv.size()), argv.data());
  std::fflush(nullptr);
  return {code, testing::internal::GetCapturedStdout(), testing::internal::GetCapturedStderr()};
}
Ended run(std::vector<std::string> arguments) {
  return run(std::move(arguments), {"program", sample_registry(), failing_on_purpose()});
}

TEST(Suite, ListsItsRules) {
  const auto ended = run({"--list", "--chapter", "update"});
  EXPECT_EQ(ended.code, 0);
  EXPECT_EQ(ended.out, "update.unmet   1  A sentence about device maps.\n");
  EXPECT_THAT(run({"--list", "--calibration"}).out, StartsWith("calibration.fails "));
}

TEST(Suite, ExplainsARule) {
  const auto ended = run({"--explain", "update.unmet"});
  EXPECT_EQ(ended.code, 0);
  EXPECT_THAT(ended.out, StartsWith("update.unmet\n"));
  EXPECT_EQ(run({"--explain", "update.unmet/once"}).out, ended.out) << "as results name it";
  const auto unknown = run({"--explain", "update.unmeet"});
  EXPECT_EQ(unknown.code, 64);
  EXPECT_EQ(unknown.out, "");
  EXPECT_THAT(unknown.err, StartsWith("program: no rule 'update.unmeet'; did you mean update.unmet or "));
}

/// Three rules that end in EINVAL, in another order than that of their names.
Suite with_errnos() {
  Suite suite{"program", {}, failing_on_purpose()};
  for (const char* id : {"create.z", "create.a", "update.b"}) {
    const std::string chapter(id, 6);
    if (suite.rules.chapters().empty() || suite.rules.chapters().back().name != chapter) {
      suite.rules.chapter(chapter, "Chapter " + chapter);
    }
    Rule rule = make_rule(id);
    rule.states = "Something ends in EINVAL.";
    rule.refuses = {EINVAL};
    if (rule.id == "update.b") rule.refuses = {EEXIST, EINVAL};
    rule.variants = any_map();
    suite.rules.add(rule);
  }
  return suite;
}

TEST(Suite, ExplainsAnErrnoByTheRulesInTheirOrder) {
  const auto ended = run({"--explain", "EINVAL"}, with_errnos());
  EXPECT_EQ(ended.code, 0);
  EXPECT_EQ(ended.err, "");
  EXPECT_THAT(ended.out, StartsWith("EINVAL"));
  std::vector<std::size_t> found;
  for (const char* text : {"Chapter create", "create.z\n", "create.a\n", "Chapter update", "update.b\n"}) {
    found.push_back(ended.out.find(text));
  }
  EXPECT_THAT(found, testing::Each(testing::Ne(std::string::npos))) << ended.out;
  EXPECT_TRUE(std::ranges::is_sorted(found)) << ended.out;
  EXPECT_EQ(ended.out.find("create.z\n", found[1] + 1), std::string::npos) << "a rule of four checks is there once";
}

TEST(Suite, ExplainsAnErrnoByItsNumber) {
  const auto by_name = run({"--explain", "EINVAL"}, with_errnos());
  for (const char* number : {"--explain=22", "--explain=-22"}) {
    EXPECT_EQ(run({number}, with_errnos()).out, by_name.out) << number;
  }
  EXPECT_EQ(run({"--explain", "524"}, with_errnos()).err,
            "program: no rule ends in ENOTSUPP; rules end in EEXIST, EINVAL\n");
  for (const char* none : {"--explain=0", "--explain=99999", "--explain=22x", "--explain=-", "--explain=E"}) {
    EXPECT_EQ(run({none}, with_errnos()).code, 64) << none;
  }
}

TEST(Suite, ExplainsAnErrnoWithinASelection) {
  const auto of_chapter = run({"--explain", "EINVAL", "--chapter", "update"}, with_errnos());
  EXPECT_EQ(of_chapter.code, 0);
  EXPECT_THAT(of_chapter.out, HasSubstr("update.b"));
  EXPECT_THAT(of_chapter.out, testing::Not(HasSubstr("create.")));
  EXPECT_EQ(run({"--explain", "EINVAL", "--filter", "update.*"}, with_errnos()).out, of_chapter.out);
  const auto elsewhere = run({"--explain", "EEXIST", "--chapter", "create"}, with_errnos());
  EXPECT_EQ(elsewhere.code, 64);
  EXPECT_EQ(elsewhere.out, "");
  EXPECT_EQ(elsewhere.err, "program: no rule of those selected ends in EEXIST; see --explain EEXIST\n");
}

TEST(Suite, CannotExplainAnErrnoThatNoRuleEndsIn) {
  const struct {
    const char* text;
    const char* complaint;
  } kTable[] = {
      {"EINVALL", "program: no errno 'EINVALL'; did you mean EINVAL or EEXIST?\n"},
      {"EIO", "program: no rule ends in EIO; rules end in EEXIST, EINVAL\n"},
  };
  for (const auto& row : kTable) {
    const auto ended = run({"--explain", row.text}, with_errnos());
    EXPECT_EQ(ended.code, 64);
    EXPECT_EQ(ended.out, "");
    EXPECT_EQ(ended.err, row.complaint);
  }
}

TEST(Suite, ListsTheRulesThatEndInAnErrno) {
  EXPECT_EQ(run({"--list", "--errno", "EEXIST"}, with_errnos()).out, "update.b   4  Something ends in EINVAL.\n");
  const auto none = run({"--list", "--errno", "EIO"}, with_errnos());
  EXPECT_EQ(none.code, 64);
  EXPECT_EQ(none.err, "program: --errno: no rule ends in EIO; rules end in EEXIST, EINVAL\n");
}

TEST(Suite, PrintsItsSpecification) {
  const auto json = run({"--spec", "json"});
  EXPECT_EQ(json.code, 0);
  EXPECT_THAT(json.out, StartsWith("{\n  \"schema_version\": 1,"));
  EXPECT_THAT(run({"--spec", "markdown"}).out, StartsWith("# BPF device maps"));
}

TEST(Suite, RefusesWhatSelectsNothing) {
  for (const char* arguments : {"--filter=nothing", "--chapter=nothing", "--shard=9/9"}) {
    const auto ended = run({"--list", arguments});
    EXPECT_EQ(ended.code, 64) << arguments;
    EXPECT_EQ(ended.out, "") << arguments;
  }
}

TEST(Suite, IsBrokenWhereItsRulesContradictThemselves) {
  Registry faulty = sample_registry();
  faulty.add(make_rule("update.unmet"));
  for (const char* action : {"--list", "--spec=json", "-q"}) {
    const auto ended = run({action}, {"program", faulty, {}});
    EXPECT_EQ(ended.code, 70) << action;
    EXPECT_EQ(ended.err, "program: rule update.unmet is there twice\n");
  }
}

TEST(Suite, SaysWhatItLacksToRun) {
  Ended ended;
  ASSERT_EQ(fault(with_capabilities({}, [&] { ended = run({}); })), "");
  EXPECT_EQ(ended.code, 4);
  EXPECT_THAT(ended.err, StartsWith("program: no network namespace can be made: "));
  EXPECT_THAT(ended.err, HasSubstr("run it as root"));
  EXPECT_EQ(ended.out, "");
}

TEST(GoogleTestBridge, KnowsItsFlags) {
  EXPECT_TRUE(is_google_test_flag("--gtest_filter=a"));
  EXPECT_TRUE(is_google_test_flag("--gtest_list_tests"));
  EXPECT_FALSE(is_google_test_flag("--filter"));
  EXPECT_FALSE(is_google_test_flag("gtest_filter"));
}

TEST(GoogleTestBridge, KnowsWhenOnlyAListIsWanted) {
  const auto listing = [](std::string flag) {
    std::vector<char*> flags = {flag.data()};
    return is_google_test_listing(flags);
  };
  EXPECT_TRUE(listing("--gtest_list_tests"));
  EXPECT_TRUE(listing("--gtest_list_tests=1"));
  EXPECT_FALSE(listing("--gtest_list_tests=0"));
  EXPECT_FALSE(listing("--gtest_filter=a"));
}

}  // namespace
}  // namespace devmap
