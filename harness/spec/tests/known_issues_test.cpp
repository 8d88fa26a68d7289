#include <harness/spec/known_issues.hpp>

#include <harness/base/tests/support.hpp>

#include <cerrno>
#include <fstream>

namespace devmap {
namespace {

using testing::HasSubstr;
using testing::StartsWith;
using testing_support::FailsWith;
using testing_support::fault;
using testing_support::TemporaryDirectory;

constexpr KernelVersion kKernel{6, 12, 5};

KnownIssues parsed(const std::string& text) {
  auto issues = KnownIssues::parse(text, "known.json");
  EXPECT_EQ(fault(issues), "");
  return issues.value_or(KnownIssues{});
}
std::string refused(const std::string& text) {
  const auto issues = KnownIssues::parse(text, "known.json");
  EXPECT_FALSE(issues.has_value());
  return fault(issues);
}
std::string entry(const std::string& fields) {
  return R"({"schema_version": 1, "known": [{"rule": "a.b", "reason": "r"}, {)" + fields + "}]}";
}

TEST(KnownIssues, AreFoundByRuleVariantAndKernel) {
  const auto issues = parsed(R"({
    "schema_version": 1,
    "known": [
      {"rule": "update.*", "variant": "devmap/*", "reason": "first", "link": "https://example.org/1"},
      {"rule": "update.exist", "reason": "second", "since": "6.12", "until": "6.13"},
      {"rule": "create.?", "reason": "third", "link": null}
    ]})");
  const auto reason = [&](const char* rule, const char* variant, KernelVersion kernel = kKernel) {
    const auto* issue = issues.find(rule, variant, kernel);
    return issue == nullptr ? std::string("none") : issue->reason;
  };
  EXPECT_EQ(reason("update.exist", "devmap/v4"), "first");
  EXPECT_EQ(reason("update.exist", "devmap_hash/v4"), "second");
  EXPECT_EQ(reason("update.exist", "devmap_hash/v4", {6, 11}), "none");
  EXPECT_EQ(reason("update.exist", "devmap_hash/v4", {6, 13}), "none");
  EXPECT_EQ(reason("create.a", "once"), "third");
  EXPECT_EQ(reason("create.ab", "once"), "none");
  EXPECT_EQ(issues.find("update.exist", "devmap/v4", kKernel)->link, "https://example.org/1");
  EXPECT_EQ(issues.find("create.a", "once", kKernel)->link, "");
}

TEST(KnownIssues, TellTheGlobsOfTheirRules) {
  EXPECT_THAT(parsed(entry(R"("rule": "update.*", "reason": "r")")).rules(), testing::ElementsAre("a.b", "update.*"));
}

TEST(KnownIssues, MayBeNone) {
  EXPECT_EQ(parsed(R"({"schema_version": 1, "known": []})").find("a.b", "once", kKernel), nullptr);
  EXPECT_EQ(KnownIssues{}.find("a.b", "once", kKernel), nullptr);
}

TEST(KnownIssues, NameLineAndColumnOfWhatIsNoJson) {
  const struct {
    const char* text;
    const char* place;
  } kTable[] = {
      {"", "line 1, column 1"},
      {"{", "line 1, column 2"},
      {"?", "line 1, column 1"},
      {"{}}", "line 1, column 3"},
      {"{\n  \"known\": ?\n}", "line 2, column 12"},
      {"{\n\n\n   ?", "line 4, column 4"},
      {"{\"known\": [1,\n2,]}", "line 2, column 3"},
      {"{\"known\": \"not\nclosed\"}", "line 1, column 15"},
      {"{\"schema_version\": 1,\n", "line 2, column 1"},
      {"{}\n}", "line 2, column 1"},
  };
  for (const auto& row : kTable) {
    EXPECT_THAT(refused(row.text), StartsWith(std::string("known issues: known.json: ") + row.place + ": not JSON: "))
        << row.text;
  }
  EXPECT_THAT(refused("{\n?"), testing::Not(HasSubstr("parse error at"))) << "one place is enough";
}

TEST(KnownIssues, NameTheEntryThatIsWrong) {
  const struct {
    const char* fields;
    const char* what;
  } kTable[] = {
      {R"("rule": "a.b")", "entry 2 of \"known\" lacks \"rule\" or \"reason\""},
      {R"("reason": "r")", "entry 2 of \"known\" lacks \"rule\" or \"reason\""},
      {R"("rule": 7, "reason": "r")", "entry 2 of \"known\": "},
      {R"("rule": "a", "reason": "r", "since": "soon")",
       "entry 2 of \"known\": \"since\" is \"soon\", not a kernel version"},
      {R"("rule": "a", "reason": "r", "until": "6")", "entry 2 of \"known\": \"until\" is \"6\", not a kernel version"},
      {R"("rule": "a", "reason": "r", "variant": [])", "entry 2 of \"known\": "},
  };
  for (const auto& row : kTable) EXPECT_THAT(refused(entry(row.fields)), HasSubstr(row.what)) << row.fields;
}

TEST(KnownIssues, NameAFieldThatThereIsNot) {
  EXPECT_THAT(refused(entry(R"("rule": "a", "reason": "r", "untill": "6.2")")),
              HasSubstr("entry 2 of \"known\": no field is called \"untill\""));
}

TEST(KnownIssues, AreOfThisSchema) {
  for (const char* text : {"{}", "[]", "7", R"({"schema_version": 2, "known": []})", R"({"schema_version": 1})",
                           R"({"schema_version": 1, "known": 7})"}) {
    EXPECT_THAT(refused(text), StartsWith("known issues: known.json: ")) << text;
  }
}

TEST(KnownIssues, AreReadFromAFile) {
  const TemporaryDirectory directory;
  const auto file = directory.file("known.json");
  std::ofstream(file) << R"({"schema_version": 1, "known": [{"rule": "a.b", "reason": "r"}]})";
  const auto issues = KnownIssues::read(file);
  ASSERT_EQ(fault(issues), "");
  EXPECT_NE(issues->find("a.b", "once", kKernel), nullptr);
  EXPECT_THAT(KnownIssues::read(directory.file("none")), FailsWith(ENOENT));
  std::ofstream(file) << "?";
  EXPECT_THAT(fault(KnownIssues::read(file)), HasSubstr(file + ": line 1, column 1"));
}

}  // namespace
}  // namespace devmap
