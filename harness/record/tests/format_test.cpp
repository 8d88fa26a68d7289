#include <harness/record/format.hpp>

#include <gmock/gmock.h>
#include <libxml/parser.h>
#include <libxml/xmlschemas.h>
#include <harness/base/tests/golden.hpp>
#include <harness/record/tests/sample_record.hpp>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>

// The golden files are what the formats look like. After a change that is meant, write them anew with
//     DEVMAP_WRITE_GOLDEN=1 devmap-record-unit-tests --gtest_filter='Golden.*'
// and look at the difference.
namespace devmap {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing_support::sample_record;
using testing_support::sample_statements;

void expect_golden(const char* name, const std::string& text) {
  testing_support::expect_golden(std::string(DEVMAP_RECORD_DIR "/tests/golden/") + name, text);
}

TEST(Golden, Console) {
  expect_golden("console.txt", render_console(sample_record(), sample_statements(), {}));
}
TEST(Golden, ConsoleInColor) {
  expect_golden("console-color.txt", render_console(sample_record(), sample_statements(), {.color = true}));
}
TEST(Golden, ConsoleQuiet) {
  expect_golden("console-quiet.txt", render_console(sample_record(), sample_statements(), {.quiet = true}));
}
TEST(Golden, Json) {
  expect_golden("record.json", render_json(sample_record()));
}
TEST(Golden, Ktap) {
  expect_golden("record.ktap", render_ktap(sample_record()));
}
TEST(Golden, Junit) {
  expect_golden("junit.xml", render_junit(sample_record()));
}
TEST(Golden, Stream) {
  expect_golden("run.stream", render_stream(sample_record()));
}

// --- What must be true of the formats whatever they look like.

RunRecord of_verdict(Verdict verdict) {
  auto record = sample_record();
  record.context.partial = false;
  record.results = {{.rule = "a.b", .variant = "once", .verdict = verdict, .reason = "reason"}};
  return record;
}

TEST(Format, HasAName) {
  EXPECT_EQ(format_named("console"), Format::console);
  EXPECT_EQ(format_named("json"), Format::json);
  EXPECT_EQ(format_named("ktap"), Format::ktap);
  EXPECT_EQ(format_named("junit"), Format::junit);
  EXPECT_EQ(format_named("stream"), Format::stream);
  EXPECT_EQ(format_named("Json"), std::nullopt);
  EXPECT_EQ(format_named(""), std::nullopt);
}

TEST(Format, IsRenderedByItsOwnFunction) {
  const auto record = sample_record();
  const auto statements = sample_statements();
  EXPECT_EQ(render(Format::console, record, statements, {.quiet = true}),
            render_console(record, statements, {.quiet = true}));
  EXPECT_EQ(render(Format::json, record, statements, {}), render_json(record));
  EXPECT_EQ(render(Format::ktap, record, statements, {}), render_ktap(record));
  EXPECT_EQ(render(Format::junit, record, statements, {}), render_junit(record));
  EXPECT_EQ(render(Format::stream, record, statements, {}), render_stream(record));
}

TEST(SummaryLine, CountsWhatOccurs) {
  auto record = of_verdict(Verdict::conforms);
  record.context.kernel_label = "6.1";
  EXPECT_EQ(summary_line(record), "1 check on 6.1 in 1.2 s: 1 conforms");
  record.results.clear();
  record.context.partial = true;
  EXPECT_EQ(summary_line(record), "0 checks on 6.1 in 1.2 s: none carried out (partial: not all that was asked for)");
}

TEST(Console, UsesNoEscapesWithoutColor) {
  auto record = sample_record();
  for (auto& result : record.results) result.reason = "plain";
  EXPECT_THAT(render_console(record, sample_statements(), {}), Not(HasSubstr("\x1b")));
  EXPECT_THAT(render_console(record, sample_statements(), {.color = true}), HasSubstr("\x1b["));
}

TEST(Console, CanBeAskedForTwoResultsOfOneCheck) {
  EXPECT_THAT(render_console(sample_record(), sample_statements(), {}),
              HasSubstr("unsteady update.known/once: 1 x known 1 x deviates"));
}

TEST(Console, ListsRatesOfASoak) {
  auto record = of_verdict(Verdict::conforms);
  record.results[0].evidence = {{.role = Role::rate, .did = "3 frames/s in 1 s"}};
  const auto listed = HasSubstr("\nrates:\n  a.b/once: 3 frames/s in 1 s\n");
  EXPECT_THAT(render_console(record, sample_statements(), {}), Not(listed));
  record.context.soak = std::chrono::seconds(1);
  EXPECT_THAT(render_console(record, sample_statements(), {}), listed);
  EXPECT_THAT(render_console(record, sample_statements(), {.quiet = true}), Not(listed));
}

TEST(Json, IsUtf8WhateverTheTexts) {
  auto record = of_verdict(Verdict::broken);
  record.results[0].reason = "\xff\xfe";
  record.context.kernel_label = "\x80";
  const auto read_back = nlohmann::json::parse(render_json(record));
  EXPECT_EQ(read_back.at("results").at(0).at("reason"), "\uFFFD\uFFFD");
}

TEST(Json, SumsUp) {
  const auto record = nlohmann::json::parse(render_json(sample_record()));
  std::size_t sum = 0;
  for (const auto& count : record.at("summary")) sum += count.get<std::size_t>();
  EXPECT_EQ(sum, record.at("results").size());
}

TEST(Ktap, GivesEachVerdictItsResultAndDirective) {
  const struct {
    Verdict verdict;
    const char* line;
  } kTable[] = {
      {Verdict::conforms, "\n  ok 1 a.b/once # conforms: reason\n"},
      {Verdict::backported, "\n  ok 1 a.b/once # backported: reason\n"},
      {Verdict::absent, "\n  ok 1 a.b/once # absent: reason\n"},
      {Verdict::known, "\n  ok 1 a.b/once # XFAIL reason\n"},
      {Verdict::unmet, "\n  ok 1 a.b/once # SKIP reason\n"},
      {Verdict::deviates, "\n  not ok 1 a.b/once # deviates: reason\n"},
      {Verdict::splat, "\n  not ok 1 a.b/once # splat: reason\n"},
      {Verdict::crash, "\n  not ok 1 a.b/once # crash: reason\n"},
      {Verdict::timeout, "\n  not ok 1 a.b/once # TIMEOUT reason\n"},
      {Verdict::broken, "\n  not ok 1 a.b/once # ERROR reason\n"},
  };
  for (const auto& row : kTable) {
    const auto text = render_ktap(of_verdict(row.verdict));
    EXPECT_THAT(text, HasSubstr(row.line));
    EXPECT_THAT(text, HasSubstr(fails(row.verdict) ? "\nnot ok 1 a\n" : "\nok 1 a\n"));
  }
}

TEST(Ktap, SaysNoMoreOfWhatSimplyConforms) {
  auto record = of_verdict(Verdict::conforms);
  record.results[0].reason.clear();
  EXPECT_THAT(render_ktap(record), HasSubstr("\n  ok 1 a.b/once\n"));
}

TEST(Ktap, OfNothingIsAPlanOfNothing) {
  auto record = sample_record();
  record.results.clear();
  EXPECT_THAT(render_ktap(record), testing::EndsWith("\n1..0\n"));
}

// --- JUnit against its schema.

/// The complaints of the schema about a document; empty where it is valid.
class JunitSchema {
 public:
  std::string complaints(const std::string& text) {
    complaints_.clear();
    const std::unique_ptr<xmlDoc, void (*)(xmlDoc*)> document(
        xmlReadMemory(text.data(), static_cast<int>(text.size()), "junit", nullptr,
                      XML_PARSE_NOERROR | XML_PARSE_NOWARNING),
        xmlFreeDoc);
    if (!document) return "not well-formed";
    const std::unique_ptr<xmlSchemaParserCtxt, void (*)(xmlSchemaParserCtxt*)> parser(
        xmlSchemaNewParserCtxt(DEVMAP_RECORD_DIR "/junit.xsd"), xmlSchemaFreeParserCtxt);
    const std::unique_ptr<xmlSchema, void (*)(xmlSchema*)> schema(xmlSchemaParse(parser.get()), xmlSchemaFree);
    if (!schema) return "the schema is wrong";
    const std::unique_ptr<xmlSchemaValidCtxt, void (*)(xmlSchemaValidCtxt*)> validator(
        xmlSchemaNewValidCtxt(schema.get()), xmlSchemaFreeValidCtxt);
    xmlSchemaSetValidStructuredErrors(validator.get(), note, this);
    const int result = xmlSchemaValidateDoc(validator.get(), document.get());
    return result == 0 ? complaints_ : "invalid: " + complaints_;
  }

