#include <gtest/gtest.h>
#include <harness/base/file.hpp>
#include <harness/spec/format.hpp>
#include <harness/spec/specification.hpp>
#include <harness/spec/tests/sample_record.hpp>

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>

// What the suite writes keeps to the schemas it ships, and the schemas refuse what it would never write.
namespace devmap {
namespace {

using nlohmann::json;

class JsonSchema {
 public:
  explicit JsonSchema(const std::string& name) {
    const auto read = [](const std::string& file) {
      return json::parse(read_file(DEVMAP_SPEC_DIR "/" + file).value());
    };
    // Schemas refer to each other by name.
    const auto fetch = [&read](const std::string& other) { return std::make_unique<json>(read(other)).release(); };
    const auto free = [](const json* other) { const std::unique_ptr<const json> owned(other); };
    const auto document = read(name);
    valijson::SchemaParser().populateSchema(valijson::adapters::NlohmannJsonAdapter(document), schema_, fetch, free);
  }

  /// The complaints about a document; empty where it is valid.
  std::string complaints(const json& document) {
    valijson::ValidationResults results;
    valijson::Validator validator;
    std::string text;
    if (validator.validate(schema_, valijson::adapters::NlohmannJsonAdapter(document), &results)) return text;
    for (const auto& error : results) {
      for (const auto& step : error.context) text += step;
      text += ": " + error.description + "\n";
    }
    return text;
  }

