#include <harness/record/read.hpp>

#include <gmock/gmock.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <harness/record/format.hpp>
#include <harness/record/tests/sample_record.hpp>
#include <nlohmann/json.hpp>

namespace devmap {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing_support::sample_record;

std::string complaint_about(std::string_view text) {
  const auto record = parse_record(text);
  return record ? "none" : record.error().text();
}

TEST(ParseRecord, GivesBackWhatWasWritten) {
  auto record = sample_record();
  // Bytes that are no UTF-8 are replaced as they are written, so there are none here.
  for (const auto& soak : {std::optional<std::chrono::milliseconds>(), {std::chrono::milliseconds(250)}}) {
    record.context.soak = soak;
    record.context.shuffle_seed = soak ? std::optional<std::uint32_t>(4294967295U) : std::nullopt;
    const auto text = render_json(record);
    const auto read = parse_record(text);
    ASSERT_TRUE(read.has_value()) << read.error().text();
    EXPECT_EQ(render_json(*read), text);
  }
}

TEST(ParseRecord, SaysThatARecordIsCutOffWhereverThatIs) {
  const auto text = render_json(sample_record());
  ASSERT_EQ(text.back(), '\n');
  for (std::size_t length = 1; length + 1 < text.size(); length += 7) {
    const auto complaint = complaint_about(text.substr(0, length));
    EXPECT_THAT(complaint, HasSubstr("cut off after")) << length;
    EXPECT_THAT(complaint, Not(HasSubstr("\n")));
  }
  EXPECT_THAT(complaint_about(""), HasSubstr("empty"));
  EXPECT_THAT(complaint_about(" \n"), HasSubstr("empty"));
}

TEST(ParseRecord, SaysWhatIsWrongInOneLine) {
  const struct {
    const char* what;
    std::function<void(json&)> done;
    const char* complaint;
  } kTable[] = {
      {"a newer schema", [](json& d) { d["schema_version"] = 2; },
       "schema version 2, and this program reads version 1"},
      {"a version in words", [](json& d) { d["schema_version"] = "one"; }, "schema_version is of the wrong type"},
      {"something else", [](json& d) { d = {{"rules", 1}}; }, "no result record"},
      {"a list", [](json& d) { d = json::array(); }, "no result record"},
      {"no suite", [](json& d) { d.erase("suite"); }, "suite is no object"},
      {"no context", [](json& d) { d["context"] = 3; }, "context is no object"},
      {"results of another kind", [](json& d) { d["results"] = "all"; }, "results is no list"},
      {"a label that is a number", [](json& d) { d["context"]["kernel_label"] = 6.1; },
       "kernel_label is of the wrong type: number"},
      {"no release", [](json& d) { d["context"].erase("release"); }, "release is missing"},
      {"a result that is none", [](json& d) { d["results"][3] = 1; }, "results[3]: no object"},
      {"an unknown verdict", [](json& d) { d["results"][2]["verdict"] = "fine\n"; },
       "results[2]: 'fine?' is no verdict"},
      {"an unknown role", [](json& d) { d["results"][0]["evidence"][0]["role"] = "x"; }, "'x' is no role"},
      {"a way out of the directory", [](json& d) { d["results"][0]["rule"] = "a./../../etc"; }, "no id of a rule"},
      {"a result within a variant", [](json& d) { d["results"][0]["variant"] = "once\nok 7"; },
       "'once?ok 7' is no variant"},
      {"HTML for a rule", [](json& d) { d["results"][0]["rule"] = "a.<b>"; }, "no id of a rule"},
      {"a result lost", [](json& d) { d["results"].erase(0); }, "said to be 'conforms'"},
      {"an uncounted verdict", [](json& d) { d["summary"].erase("splat"); }, "splat is missing"},
  };
  const auto sound = json::parse(render_json(sample_record()));
  for (const auto& row : kTable) {
    auto document = sound;
    row.done(document);
    ASSERT_NE(document, sound) << row.what;
    const auto complaint = complaint_about(document.dump());
    EXPECT_THAT(complaint, AllOf(HasSubstr(row.complaint), Not(HasSubstr("\n")))) << row.what;
  }
}

TEST(ParseRecord, RefusesWhatIsNoJsonInOneLine) {
  for (const char* text : {"KTAP version 1\n1..1\n", "\xff\xfe", "{]", "[\"\x01\"]", "{}}"}) {
    const auto complaint = complaint_about(text);
    EXPECT_THAT(complaint, AllOf(HasSubstr("no JSON"), Not(HasSubstr("\n")), Not(HasSubstr("json.exception")))) << text;
  }
}

TEST(ParseRecord, PassesOverFieldsOfLaterTimes) {
  auto document = json::parse(render_json(sample_record()));
  document["extra"] = {{"deep", {1, 2}}};
  document["context"]["hypervisor"] = "none";
  document["results"][0]["extra"] = nullptr;
  EXPECT_EQ(complaint_about(document.dump()), "none");
}

TEST(ParseRecord, KeepsNamesInOneLine) {
  auto document = json::parse(render_json(sample_record()));
  document["context"]["kernel_label"] = "6.1\nok 1 injected\x1b[31m";
  const auto record = parse_record(document.dump());
  ASSERT_TRUE(record.has_value());
  EXPECT_EQ(record->context.kernel_label, "6.1?ok 1 injected?[31m");
}

TEST(ParseRecord, SurvivesDeepNesting) {
  const std::string deep(200'000, '[');
  EXPECT_THAT(complaint_about(deep), HasSubstr("cut off"));
  EXPECT_THAT(complaint_about(deep + std::string(200'000, ']')), HasSubstr("no result record"));
}

TEST(ReadRecord, NamesTheFile) {
  const auto missing = read_record("/nonexistent/record.json");
  ASSERT_FALSE(missing.has_value());
  EXPECT_THAT(missing.error().text(), AllOf(HasSubstr("ENOENT"), HasSubstr("/nonexistent/record.json")));

  const auto file = std::filesystem::temp_directory_path() / ("devmap-record-" + std::to_string(getpid()) + ".json");
  std::ofstream(file) << "{";
  const auto cut = read_record(file);
  ASSERT_FALSE(cut.has_value());
  EXPECT_THAT(cut.error().text(), AllOf(HasSubstr(file.string()), HasSubstr("cut off")));

  std::ofstream(file) << render_json(sample_record());
  EXPECT_TRUE(read_record(file).has_value());

  std::filesystem::resize_file(file, (std::uintmax_t{512} << 20) + 1);  // sparse: takes no room
  const auto huge = read_record(file);
  ASSERT_FALSE(huge.has_value());
  EXPECT_THAT(huge.error().text(), HasSubstr("larger than 512 MiB"));
  std::filesystem::remove(file);
}

TEST(RuleId, IsSafeAsTheNameOfAFile) {
  for (const char* id : {"a.b", "update.noexist-on-array-is-eexist", "bcast.1-entry", "a_b.c.d"}) {
    EXPECT_TRUE(is_rule_id(id)) << id;
  }
  for (const char* id : {"", "a", ".a", "a.", "A.b", "a.B", "a.b/c", "../a", "a b.c", "a.b\n", "a.<b>"}) {
    EXPECT_FALSE(is_rule_id(id)) << id;
  }
  EXPECT_FALSE(is_rule_id("a." + std::string(300, 'b')));
}

}  // namespace
}  // namespace devmap
