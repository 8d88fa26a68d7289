#include <gtest/gtest.h>
#include <harness/base/tests/json_schema.hpp>
#include <harness/record/format.hpp>
#include <harness/record/tests/sample_record.hpp>

#include <nlohmann/json.hpp>

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

}  // namespace
}  // namespace devmap