 private:
  valijson::Schema schema_;
};

struct Damage {
  const char* what;
  std::function<void(json&)> done;
};

void expect_refused(JsonSchema& schema, const json& sound, const std::vector<Damage>& table) {
  ASSERT_EQ(schema.complaints(sound), "");
  for (const auto& damage : table) {
    json document = sound;
    damage.done(document);
    ASSERT_NE(document, sound) << damage.what;
    EXPECT_NE(schema.complaints(document), "") << damage.what;
  }
}

TEST(ResultRecordSchema, AcceptsWhatIsWritten) {
  JsonSchema schema("result-record.schema.json");
  EXPECT_EQ(schema.complaints(json::parse(render_json(testing_support::sample_record()))), "");
  RunRecord here{.suite = SuiteIdentity::of_this_build(), .context = RunContext::of_this_machine()};
  here.context.kernel_log = "watched";
  here.context.soak = std::chrono::seconds(1);
  here.results = {{.rule = "a.b", .variant = "once", .evidence = {{.role = Role::rate, .did = "3 frames/s in 1 s"}}}};
  EXPECT_EQ(schema.complaints(json::parse(render_json(here))), "");
}

TEST(ResultRecordSchema, RefusesWhatIsNot) {
  JsonSchema schema("result-record.schema.json");
  const auto sound = json::parse(render_json(testing_support::sample_record()));
  std::vector<Damage> table = {
      {"another version", [](json& d) { d["schema_version"] = 2; }},
      {"a version in words", [](json& d) { d["schema_version"] = "1"; }},
      {"one field more", [](json& d) { d["extra"] = 1; }},
      {"one field more in a result", [](json& d) { d["results"][0]["extra"] = 1; }},
      {"one field more in the context", [](json& d) { d["context"]["extra"] = 1; }},
      {"an unknown verdict", [](json& d) { d["results"][0]["verdict"] = "passes"; }},
      {"an unknown verdict in the summary", [](json& d) { d["summary"]["passes"] = 0; }},
      {"a verdict that is not counted", [](json& d) { d["summary"].erase("known"); }},
      {"a negative count", [](json& d) { d["summary"]["known"] = -1; }},
      {"a number for a rule", [](json& d) { d["results"][0]["rule"] = "17"; }},
      {"a variant that cannot be", [](json& d) { d["results"][0]["variant"] = "devmap/v5"; }},
      {"a first iteration", [](json& d) { d["results"][0]["iteration"] = 1; }},
      {"an unknown role", [](json& d) { d["results"][0]["evidence"][0]["role"] = "judge"; }},
      {"a judged note", [](json& d) { d["results"][1]["evidence"][0]["as_expected"] = true; }},
      {"an act without expectation", [](json& d) { d["results"][0]["evidence"][0].erase("expected"); }},
      {"no time zone", [](json& d) { d["context"]["started"] = "2024-02-29T12:34:56"; }},
      {"an unknown JIT state", [](json& d) { d["context"]["jit"] = "maybe"; }},
      {"an option that is none", [](json& d) { d["context"]["config"]["VETH"] = "y"; }},
  };
  for (const char* field : {"schema_version", "suite", "context", "summary", "results"}) {
    table.push_back({field, [field](json& d) { d.erase(field); }});
  }
  for (const char* field :
       {"rule", "variant", "verdict", "duration_ms", "expected", "observed", "evidence", "reason", "advice"}) {
    table.push_back({field, [field](json& d) { d["results"][0].erase(field); }});
  }
  expect_refused(schema, sound, table);
}

std::vector<json> lines_of(const std::string& text) {
  std::vector<json> lines;
  std::istringstream all(text);
  for (std::string line; std::getline(all, line);) lines.push_back(json::parse(line));
  return lines;
}

TEST(ResultRecordSchema, AcceptsARecordOfAVirtualMachine) {
  auto record = json::parse(render_json(testing_support::sample_record()));
  record["context"]["boots"] = 3;
  EXPECT_EQ(JsonSchema("result-record.schema.json").complaints(record), "");
  record["context"]["boots"] = 0;
  EXPECT_NE(JsonSchema("result-record.schema.json").complaints(record), "");
}

TEST(RunStreamSchema, AcceptsEveryLineThatIsWritten) {
  JsonSchema schema("run-stream.schema.json");
  const auto lines = lines_of(render_stream(testing_support::sample_record()));
  ASSERT_GT(lines.size(), 3U);
  for (const auto& line : lines) EXPECT_EQ(schema.complaints(line), "") << line;
}

TEST(RunStreamSchema, RefusesWhatIsNot) {
  JsonSchema schema("run-stream.schema.json");
  const auto lines = lines_of(render_stream(testing_support::sample_record()));
  expect_refused(schema, lines.front(),
                 {{"another version", [](json& d) { d["run"]["schema_version"] = 2; }},
                  {"no context", [](json& d) { d["run"].erase("context"); }},
                  {"a context that is none", [](json& d) { d["run"]["context"].erase("release"); }},
                  {"a check that is none", [](json& d) { d["run"]["checks"][0] = "create"; }},
                  {"a check twice", [](json& d) { d["run"]["checks"][1] = d["run"]["checks"][0]; }},
                  {"no repetition", [](json& d) { d["run"]["repeat"] = 0; }},
                  {"a second field", [](json& d) { d["end"] = json::object(); }}});
  expect_refused(schema, lines.at(1),
                 {{"no rule", [](json& d) { d["begun"].erase("rule"); }},
                  {"a variant that cannot be", [](json& d) { d["begun"]["variant"] = "devmap/v5"; }},
                  {"one field more", [](json& d) { d["begun"]["verdict"] = "conforms"; }}});
  expect_refused(schema, lines.at(2), {{"an unknown verdict", [](json& d) { d["result"]["verdict"] = "passes"; }}});
  expect_refused(schema, lines.back(),
                 {{"no word on whether it is partial", [](json& d) { d["end"].erase("partial"); }},
                  {"a negative time", [](json& d) { d["end"]["duration_ms"] = -1; }},
                  {"another name", [](json& d) {
                     d["finish"] = d["end"];
                     d.erase("end");
                   }}});
}

TEST(SpecificationSchema, AcceptsWhatIsWritten) {
  JsonSchema schema("specification.schema.json");
  EXPECT_EQ(schema.complaints(json::parse(specification_json(testing_support::sample_registry()))), "");
  EXPECT_EQ(schema.complaints(json::parse(specification_json({}))), "");
}

TEST(SpecificationSchema, RefusesWhatIsNot) {
  JsonSchema schema("specification.schema.json");
  const auto sound = json::parse(specification_json(testing_support::sample_registry()));
  std::vector<Damage> table = {
      {"another version", [](json& d) { d["schema_version"] = 2; }},
      {"one field more", [](json& d) { d["extra"] = 1; }},
      {"one field more in a rule", [](json& d) { d["rules"][0]["extra"] = 1; }},
      {"a chapter without a title", [](json& d) { d["chapters"][0].erase("title"); }},
      {"an id without a slug", [](json& d) { d["rules"][0]["id"] = "create"; }},
      {"an id with capitals", [](json& d) { d["rules"][0]["id"] = "create.Size"; }},
      {"no sentence", [](json& d) { d["rules"][0]["states"] = ""; }},
      {"no source", [](json& d) { d["rules"][0]["source"] = json::array(); }},
      {"an errno as a number", [](json& d) { d["rules"][0]["refuses"][0] = 22; }},
      {"an errno in small letters", [](json& d) { d["rules"][0]["refuses"][0] = "einval"; }},
      {"an errno given twice", [](json& d) { d["rules"][0]["refuses"] = {"EINVAL", "EINVAL"}; }},
      {"no variant", [](json& d) { d["rules"][0]["variants"] = json::array(); }},
      {"a version in words", [](json& d) { d["rules"][0]["since"] = "soon"; }},
      {"a version as a number", [](json& d) { d["rules"][0]["since"] = 5.8; }},
      {"a backport that is none", [](json& d) { d["rules"][0]["backports"][0] = "v5.4"; }},
      {"a short commit", [](json& d) { d["rules"][0]["commits"][0] = "0123"; }},
      {"a statement that may agree", [](json& d) { d["rules"][0]["documentation"][0]["agrees"] = "perhaps"; }},
      {"a known issue without a reason", [](json& d) { d["rules"][0]["known"][0]["reason"] = ""; }},
      {"a danger without a reason", [](json& d) { d["rules"][0]["danger"] = ""; }},
  };
  for (const char* field : {"id", "states", "refuses", "since", "until", "backports", "until_backports", "source",
                            "commits", "needs", "variants", "documentation", "known", "catalogue", "danger"}) {
    table.push_back({field, [field](json& d) { d["rules"][0].erase(field); }});
  }
  expect_refused(schema, sound, table);
}

}  // namespace
}  // namespace devmap
