#include <vm/merged_table.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace devmap::vm {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using enum Verdict;

RecordedRun run(const std::string& label, std::vector<RecordedResult> results) {
  return {.label = label, .results = std::move(results)};
}

RecordedResult result(const std::string& rule, const std::string& variant, Verdict verdict) {
  return {.rule = rule, .variant = variant, .verdict = verdict};
}

std::vector<RecordedRun> three_runs() {
  return {run("5.10", {result("a.alike", "devmap/v4", conforms), result("a.later", "devmap/v4", absent),
                       result("a.later", "devmap_hash/v4", absent), result("b.unchecked", "once", conforms)}),
          run("6.12", {result("a.alike", "devmap/v4", conforms), result("a.later", "devmap/v4", conforms),
                       result("a.later", "devmap_hash/v4", absent), result("b.unchecked", "once", unmet)}),
          run("7.3-rt", {result("a.alike", "devmap/v4", conforms), result("a.later", "devmap/v4", conforms),
                         result("a.later", "devmap_hash/v4", deviates)})};
}

TEST(MergedTable, HasARowForWhatIsTreatedAlike) {
  const auto table = merge(three_runs());
  EXPECT_THAT(table.kernels, ElementsAre("5.10", "6.12", "7.3-rt"));
  ASSERT_EQ(table.rows.size(), 4U);
  EXPECT_EQ(table.rows[0].rule, "a.alike");
  EXPECT_THAT(table.rows[0].variants, IsEmpty());
  EXPECT_THAT(table.rows[1].variants, ElementsAre("devmap/v4"));
  EXPECT_THAT(table.rows[1].cells, ElementsAre(absent, conforms, conforms));
  EXPECT_THAT(table.rows[2].variants, ElementsAre("devmap_hash/v4"));
  EXPECT_THAT(table.rows[3].cells, ElementsAre(conforms, unmet, std::nullopt));
}

TEST(MergedTable, TakesVariantsTogetherThatDoNotContradict) {
  const auto table = merge({run("a", {result("r.r", "native", unmet), result("r.r", "generic", conforms)}),
                            run("b", {result("r.r", "native", absent), result("r.r", "generic", absent)})});
  ASSERT_EQ(table.rows.size(), 1U);
  EXPECT_THAT(table.rows[0].cells, ElementsAre(conforms, absent));
}

TEST(MergedTable, CountsTheWorstOfARepeatedCheck) {
  const auto table = merge(
      {run("a", {result("r.r", "once", conforms), result("r.r", "once", timeout), result("r.r", "once", conforms)})});
  EXPECT_THAT(table.rows.at(0).cells, ElementsAre(timeout));
}

TEST(MergedTable, TellsByWhatWasChecked) {
  EXPECT_FALSE((MergedRow{.cells = {conforms, unmet, std::nullopt}}).is_telling());
  EXPECT_TRUE((MergedRow{.cells = {conforms, absent}}).is_telling());
  EXPECT_TRUE((MergedRow{.cells = {deviates, deviates}}).is_telling());
  EXPECT_FALSE((MergedRow{.cells = {known, known}}).is_telling());
}

TEST(MergedTable, IsRenderedWithTheRowsThatDiffer) {
  EXPECT_EQ(render(merge(three_runs()), {}),
            "                             7\n"
            "                             .\n"
            "                         5 6 3\n"
            "                         . . -\n"
            "                         1 1 r\n"
            "                         0 2 t\n"
            "a.later [devmap/v4]      a . .\n"
            "a.later [devmap_hash/v4] a a D\n"
            "\n"
            ". conforms  a absent  D deviates\n"
            "and 2 more, which all kernels that could check them treat alike (--all-rows)\n");
}

TEST(MergedTable, IsRenderedWithAllRows) {
  const auto text = render(merge(three_runs()), {.all_rows = true});
  EXPECT_THAT(text, HasSubstr("a.alike                  . . .\n"));
  EXPECT_THAT(text, HasSubstr("b.unchecked              . -\n"));
  EXPECT_THAT(text, HasSubstr(". conforms  a absent  - unmet  D deviates\n"));
  EXPECT_THAT(text, Not(HasSubstr("--all-rows")));
}

TEST(MergedTable, WithoutDifferencesSaysSo) {
  EXPECT_EQ(
      render(merge({run("a", {result("r.r", "once", conforms)}), run("b", {result("r.r", "once", conforms)})}), {}),
      "all kernels treat all 1 rules alike\n");
}

TEST(MergedTable, PaintsWhatFails) {
  const auto text = render(merge(three_runs()), {.color = true});
  EXPECT_THAT(text, HasSubstr("\033[1m\033[31mD\033[0m"));
}

TEST(Failures, AreListedOnceWithTheirKernels) {
  auto runs = three_runs();
  runs[0].results.push_back(
      {.rule = "c.c", .variant = "devmap/v4", .verdict = deviates, .expected = "1", .observed = "2", .reason = "r"});
  runs[0].results.push_back(
      {.rule = "c.c", .variant = "devmap/v8", .verdict = deviates, .expected = "1", .observed = "2", .reason = "r"});
  runs[1].results.push_back(
      {.rule = "c.c", .variant = "devmap/v4", .verdict = deviates, .expected = "1", .observed = "2", .reason = "r"});
  EXPECT_EQ(render_failures(runs),
            "deviates a.later [devmap_hash/v4] on 7.3-rt\n"
            "deviates c.c [devmap/v4, devmap/v8] on 5.10, 6.12\n"
            "  expected: 1\n"
            "  observed: 2\n"
            "  because: r\n");
  EXPECT_EQ(render_failures({}), "");
}

}  // namespace
}  // namespace devmap::vm
