#include <harness/spec/rule.hpp>

#include <gtest/gtest.h>
#include <harness/base/error.hpp>

#include <cerrno>

namespace devmap {
namespace {

KernelVersion kernel(const char* text) {
  return KernelVersion::parse(text).value();
}

struct Expectation {
  const char* release;
  bool expected;
};

void expect(const Rule& rule, std::initializer_list<Expectation> table) {
  for (const auto& row : table) EXPECT_EQ(rule.expected_on(kernel(row.release)), row.expected) << row.release;
}

TEST(Rule, BelongsToTheChapterOfItsId) {
  EXPECT_EQ((Rule{.id = "update.noexist-on-array-is-eexist"}).chapter(), "update");
  EXPECT_EQ((Rule{.id = "update.a.b"}).chapter(), "update");
}

TEST(Rule, WithoutVersionsIsExpectedEverywhere) {
  expect({}, {{"4.14", true}, {"5.10.99", true}, {"7.3-rc7", true}});
}

TEST(Rule, IsExpectedFromItsFirstVersionOn) {
  expect({.since = {5, 14}}, {{"5.13.19", false}, {"5.14", true}, {"5.14.1", true}, {"6.0", true}, {"4.20", false}});
}

TEST(Rule, IsExpectedOfBackportsInTheirSeriesOnly) {
  expect({.since = {6, 18}, .backports = {{6, 12, 77}, {6, 6, 5}}}, {{"6.12.76", false},
                                                                     {"6.12.77", true},
                                                                     {"6.12.100", true},
                                                                     {"6.13", false},
                                                                     {"6.17.9", false},
                                                                     {"6.6.4", false},
                                                                     {"6.6.5", true},
                                                                     {"6.5.99", false},
                                                                     {"6.18", true}});
}

TEST(Rule, IsNoLongerExpectedOnceItHasEnded) {
  expect({.since = {5, 8}, .until = KernelVersion{6, 17}},
         {{"5.7", false}, {"5.8", true}, {"6.16.9", true}, {"6.17", false}, {"6.17.1", false}, {"7.0", false}});
}

TEST(Rule, EndsEarlierWhereTheEndWasBackported) {
  expect({.until = KernelVersion{6, 17}, .until_backports = {{6, 12, 40}}},
         {{"6.12.39", true}, {"6.12.40", false}, {"6.13", true}, {"6.16.99", true}, {"6.17", false}});
}

TEST(Rule, EndsInStableReleasesAlone) {
  expect({.since = {5, 13}, .until_backports = {{6, 1, 136}}},
         {{"6.1.135", true}, {"6.1.136", false}, {"6.6.1", true}, {"6.17", true}});
}

TEST(Rule, StatesTheErrnosThatItsWordsName) {
  const auto stated = [](const char* states) { return Rule{.states = states}.stated_errnos(); };
  EXPECT_EQ(stated("EINVAL for a bad key, \"E2BIG\" for a full map."), (std::vector{EINVAL, E2BIG}));
  EXPECT_EQ(stated("Refused with errno 524 (ENOTSUPP), which is not EOPNOTSUPP"), std::vector{kErrnoNotsupp});
  EXPECT_EQ(stated("Refused with EINVAL, not E2BIG."), std::vector{EINVAL});
  for (const char* none : {"", "E", "Every Element", "BPF_EINVAL EINVALID xEINVAL einval", "ENTRY", "not EPERM"}) {
    EXPECT_EQ(stated(none), std::vector<int>()) << none;
  }
}

TEST(KnownIssue, CoversFromSinceToBeforeUntil) {
  const KnownIssue always{.reason = "r"};
  EXPECT_TRUE(always.covers(kernel("4.14")));
  EXPECT_TRUE(always.covers(kernel("9.9")));
  const KnownIssue bounded{.reason = "r", .since = {5, 8}, .until = KernelVersion{6, 2, 3}};
  EXPECT_FALSE(bounded.covers(kernel("5.7.99")));
  EXPECT_TRUE(bounded.covers(kernel("5.8")));
  EXPECT_TRUE(bounded.covers(kernel("6.2.2")));
  EXPECT_FALSE(bounded.covers(kernel("6.2.3")));
}

}  // namespace
}  // namespace devmap