 private:
  static void note(void* self, xmlErrorPtr error) { static_cast<JunitSchema*>(self)->complaints_ += error->message; }
  std::string complaints_;
};

TEST(Junit, IsValidForEveryVerdict) {
  JunitSchema schema;
  EXPECT_EQ(schema.complaints(render_junit(sample_record())), "");
  for (const auto verdict : kVerdicts)
    EXPECT_EQ(schema.complaints(render_junit(of_verdict(verdict))), "") << name_of(verdict);
  EXPECT_EQ(schema.complaints(render_junit(RunRecord{})), "");
}

TEST(Junit, SaysThatARunIsPartial) {
  auto record = of_verdict(Verdict::conforms);
  const auto says_so = HasSubstr("<property name=\"partial\" value=\"true\"/>");
  EXPECT_THAT(render_junit(record), Not(says_so));
  record.context.partial = true;
  EXPECT_THAT(render_junit(record), says_so);
}

TEST(Junit, IsValidWhateverTheTexts) {
  auto record = of_verdict(Verdict::broken);
  record.results[0].reason = "\x01 \x1b[0m \xff\xfe <&>]]> \"'\n";
  record.context.kernel_label = "\x02 \xff";
  EXPECT_EQ(JunitSchema().complaints(render_junit(record)), "");
}

TEST(Junit, SchemaRefusesWhatIsNot) {
  JunitSchema schema;
  const auto sound = render_junit(of_verdict(Verdict::deviates));
  const auto changed = [&](const char* what, const char* with) {
    const auto at = sound.find(what);
    EXPECT_NE(at, std::string::npos) << what;
    return std::string(sound).replace(at, std::strlen(what), with);
  };
  for (const auto& broken : {changed("<failure", "<failed"), changed("type=\"deviates\"", "type=\"conforms\""),
                             changed("classname=", "class="), changed("tests=\"1\"", "tests=\"one\""),
                             changed("time=\"", "time=\"-"), changed("</testsuites>", "")}) {
    EXPECT_NE(schema.complaints(broken), "") << broken;
  }
}

}  // namespace
}  // namespace devmap
