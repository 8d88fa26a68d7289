#include <harness/doctor/report.hpp>

#include <harness/doctor/tests/situations.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace devmap::doctor {
namespace {

using namespace testing_support;

Finding finding(Severity severity) {
  return {.name = "target-down",
          .severity = severity,
          .found = "veth0 is down",
          .remedy = "ip link set veth0 up",
          .rule = rule::kDown};
}

Report report(std::vector<Finding> in_native_mode, std::vector<Finding> in_generic_mode = {}) {
  return {.situation = healthy(),
          .modes = {{.mode = Mode::native, .findings = std::move(in_native_mode)},
                    {.mode = Mode::generic, .findings = std::move(in_generic_mode)}}};
}

TEST(Report, SaysWhatIsWrongWhatToDoAndWhichRuleShowsIt) {
  EXPECT_EQ(as_text(report({finding(Severity::obstacle)}), false),
            "a redirect from eth1 to veth0 in native mode does not deliver\n"
            "  obstacle: veth0 is down\n"
            "    do:   ip link set veth0 up\n"
            "    rule: delivery.target-that-is-down-is-enetdown\n"
            "\n"
            "a redirect from eth1 to veth0 in generic mode delivers\n");
}

TEST(Report, TellsOfTheProbe) {
  auto probed = report({});
  probed.modes.resize(1);
  probed.modes.front().probe = {.outcome = Probe::Outcome::taken, .seen = "16 frames", .not_shown = "the rest"};
  EXPECT_EQ(as_text(probed, false),
            "a redirect from eth1 to veth0 in native mode delivers\n"
            "  probe taken: 16 frames\n"
            "    not shown: the rest\n");
}

TEST(Report, PaintsTheVerdictAlone) {
  EXPECT_THAT(as_text(report({}), true), testing::HasSubstr("\x1b["));
}

TEST(Report, IsJsonWithTheFacts) {
  auto bad = report({finding(Severity::unknown)});
  bad.situation.out.other = failure("setns", EPERM);
  const auto json = nlohmann::json::parse(as_json(bad));
  EXPECT_EQ(json.at("kernel"), "6.18");
  EXPECT_EQ(json.at("in").at("name"), "eth1");
  EXPECT_EQ(json.at("in").at("other").at("name"), "sender");
  EXPECT_THAT(json.at("out").at("other").get<std::string>(), testing::StartsWith("unknown: setns: EPERM"));
  EXPECT_EQ(json.at("modes").at(0).at("mode"), "native");
  EXPECT_EQ(json.at("modes").at(0).at("verdict"), "cannot tell");
  const auto& found = json.at("modes").at(0).at("findings").at(0);
  EXPECT_EQ(found.at("finding"), "target-down");
  EXPECT_EQ(found.at("severity"), "unknown");
  EXPECT_EQ(found.at("rule"), rule::kDown);
  EXPECT_EQ(json.at("modes").at(1).at("verdict"), "delivers");
}

TEST(Report, EndsWithWhatTheWorseModeComesTo) {
  EXPECT_EQ(exit_code(report({})), 0);
  EXPECT_EQ(exit_code(report({finding(Severity::caution)}, {finding(Severity::note)})), 0);
  EXPECT_EQ(exit_code(report({}, {finding(Severity::obstacle)})), 1);
  EXPECT_EQ(exit_code(report({finding(Severity::unknown)})), 4);
  EXPECT_EQ(exit_code(report({finding(Severity::unknown)}, {finding(Severity::obstacle)})), 1);
}

TEST(ProbeInTheReport, SettlesWhatWasUnknown) {
  std::vector<Finding> findings = {{.name = "target-ability-unknown", .severity = Severity::unknown}};
  consider({.outcome = Probe::Outcome::taken}, healthy(), findings);
  EXPECT_EQ(prognosis(findings), Prognosis::delivers);
}

TEST(ProbeInTheReport, OutweighsADiagnosisThatFoundNothing) {
  for (const auto outcome : {Probe::Outcome::lost, Probe::Outcome::refused}) {
    std::vector<Finding> findings;
    consider({.outcome = outcome}, healthy(), findings);
    EXPECT_THAT(names_of(findings), testing::ElementsAre("probe-did-not-get-through"));
    EXPECT_EQ(prognosis(findings), Prognosis::does_not_deliver);
  }
}

TEST(ProbeInTheReport, AddsNothingToAnObstacleThatExplainsIt) {
  std::vector<Finding> findings = {finding(Severity::obstacle)};
  consider({.outcome = Probe::Outcome::refused}, healthy(), findings);
  EXPECT_THAT(names_of(findings), testing::ElementsAre("target-down"));
}

TEST(ProbeInTheReport, ThatWasNotPossibleLeavesItUnknown) {
  std::vector<Finding> findings;
  consider({.outcome = Probe::Outcome::impossible}, healthy(), findings);
  EXPECT_EQ(prognosis(findings), Prognosis::cannot_tell);
}

}  // namespace
}  // namespace devmap::doctor
