#include <reports/specification.hpp>

#include <gmock/gmock.h>

#include <reports/embedded.hpp>

namespace devmap::reports {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST(VersionsInWords, NameTheStableReleases) {
  SpecifiedRule rule;
  EXPECT_EQ(rule.versions_in_words(), "as long as the map type exists");
  rule.since = "5.14";
  rule.backports = {"5.10.99", "5.4.7"};
  EXPECT_EQ(rule.versions_in_words(), "since 5.14 (and from 5.10.99, 5.4.7)");
  rule.until_backports = {"6.1.136", "6.6.88"};
  EXPECT_EQ(rule.versions_in_words(), "since 5.14 (and from 5.10.99, 5.4.7), but not from 6.1.136, 6.6.88");
  rule.until_backports = {};
  rule.until = "6.17";
  EXPECT_EQ(rule.versions_in_words(), "since 5.14 (and from 5.10.99, 5.4.7), until 6.17");
}

TEST(Specification, ThatIsBuiltInCanBeRead) {
  const auto specification = Specification::parse(embedded_specification());
  ASSERT_TRUE(specification.has_value()) << specification.error().text();
  ASSERT_FALSE(specification->rules.empty());
  for (const auto& rule : specification->rules) {
    EXPECT_FALSE(rule.states.empty()) << rule.id;
    EXPECT_FALSE(rule.variants.empty()) << rule.id;
    EXPECT_TRUE(rule.file.starts_with("cases/")) << rule.id;
    EXPECT_EQ(specification->find(rule.id), &rule);
  }
  EXPECT_EQ(specification->find("no.such-rule"), nullptr);
}

TEST(Specification, ThatCannotBeReadIsALine) {
  const struct {
    const char* text;
    const char* complaint;
  } kTable[] = {
      {"", "no JSON"},
      {"{\"rules\": [", "no JSON, or cut off"},
      {"[]", "not what `devmap-conformance --spec json` writes"},
      {R"({"schema_version": 1, "results": []})", "not what"},
      {R"({"schema_version": 2, "chapters": [], "rules": []})", "schema version 2"},
      {R"({"schema_version": 1, "chapters": [], "rules": [{}]})", "rule 0"},
      {R"({"schema_version": 1, "chapters": [{"name": 3}], "rules": []})", "type must be string"},
  };
  for (const auto& row : kTable) {
    const auto specification = Specification::parse(row.text);
    ASSERT_FALSE(specification.has_value()) << row.text;
    EXPECT_THAT(specification.error().text(), AllOf(HasSubstr(row.complaint), Not(HasSubstr("\n"))));
  }
}

TEST(Specification, HasNoIdThatLeadsOutOfADirectory) {
  const auto specification = Specification::parse(R"json({"schema_version": 1, "chapters": [], "rules": [{
      "id": "a./../../b", "states": "x", "refuses": [], "since": null, "until": null, "backports": [],
      "until_backports": [], "source": [], "commits": [], "needs": [], "variants": [], "documentation": [], "known": [],
      "catalogue": [], "danger": null}]})json");
  ASSERT_FALSE(specification.has_value());
  EXPECT_THAT(specification.error().text(), HasSubstr("no id of a rule"));
}

TEST(Specification, ThatIsMissingIsNamed) {
  const auto specification = Specification::read("/nonexistent/specification.json");
  ASSERT_FALSE(specification.has_value());
  EXPECT_THAT(specification.error().text(), HasSubstr("/nonexistent/specification.json"));
}

}  // namespace
}  // namespace devmap::reports
