#include <gtest/gtest.h>
#include <harness/base/tests/json_schema.hpp>
#include <harness/record/format.hpp>
#include <harness/record/tests/sample_record.hpp>

#include <nlohmann/json.hpp>
#include <sstream>

// What the suite writes of a run keeps to the schema it ships, and the schema refuses what it would never write.
namespace devmap {
namespace {

using nlohmann::json;
using testing_support::Damage;
using testing_support::expect_refused;
using testing_support::JsonSchema;

TEST(ResultRecordSchema, AcceptsWhatIsWritten) {
  JsonSchema schema(DEVMAP_RECORD_DIR "/result-record.schema.json");
  EXPECT_EQ(schema.complaints(json::parse(render_json(testing_support::sample_record()))), "");
  auto soaked = testing_support::sample_record();
  soaked.context.soak = std::chrono::seconds(1);
  soaked.context.shuffle_seed = 3;
  soaked.results = {{.rule = "a.b", .variant = "once", .evidence = {{.role = Role::rate, .did = "3 frames/s in 1 s"}}}};
  EXPECT_EQ(schema.complaints(json::parse(render_json(soaked))), "");
}

TEST(ResultRecordSchema, RefusesWhatIsNot) {
  JsonSchema schema(DEVMAP_RECORD_DIR "/result-record.schema.json");
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
  EXPECT_EQ(JsonSchema(DEVMAP_RECORD_DIR "/result-record.schema.json").complaints(record), "");
  record["context"]["boots"] = 0;
  EXPECT_NE(JsonSchema(DEVMAP_RECORD_DIR "/result-record.schema.json").complaints(record), "");
}

TEST(RunStreamSchema, AcceptsEveryLineThatIsWritten) {
  JsonSchema schema(DEVMAP_RECORD_DIR "/run-stream.schema.json");
  const auto lines = lines_of(render_stream(testing_support::sample_record()));
  ASSERT_GT(lines.size(), 3U);
  for (const auto& line : lines) EXPECT_EQ(schema.complaints(line), "") << line;
}

TEST(RunStreamSchema, RefusesWhatIsNot) {
  JsonSchema schema(DEVMAP_RECORD_DIR "/run-stream.schema.json");
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

}  // namespace
}  // namespace devmap
