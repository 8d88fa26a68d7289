#include <harness/record/verdict.hpp>

#include <gtest/gtest.h>

namespace devmap {
namespace {

TEST(Verdict, HasItsNameAndItsConsequences) {
  const struct {
    Verdict verdict;
    const char* name;
    bool makes_a_run_fail, is_about_the_kernel;
  } kTable[] = {
      {Verdict::conforms, "conforms", false, true}, {Verdict::backported, "backported", false, true},
      {Verdict::absent, "absent", false, true},     {Verdict::known, "known", false, true},
      {Verdict::unmet, "unmet", false, false},      {Verdict::deviates, "deviates", true, true},
      {Verdict::splat, "splat", true, false},       {Verdict::crash, "crash", true, false},
      {Verdict::timeout, "timeout", true, false},   {Verdict::broken, "broken", true, false},
  };
  EXPECT_EQ(std::size(kTable), kVerdicts.size());
  for (const auto& row : kTable) {
    EXPECT_EQ(name_of(row.verdict), row.name);
    EXPECT_EQ(verdict_named(row.name), row.verdict);
    EXPECT_EQ(fails(row.verdict), row.makes_a_run_fail) << row.name;
    EXPECT_EQ(checked(row.verdict), row.is_about_the_kernel) << row.name;
  }
  EXPECT_EQ(verdict_named("conform"), std::nullopt);
  EXPECT_EQ(verdict_named(""), std::nullopt);
}

}  // namespace
}  // namespace devmap
