#include <harness/spec/gtest_bridge.hpp>

#include <harness/spec/tests/trial_suite.hpp>

namespace devmap {
namespace {

using testing::HasSubstr;
using GoogleTestBridgeTest = testing_support::TrialSuiteTest;

TEST_F(GoogleTestBridgeTest, ListsChecksAsTests) {
  const auto listed = run("--gtest_list_tests --filter 'trial.conforms*'");
  EXPECT_EQ(listed.code, 0);
  EXPECT_THAT(listed.out, HasSubstr("trial.\n  conforms/once\n  conforms_too/once\n"));
}

TEST_F(GoogleTestBridgeTest, RunsWhatItsFilterSelects) {
  const auto ran = run("--gtest_filter=trial.conforms/*");
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(ran.out, HasSubstr("[  PASSED  ] 1 test"));
  EXPECT_EQ(run("--gtest_filter=nothing").code, 64);
}

TEST_F(GoogleTestBridgeTest, RefusesFlagsThatNobodyKnows) {
  EXPECT_EQ(run("--gtest_nothing=1").code, 64);
  EXPECT_EQ(run("--gtest_filter=* --repeat 2").code, 64) << "GoogleTest has a flag of its own for that";
}

TEST_F(GoogleTestBridgeTest, FailsWithRuleAndEvidence) {
  const auto failed = run("--gtest_filter=trial.deviates/*");
  EXPECT_EQ(failed.code, 1);
  EXPECT_THAT(failed.out, HasSubstr("deviates trial.deviates/once: A sentence about device maps."));
  EXPECT_THAT(failed.out, HasSubstr("one and one -> 2, expected 3"));
}

TEST_F(GoogleTestBridgeTest, SkipsWhatCannotBeChecked) {
  const auto skipped = run("--gtest_filter=trial.unmet/*");
  EXPECT_EQ(skipped.code, 4);
  EXPECT_THAT(skipped.out, HasSubstr("needs the impossible: it is not there"));
  EXPECT_THAT(skipped.out, HasSubstr("[  SKIPPED ]"));
}

TEST_F(GoogleTestBridgeTest, EndsWithTheCodeOfTheWorst) {
  EXPECT_EQ(run("--gtest_filter=trial.breaks/*").code, 70);
  EXPECT_EQ(run("--gtest_filter=trial.hangs/* --timeout 0.1").code, 124);
}

}  // namespace
}  // namespace devmap
