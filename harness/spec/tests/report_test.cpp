#include <harness/spec/report.hpp>

#include <harness/spec/tests/support.hpp>

#include <csignal>

namespace devmap {
namespace {

using testing::HasSubstr;
using testing_support::make_rule;

constexpr KernelVersion kInside{6, 12};
constexpr KernelVersion kOutside{5, 4};

/// A rule of 5.14 and later kernels, judged on one of them or on an older one.
Rule late_rule() {
  Rule rule = make_rule("update.a");
  rule.since = {5, 14};
  return rule;
}

ChildReport ended(bool as_stated) {
  return {.outcome = Case::Outcome{.as_stated = as_stated}};
}

Result judged(ChildReport report, const KernelVersion& kernel = kInside, const Rule& rule = late_rule(),
              const KnownIssues& listed = {}) {
  return judge(rule, {}, kernel, std::move(report), listed);
}

// --- judge

TEST(Judge, CrossesVersionAndBehaviour) {
  EXPECT_EQ(judged(ended(true), kInside).verdict, Verdict::conforms);
  EXPECT_EQ(judged(ended(false), kInside).verdict, Verdict::deviates);
  EXPECT_EQ(judged(ended(true), kOutside).verdict, Verdict::backported);
  EXPECT_EQ(judged(ended(false), kOutside).verdict, Verdict::absent);
}

TEST(Judge, PutsWhatMakesTheRestMeaninglessFirst) {
  // Each report holds one fact more than the next, and the first fact decides.
  Rule known = late_rule();
  known.known = {{.reason = "listed"}};
  ChildReport report = ended(false);
  EXPECT_EQ(judged(report, kInside, known).verdict, Verdict::known);
  report.outcome->broken = "the set-up failed";
  EXPECT_EQ(judged(report, kInside, known).verdict, Verdict::broken);
  report.missing = {.feature = "veth"};
  EXPECT_EQ(judged(report, kInside, known).verdict, Verdict::unmet);
  report.signal = SIGSEGV;
  EXPECT_EQ(judged(report, kInside, known).verdict, Verdict::crash);
  report.kernel_warnings = {"WARNING: here"};
  EXPECT_EQ(judged(report, kInside, known).verdict, Verdict::splat);
  report.timed_out = true;
  EXPECT_EQ(judged(report, kInside, known).verdict, Verdict::timeout);
}

TEST(Judge, CallsWhatIsNeverExactBroken) {
  const auto result = judged({.outcome = Case::Outcome{.inexact = "events were skipped"}});
  EXPECT_EQ(result.verdict, Verdict::broken);
  EXPECT_EQ(result.reason, "not exact: events were skipped");
  EXPECT_THAT(result.advice, HasSubstr("run it again"));
}

TEST(ChildReport, IsInexactOnlyWhereNothingElseCanBeSaid) {
  ChildReport report;
  EXPECT_FALSE(is_inexact(report)) << "without an outcome";
  ASSERT_TRUE(take_line(report, outcome_line({.inexact = "events were skipped"})));
  ASSERT_TRUE(report.outcome->inexact.has_value());
  EXPECT_TRUE(is_inexact(report));
  for (const auto& finding : std::vector<std::function<void(ChildReport&)>>{
           [](ChildReport& r) { r.timed_out = true; }, [](ChildReport& r) { r.signal = SIGSEGV; },
           [](ChildReport& r) { r.kernel_warnings = {"WARNING: a"}; },
           [](ChildReport& r) { r.outcome->broken = "left a child process behind"; }}) {
    ChildReport other = report;
    finding(other);
    EXPECT_FALSE(is_inexact(other));
  }
}

TEST(Judge, GivesReasonAndAdvice) {
  const struct {
    ChildReport report;
    Verdict verdict;
    const char* reason;
    const char* advice;
  } kTable[] = {
      {{.timed_out = true, .duration = std::chrono::milliseconds(1500)},
       Verdict::timeout,
       "no end after 1.5 s",
       "longer --timeout"},
      {{.kernel_warnings = {"WARNING: a", "BUG: b"}},
       Verdict::splat,
       "the kernel logged: WARNING: a\nBUG: b",
       "read the kernel log"},
      {{.signal = SIGSEGV}, Verdict::crash, "ended by SIGSEGV (11)", "suite is at fault"},
      {{.exit_code = 3}, Verdict::crash, "ended with exit code 3 before it came to a verdict", "suite is at fault"},
      {{.missing = ChildReport::Missing{"veth pairs", "EOPNOTSUPP", "load veth"}},
       Verdict::unmet,
       "needs veth pairs: EOPNOTSUPP",
       "load veth"},
      {{.outcome = Case::Outcome{.broken = "socket: EMFILE"}}, Verdict::broken, "socket: EMFILE", "suite is at fault"},
      {ended(false), Verdict::deviates, "", "compare kernel/bpf/devmap.c:function with --explain update.a"},
  };
  for (const auto& row : kTable) {
    const auto result = judged(row.report);
    EXPECT_EQ(name_of(result.verdict), name_of(row.verdict));
    EXPECT_EQ(result.reason, row.reason);
    EXPECT_THAT(result.advice, HasSubstr(row.advice));
  }
  EXPECT_EQ(judged(ended(true)).advice, "");
  EXPECT_EQ(judged(ended(true)).reason, "");
}

TEST(Judge, KnowsBeforehandWhereARuleIsNotToHold) {
  Rule rule = late_rule();
  EXPECT_TRUE(is_to_hold(rule, {}, kInside, {}));
  EXPECT_FALSE(is_to_hold(rule, {}, kOutside, {}));
  rule.known = {{.reason = "a bug", .since = {6, 0}, .until = KernelVersion{6, 13}}};
  EXPECT_FALSE(is_to_hold(rule, {}, kInside, {}));
  EXPECT_TRUE(is_to_hold(rule, {}, {6, 13}, {}));
}

TEST(Judge, ExpectsAKnownDeviationAndReportsItsEnd) {
  Rule rule = late_rule();
  rule.known = {{.reason = "a bug", .link = "https://example.org", .since = {6, 0}, .until = KernelVersion{6, 13}}};
  const auto still = judged(ended(false), kInside, rule);
  EXPECT_EQ(still.verdict, Verdict::known);
  EXPECT_EQ(still.reason, "a bug (https://example.org)");
  const auto healed = judged(ended(true), kInside, rule);
  EXPECT_EQ(healed.verdict, Verdict::conforms);
  EXPECT_EQ(healed.reason, "no longer deviates, although listed as known: a bug (https://example.org)");
  EXPECT_EQ(judged(ended(false), {6, 13}, rule).verdict, Verdict::deviates);
  EXPECT_EQ(judged(ended(true), {6, 13}, rule).reason, "");
  const auto absent = judged(ended(false), kOutside, rule);
  EXPECT_EQ(absent.verdict, Verdict::absent);
  EXPECT_EQ(absent.reason, "");
}

TEST(Judge, TakesKnownIssuesFromOutside) {
  const auto listed = KnownIssues::parse(
      R"({"schema_version": 1, "known": [{"rule": "update.*", "variant": "once", "reason": "listed outside"}]})", "f");
  ASSERT_TRUE(listed.has_value());
  EXPECT_EQ(judged(ended(false), kInside, late_rule(), *listed).verdict, Verdict::known);
  EXPECT_EQ(judged(ended(false), kInside, make_rule("create.a"), *listed).verdict, Verdict::deviates);
  Rule own = late_rule();
  own.known = {{.reason = "its own"}};
  EXPECT_EQ(judged(ended(false), kInside, own, *listed).reason, "its own");
}

TEST(Judge, TellsTheExpectationThatDecided) {
  ChildReport report = ended(false);
  report.evidence = {{.role = Role::note, .did = "a note"},
                     {.did = "first", .expected = "1", .observed = "1"},
                     {.role = Role::control, .did = "second", .expected = "2", .observed = "3", .as_expected = false},
                     {.did = "third", .expected = "4", .observed = "5", .as_expected = false}};
  const auto result = judged(report);
  EXPECT_EQ(result.expected, "second -> 2");
  EXPECT_EQ(result.observed, "3");
  EXPECT_EQ(result.evidence, report.evidence);
  report.evidence.resize(2);
  EXPECT_EQ(judged(report).expected, "first -> 1");
  report.evidence.clear();
  EXPECT_EQ(judged(report).expected, "");
}

TEST(Judge, SaysHowToEnterTheNamespaceThatWasKept) {
  ChildReport report = ended(false);
  report.kept = "enter it so";
  EXPECT_THAT(judged(report).advice, testing::EndsWith("; enter it so"));
}

TEST(Judge, NamesRuleVariantAndDuration) {
  ChildReport report = ended(true);
  report.duration = std::chrono::microseconds(2500);
  const auto result = judge(make_rule("update.a"), {DevMapType::devmap, 4, {}}, kInside, std::move(report), {});
  EXPECT_EQ(result.name(), "update.a/devmap/v4");
  EXPECT_DOUBLE_EQ(result.duration_ms, 2.5);
}

// --- report lines

TEST(ReportLines, ComeThroughWhole) {
  const std::vector<Evidence> evidence = {{.did = "update(key 0)", .expected = "EEXIST", .observed = "EEXIST"},
                                          {.role = Role::control,
                                           .did = "\"quoted\"\nsecond line\ttab",
                                           .expected = "",
                                           .observed = "\\",
                                           .as_expected = false},
                                          {.role = Role::note, .did = "a note — with a dash"}};
  ChildReport report;
  for (const auto& line : evidence) {
    const auto text = evidence_line(line);
    EXPECT_EQ(text.find('\n'), text.size() - 1) << "one line";
    EXPECT_TRUE(take_line(report, text));
  }
  EXPECT_EQ(report.evidence, evidence);
  EXPECT_TRUE(take_line(report, missing_line({.feature = "f", .fact = "g", .remedy = "h"})));
  ASSERT_TRUE(report.missing.has_value());
  EXPECT_EQ(report.missing->feature + report.missing->fact + report.missing->remedy, "fgh");
  EXPECT_TRUE(take_line(report, kept_line("enter it so")));
  EXPECT_EQ(report.kept, "enter it so");
  EXPECT_FALSE(report.outcome.has_value());
  EXPECT_TRUE(take_line(report, outcome_line({.as_stated = true})));
  EXPECT_TRUE(report.outcome->as_stated);
  EXPECT_EQ(report.outcome->broken, std::nullopt);
  EXPECT_TRUE(take_line(report, outcome_line({.as_stated = false, .broken = "why"})));
  EXPECT_EQ(report.outcome->broken, "why");
}

TEST(ReportLines, ReplaceBytesThatAreNoText) {
  ChildReport report;
  EXPECT_TRUE(take_line(report, evidence_line({.did = "log: \xff\xfe end", .observed = std::string("\0x", 2)})));
  ASSERT_EQ(report.evidence.size(), 1U);
  EXPECT_EQ(report.evidence[0].did, "log: \uFFFD\uFFFD end");
  EXPECT_EQ(report.evidence[0].observed, std::string("\0x", 2));
}

TEST(ReportLines, ThatAreNoneChangeNothing) {
  for (const char* garbage :
       {"", "garbage", "{", "null", "7", "[]", "{}", "\"evidence\"", R"({"evidence": 7})", R"({"evidence": {}})",
        R"({"evidence": {"role": "judge", "did": "", "expected": "", "observed": "", "as_expected": true}})",
        R"({"evidence": {"role": "act", "did": 1, "expected": "", "observed": "", "as_expected": true}})",
        R"({"missing": {"feature": "f"}})", R"({"outcome": {}})", R"({"outcome": {"as_stated": "yes"}})",
        R"({"outcome": {"as_stated": true, "broken": 7}})", R"({"kept": 7})", R"({"unheard": "of"})"}) {
    ChildReport report;
    EXPECT_FALSE(take_line(report, garbage)) << garbage;
    EXPECT_TRUE(report.evidence.empty() && !report.missing && !report.outcome && report.kept.empty()) << garbage;
  }
}

}  // namespace
}  // namespace devmap
