#include <harness/record/record.hpp>

#include <gmock/gmock.h>

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

}  // namespace
}  // namespace devmap
