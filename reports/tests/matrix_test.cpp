#include <reports/changes.hpp>
#include <reports/matrix.hpp>
#include <reports/merge.hpp>

#include <gmock/gmock.h>

#include <harness/record/format.hpp>
#include <reports/tests/sample.hpp>
#include <set>

namespace devmap::reports {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing_support::record_of;
using testing_support::sample_sources;
using testing_support::sample_specification;

TEST(Kernel, IsCalledByItsVersionAndWhatSetsItApart) {
  const auto sources = sample_sources();
  EXPECT_EQ(Kernel::of(sources[0].record.context).name(), "5.10.1");
  EXPECT_EQ(Kernel::of(sources[2].record.context).name(), "6.12.5 (aarch64, RT, no JIT)");
}

TEST(Kernel, OfDebianHasItsStableVersion) {
  RunContext context{.release = "6.1.0-56-cloud-amd64",
                     .version = "#1 SMP PREEMPT_DYNAMIC Debian 6.1.192-2 (2026-11-16)",
                     .machine = "x86_64",
                     .kernel_label = "bookworm",
                     .jit = "on"};
  EXPECT_EQ(Kernel::of(context).name(), "6.1.192");
  context.version = "#1 SMP Debian 5.10.1-1";  // of another series: not this kernel's
  EXPECT_EQ(Kernel::of(context).name(), "6.1");
  context.release = "no version";
  EXPECT_EQ(Kernel::of(context).name(), "bookworm");
}

TEST(Kernel, ComesAfterOlderOnesAndTheUsualOfItsVersion) {
  const auto of = [](const char* release, const char* machine, const char* jit) {
    return Kernel::of({.release = release, .machine = machine, .kernel_label = release, .jit = jit});
  };
  const auto usual = of("6.12.1", "x86_64", "on");
  EXPECT_LT(of("6.9.9", "x86_64", "on"), usual);
  EXPECT_LT(usual, of("6.12.1", "aarch64", "on"));
  EXPECT_LT(usual, of("6.12.1", "x86_64", "off"));
  EXPECT_LT(of("6.12.1", "aarch64", "on"), of("6.12.2", "x86_64", "on"));
  EXPECT_FALSE(usual < usual);
}

TEST(Kernel, HasWhatItsLabelSaysBesidesItsVersion) {
  const auto name = [](RunContext context) {
    context.machine = "x86_64";
    return Kernel::of(context).name();
  };
  const char* const release = "7.3.4+deb13-cloud-amd64";
  EXPECT_EQ(name({.release = release, .kernel_label = "7.3", .jit = "on"}), "7.3.4");
  EXPECT_EQ(name({.release = release, .kernel_label = "7.3-bpf-open", .jit = "on"}), "7.3.4 (bpf-open)");
  EXPECT_EQ(name({.release = release, .kernel_label = "7.3-jit-off", .jit = "off"}), "7.3.4 (no JIT)");
  EXPECT_EQ(name({.release = release, .kernel_label = "7.3-jit-off", .jit = "on"}), "7.3.4 (jit-off)");
  EXPECT_EQ(name({.release = release, .version = "PREEMPT_RT", .kernel_label = "7.3-rt-kasan", .jit = "on"}),
            "7.3.4 (RT, kasan)");
  EXPECT_EQ(name({.release = release, .kernel_label = release, .jit = "on"}), "7.3.4") << "nobody gave it that label";
  EXPECT_EQ(name({.release = release, .kernel_label = "7.3-", .jit = "on"}), "7.3.4");
  EXPECT_EQ(name({.release = release, .kernel_label = "", .jit = "on"}), "7.3.4");
}

TEST(Kernel, ThatIsACandidateSaysSo) {
  const auto of = [](const char* release, const char* version, const char* label) {
    return Kernel::of(
        {.release = release, .version = version, .machine = "x86_64", .kernel_label = label, .jit = "on"});
  };
  const auto debian = of("7.3-cloud-amd64", "#1 SMP Debian 7.3~rc7-1~exp1 (2026-10-16)", "7.3-rc");
  EXPECT_EQ(debian.name(), "7.3-rc7");
  EXPECT_EQ(debian.kind(), "") << "it is of the usual kind";
  EXPECT_EQ(of("7.3.0-rc2+", "#1 SMP", "7.3.0-rc2+").name(), "7.3-rc2");
  EXPECT_EQ(of("7.3.0-rcu", "#1 SMP", "7.3.0-rcu").name(), "7.3");
  EXPECT_LT(debian, of("7.3.0", "#1 SMP", "7.3"));
  EXPECT_LT(of("7.2.9", "#1 SMP", "7.2"), debian);
}

TEST(Kernel, ShowsItsLabelWhereNothingElseTellsItFromAnother) {
  const auto of = [](const char* label) {
    return Kernel::of({.release = "6.1.1", .machine = "x86_64", .kernel_label = label, .jit = "on"});
  };
  std::vector<Kernel> kernels = {of("before"), of("after"), of("6.1-kasan"), of("6.1-kasan")};
  tell_apart(kernels);
  EXPECT_EQ(kernels[0].name(), "6.1.1 (before)");
  EXPECT_EQ(kernels[1].name(), "6.1.1 (after)");
  EXPECT_EQ(kernels[0].kind(), kernels[1].kind()) << "they are compared with each other";
  EXPECT_EQ(kernels[2].name(), "6.1.1 (kasan)") << "two parts of one run";
  kernels.erase(kernels.begin());
  tell_apart(kernels);
  EXPECT_EQ(kernels[0].name(), "6.1.1");
}

TEST(Letter, IsAnotherForEveryVerdict) {
  std::set<char> letters;
  for (const Verdict verdict : kVerdicts) {
    letters.insert(letter_of(verdict));
    EXPECT_STRNE(meaning_of(verdict), "");
  }
  EXPECT_EQ(letters.size(), kVerdicts.size());
}

TEST(Matrix, HasTheWorstOfARulesChecks) {
  const auto sources = sample_sources();
  const auto matrix = Matrix::of(sources, sample_specification());
  ASSERT_EQ(matrix.kernels.size(), 3U);
  EXPECT_EQ(matrix.rules(), 5U);
  const auto* size = matrix.find("create.value-size");
  ASSERT_NE(size, nullptr);
  EXPECT_EQ(size->cells[0].verdict, Verdict::absent);
  EXPECT_FALSE(size->cells[0].mixed);
  EXPECT_EQ(size->cells[1].verdict, Verdict::known);
  EXPECT_TRUE(size->cells[1].mixed);
  EXPECT_TRUE(size->differs);
  EXPECT_FALSE(matrix.find("update.any")->differs);
  EXPECT_FALSE(matrix.find("update.key")->differs) << "what could not be checked is no difference";
  EXPECT_EQ(matrix.find("update.never-run")->cells[0].verdict, std::nullopt);
  EXPECT_EQ(matrix.find("no.such-rule"), nullptr);
  EXPECT_THAT(counts_of(matrix.chapters[0].rows, 1),
              ElementsAre(testing::Pair(Verdict::conforms, 1U), testing::Pair(Verdict::known, 1U)));
}

TEST(Matrix, HeadsNoTwoKernelsAlike) {
  auto sources = sample_sources();
  sources[0].record.context = sources[1].record.context;
  sources[0].record.context.kernel_label = "tuned";
  const auto matrix = Matrix::of(sources, sample_specification());
  EXPECT_EQ(matrix.kernels[0].name(), "6.12.5 (tuned)");
  EXPECT_EQ(matrix.kernels[1].name(), "6.12.5 (6.12.5-test)");
  EXPECT_EQ(matrix.kernels[2].name(), "6.12.5 (aarch64, RT, no JIT)");
}

TEST(Matrix, CountsWhatCannotBeCheckedForLeast) {
  const std::vector<Source> sources = {
      {"a", record_of("6.1.1", {"create.flags/devmap/v4=unmet", "create.flags/devmap/v8=conforms"})}};
  const auto matrix = Matrix::of(sources, sample_specification());
  EXPECT_EQ(matrix.find("create.flags")->cells[0].verdict, Verdict::conforms);
  EXPECT_FALSE(matrix.find("create.flags")->cells[0].mixed);
}

TEST(AsStated, IsNotWhereAnyCheckSaysSo) {
  const auto of = [](const std::vector<std::string_view>& results) {
    const auto record = record_of("6.1.1", results);
    Cell cell;
    for (const auto& result : record.results) cell.results.push_back(&result);
    return as_stated(cell);
  };
  EXPECT_EQ(of({"a.b/v4=conforms", "a.b/v8=timeout"}), true);
  EXPECT_EQ(of({"a.b/v4=absent", "a.b/v8=timeout"}), false);
  EXPECT_EQ(of({"a.b/v4=conforms", "a.b/v8=known"}), false);
  EXPECT_EQ(of({"a.b/v4=unmet", "a.b/v8=broken"}), std::nullopt);
  EXPECT_EQ(of({}), std::nullopt);
}

TEST(KernelsInWords, ShortensRows) {
  std::vector<Source> sources;
  for (const char* release : {"6.1", "6.2", "6.3", "6.4", "6.5"}) sources.push_back({release, record_of(release, {})});
  const auto matrix = Matrix::of(sources, sample_specification());
  EXPECT_EQ(kernels_in_words(matrix, {}), "");
  EXPECT_EQ(kernels_in_words(matrix, {0, 1, 3}), "6.1, 6.2, 6.4");
  EXPECT_EQ(kernels_in_words(matrix, {0, 2, 3, 4}), "6.1, 6.3 to 6.5");
}

TEST(Matrix, ShowsRulesThatItsSpecificationDoesNotHave) {
  const std::vector<Source> sources = {
      {"a", record_of("6.1.1", {"create.new/once=conforms", "later.rule/once=known"})}};
  const auto matrix = Matrix::of(sources, sample_specification());
  ASSERT_NE(matrix.find("create.new"), nullptr);
  EXPECT_FALSE(matrix.find("create.new")->specified);
  EXPECT_EQ(matrix.chapters.back().chapter.name, "later");
  EXPECT_EQ(matrix.find("later.rule")->cells[0].verdict, Verdict::known);
}

TEST(Changes, AreToldByVerdictAndVariants) {
  const auto sources = sample_sources();
  const auto matrix = Matrix::of(sources, sample_specification());
  const auto changes = changes_between(matrix, 0, 1);
  ASSERT_EQ(changes.size(), 3U);
  EXPECT_EQ(changes[0].row->rule.id, "create.value-size");
  EXPECT_EQ(changes[0].after, Verdict::known);
  EXPECT_THAT(changes[0].variants, ElementsAre("devmap/v4"));
  EXPECT_EQ(changes[1].after, Verdict::conforms);
  EXPECT_TRUE(changes[1].of_the_kernel());
  EXPECT_EQ(changes[2].row->rule.id, "update.key");
  EXPECT_FALSE(changes[2].of_the_kernel()) << "it could not be checked on one of them";
  EXPECT_TRUE(changes_between(matrix, 1, 1).empty());
}

TEST(Merge, MakesTheWholeOfItsParts) {
  auto whole = sample_sources()[1].record;
  Source first{"1.json", whole};
  Source second{"2.json", whole};
  first.record.results.clear();
  second.record.results.clear();
  for (std::size_t i = 0; i < whole.results.size(); ++i) {
    (i % 2 == 0 ? second : first).record.results.push_back(whole.results[i]);
  }
  first.record.context.started = "2024-02-29T12:34:57Z";
  first.record.context.foreign_warnings = {"a warning"};
  const auto merged_record = merged({first, second}, sample_specification());
  ASSERT_TRUE(merged_record.has_value()) << merged_record.error().text();
  whole.context.duration_ms *= 2;
  whole.context.foreign_warnings = {"a warning"};
  EXPECT_EQ(render_json(*merged_record), render_json(whole));
}

TEST(Merge, RefusesWhatAreNoPartsOfOneRun) {
  const auto specification = sample_specification();
  const Source one{"1.json", record_of("6.1.1", {"update.any/once=conforms"})};
  Source other{"2.json", record_of("6.1.1", {"update.key/once=conforms"})};
  EXPECT_TRUE(merged({one, other}, specification).has_value());
  const auto complaint = [&] { return merged({one, other}, specification).error().text(); };
  other.record.context.jit = "off";
  EXPECT_THAT(complaint(), AllOf(HasSubstr("1.json and 2.json"), HasSubstr("the JIT is 'on' in one and 'off'")));
  other.record.context.jit = "on";
  other.record.suite.commit = "another";
  EXPECT_THAT(complaint(), HasSubstr("the suite's commit"));
  other = {"2.json", one.record};
  EXPECT_THAT(complaint(), HasSubstr("update.any/once is in 1.json and in 2.json"));
  EXPECT_FALSE(merged({}, specification).has_value());
}

}  // namespace
}  // namespace devmap::reports
