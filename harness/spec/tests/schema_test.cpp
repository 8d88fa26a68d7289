#include <gtest/gtest.h>
#include <harness/base/tests/json_schema.hpp>
#include <harness/record/format.hpp>
#include <harness/spec/context.hpp>
#include <harness/spec/specification.hpp>
#include <harness/spec/tests/sample_registry.hpp>

#include <nlohmann/json.hpp>

// What the suite writes of its rules keeps to the schema it ships, and the schema refuses what it would never write.
namespace devmap {
namespace {

using nlohmann::json;
using testing_support::Damage;
using testing_support::expect_refused;
using testing_support::JsonSchema;

// The record of a run has its own tests in harness/record; this is about what is gathered of the machine.
TEST(ContextOfThisMachine, KeepsToTheSchemaOfRecords) {
  JsonSchema schema(DEVMAP_RECORD_DIR "/result-record.schema.json");
  RunRecord here{.suite = suite_of_this_build(), .context = context_of_this_machine()};
  here.context.kernel_log = "watched";
  EXPECT_EQ(schema.complaints(json::parse(render_json(here))), "");
}

TEST(SpecificationSchema, AcceptsWhatIsWritten) {
  JsonSchema schema(DEVMAP_SPEC_DIR "/specification.schema.json");
  EXPECT_EQ(schema.complaints(json::parse(specification_json(testing_support::sample_registry()))), "");
  EXPECT_EQ(schema.complaints(json::parse(specification_json({}))), "");
}

TEST(SpecificationSchema, RefusesWhatIsNot) {
  JsonSchema schema(DEVMAP_SPEC_DIR "/specification.schema.json");
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
      {"no file", [](json& d) { d["rules"][0]["file"] = ""; }},
      {"a short commit", [](json& d) { d["rules"][0]["commits"][0] = "0123"; }},
      {"a statement that may agree", [](json& d) { d["rules"][0]["documentation"][0]["agrees"] = "perhaps"; }},
      {"a known issue without a reason", [](json& d) { d["rules"][0]["known"][0]["reason"] = ""; }},
      {"a danger without a reason", [](json& d) { d["rules"][0]["danger"] = ""; }},
  };
  for (const char* field : {"id", "states", "refuses", "since", "until", "backports", "until_backports", "source",
                            "commits", "file", "needs", "variants", "documentation", "known", "catalogue", "danger"}) {
    table.push_back({field, [field](json& d) { d["rules"][0].erase(field); }});
  }
  expect_refused(schema, sound, table);
}

}  // namespace
}  // namespace devmap
