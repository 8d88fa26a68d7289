#include <vm/version_claims.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <harness/bpf/features.hpp>
#include <harness/record/missing.hpp>

namespace devmap::vm {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using enum Verdict;

RecordedRun run(const std::string& label, const std::string& release, std::vector<RecordedResult> results) {
  return {.label = label, .release = release, .results = std::move(results)};
}

TEST(VersionClaims, NameRulesThatNoKernelCouldCheck) {
  const auto claims = VersionClaims::of({run("a", "6.1.190",
                                             {{.rule = "r.never", .verdict = unmet},
                                              {.rule = "r.once", .verdict = unmet},
                                              {.rule = "r.failed", .verdict = broken}}),
                                         run("b", "6.12.95",
                                             {{.rule = "r.never", .verdict = unmet},
                                              {.rule = "r.once", .verdict = absent},
                                              {.rule = "r.failed", .verdict = unmet}})});
  EXPECT_THAT(claims.never_checked, ElementsAre("r.never"));
  EXPECT_THAT(claims.text(true), HasSubstr("error of the suite: no kernel could check these rules:\n  r.never\n"));
  EXPECT_THAT(claims.text(false), Not(HasSubstr("error")));
}

TEST(VersionClaims, ExcuseRulesThatAreOfAnotherArchitecture) {
  const auto reason = for_want_of(features::kernel_of_32_bits().name) + "the kernel's pointers have 64 bits";
  const auto claims = VersionClaims::of({run("a", "6.1.190",
                                             {{.rule = "r.of-32-bits", .verdict = unmet, .reason = reason},
                                              {.rule = "r.never", .verdict = unmet, .reason = "needs veth: none"}}),
                                         run("b", "5.10.262",
                                             {{.rule = "r.of-32-bits", .verdict = unmet, .reason = "needs veth: none"},
                                              {.rule = "r.never", .verdict = unmet, .reason = "needs veth: none"}})});
  EXPECT_THAT(claims.of_other_architectures, ElementsAre("r.of-32-bits"));
  EXPECT_THAT(claims.never_checked, ElementsAre("r.never"));
  EXPECT_THAT(claims.text(true), HasSubstr("for kernels of another architecture than these:\n  r.of-32-bits\n"));
}

TEST(VersionClaims, TellMainlineFromStable) {
  const auto claims = VersionClaims::of(
      {run("rc", "7.3-rc7", {{.rule = "r.soon", .verdict = backported}, {.rule = "r.soon", .verdict = backported}}),
       run("stable", "6.12.117", {{.rule = "r.soon", .verdict = backported}, {.rule = "r.old", .verdict = conforms}}),
       run("stable too", "6.1.190",
           {{.rule = "r.soon", .verdict = backported}, {.rule = "r.old", .verdict = absent}})});
  EXPECT_THAT(claims.earlier_in_mainline, ElementsAre(RuleOnKernels{"r.soon", {"rc"}}));
  EXPECT_THAT(claims.earlier_in_stable, ElementsAre(RuleOnKernels{"r.soon", {"stable", "stable too"}}));
  EXPECT_THAT(claims.text(true), HasSubstr("  r.soon: stable, stable too\n"));
}

TEST(VersionClaims, ThatAreRightSayNothing) {
  EXPECT_EQ(VersionClaims::of({run("a", "6.1", {{.rule = "r.r", .verdict = conforms}})}).text(true), "");
}

}  // namespace
}  // namespace devmap::vm
