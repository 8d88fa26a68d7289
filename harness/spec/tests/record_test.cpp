#include <harness/spec/record.hpp>

#include <gmock/gmock.h>
#include <sys/utsname.h>

#include <bit>

namespace devmap {
namespace {

using testing::Pair;
using testing::UnorderedElementsAre;

RunRecord with(std::initializer_list<Verdict> verdicts) {
  RunRecord record;
  for (const auto verdict : verdicts) record.results.push_back({.verdict = verdict});
  return record;
}

TEST(RunRecord, CountsItsVerdicts) {
  EXPECT_THAT(with({Verdict::conforms, Verdict::known, Verdict::conforms}).summary(),
              UnorderedElementsAre(Pair(Verdict::conforms, 2U), Pair(Verdict::known, 1U)));
  EXPECT_TRUE(with({}).summary().empty());
}

TEST(ExitCode, IsThatOfTheWorst) {
  const struct {
    std::initializer_list<Verdict> verdicts;
    int code;
  } kTable[] = {
      {{Verdict::conforms}, 0},
      {{Verdict::backported}, 0},
      {{Verdict::absent}, 0},
      {{Verdict::known}, 0},
      {{Verdict::conforms, Verdict::unmet}, 0},
      {{Verdict::unmet}, 4},
      {{}, 4},
      {{Verdict::deviates}, 1},
      {{Verdict::splat}, 1},
      {{Verdict::crash}, 1},
      {{Verdict::timeout}, 124},
      {{Verdict::broken}, 70},
      {{Verdict::conforms, Verdict::broken}, 70},
      {{Verdict::broken, Verdict::timeout, Verdict::conforms}, 124},
      {{Verdict::broken, Verdict::timeout, Verdict::deviates}, 1},
      {{Verdict::timeout, Verdict::splat}, 1},
      {{Verdict::broken, Verdict::crash, Verdict::unmet}, 1},
  };
  for (const auto& row : kTable) {
    EXPECT_EQ(exit_code(with(row.verdicts)), row.code) << "case " << &row - kTable;
  }
}

TEST(RunContext, DescribesThisMachine) {
  const auto context = RunContext::of_this_machine();
  utsname names{};
  ASSERT_EQ(uname(&names), 0);
  EXPECT_EQ(context.release, names.release);
  EXPECT_EQ(context.kernel_label, names.release);
  EXPECT_EQ(context.machine, names.machine);
  EXPECT_THAT(context.jit, testing::AnyOf("on", "off", "hardened", "unknown"));
  EXPECT_GT(context.cpus, 0U);
  EXPECT_TRUE(std::has_single_bit(static_cast<unsigned long>(context.page_size)));
  EXPECT_THAT(context.started, testing::MatchesRegex("....-..-..T..:..:..Z"));
  EXPECT_FALSE(context.partial);
}

TEST(SuiteIdentity, IsThatOfTheBuild) {
  const auto suite = SuiteIdentity::of_this_build();
  EXPECT_THAT(suite.version, testing::MatchesRegex("[0-9]+\\.[0-9]+\\.[0-9]+"));
  EXPECT_FALSE(suite.commit.empty());
}

}  // namespace
}  // namespace devmap
