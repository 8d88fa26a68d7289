#include <vm/instruction_record.hpp>

#include <vm/count_stream.hpp>
#include <vm/instruction_table.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <harness/base/tests/json_schema.hpp>
#include <nlohmann/json.hpp>

namespace devmap::vm {
namespace {

using testing::HasSubstr;

constexpr const char* kLines =
    R"({"context":{"release":"6.12.1","mitigations":{"a":"x","b":"y"}},"figures":2}
{"name":"lookup/devmap/64","per":"operation","instructions":2123.125}
{"name":"live/drop","per":"frame","left_out":"needs live frames"}
{"end":true}
)";

CountedFigure figure(double instructions, const std::string& name = "lookup/devmap/64") {
  return {.name = name, .per = "operation", .instructions = instructions};
}

CountedFigure without(const std::string& reason) {
  return {.name = "lookup/devmap/64", .per = "operation", .left_out = reason};
}

TEST(CountStream, IsUnderstoodHoweverItIsCut) {
  for (const std::size_t piece : {1U, 7U, 1000U}) {
    CountStream stream;
    const std::string text = kLines;
    for (std::size_t at = 0; at < text.size(); at += piece) ASSERT_TRUE(stream.feed(text.substr(at, piece)));
    EXPECT_EQ(stream.all(), 2U);
    EXPECT_EQ(stream.context().at("mitigations"), "a=x; b=y");
    ASSERT_EQ(stream.figures().size(), 2U);
    EXPECT_EQ(stream.figures()[0], figure(2123.125));
    EXPECT_EQ(stream.figures()[1].left_out, "needs live frames");
    EXPECT_TRUE(stream.has_end());
  }
}

TEST(CountStream, HasNoEndWhereItWasCut) {
  CountStream stream;
  const std::string text = kLines;
  ASSERT_TRUE(stream.feed(text.substr(0, text.size() - 2)));
  EXPECT_FALSE(stream.has_end());
}

TEST(CountStream, SaysWhichLineItDoesNotUnderstand) {
  for (const auto* const line : {"nonsense", "{}", R"({"name":"a","per":"call"})", R"({"context":{}})", "[1]"}) {
    CountStream stream;
    const auto fed = stream.feed(std::string(line) + "\n");
    ASSERT_FALSE(fed.has_value()) << line;
    EXPECT_THAT(fed.error().text(), HasSubstr(line));
  }
}

TEST(Agreed, PublishesOnlyWhatBothRunsCameTo) {
  EXPECT_EQ(agreed({figure(2123)}, {figure(2123)}), std::vector{figure(2123)});
  EXPECT_EQ(agreed({figure(33.0469)}, {figure(33.0469)}), std::vector{figure(33.05)});
  EXPECT_EQ(agreed({figure(2123)}, {figure(2125)}), std::vector{without("the two runs differ: 2123, 2125")});
  // Also where they would be rounded to the same.
  EXPECT_EQ(agreed({figure(33.0469)}, {figure(33.0468)}).front().left_out, "the two runs differ: 33.0469, 33.0468");
}

TEST(Agreed, SaysWhyThereIsNoFigure) {
  EXPECT_EQ(agreed({figure(1)}, {without("lost")}), std::vector{without("lost")});
  EXPECT_EQ(agreed({without("lost")}, {figure(1)}), std::vector{without("lost")});
  EXPECT_EQ(agreed({figure(1)}, {}), std::vector{without("only one of the two runs came to it")});
  EXPECT_EQ(agreed({}, {figure(1)}), std::vector{without("only one of the two runs came to it")});
}

TEST(Agreed, CountsDisagreements) {
  EXPECT_EQ(count_disagreements({figure(1, "a"), figure(2, "b"), without("why")},
                                {figure(1, "a"), figure(3, "b"), figure(4)}),
            1U);
}

InstructionRecord record() {
  return {.context = {{"kernel", "6.12.1"},
                      {"release", "6.12.1-amd64"},
                      {"label", "6.12"},
                      {"machine", "x86_64"},
                      {"commit", "abc"},
                      {"qemu", "7.2.22"},
                      {"command_line", "quiet"},
                      {"runs", "2"}},
          .figures = {figure(2123),
                      figure(33.07, "helper/redirect"),
                      {.name = "live/drop", .per = "frame", .left_out = "needs live frames"}}};
}

TEST(InstructionRecord, IsAsItsSchemaSays) {
  testing_support::JsonSchema schema(DEVMAP_INSTRUCTION_RECORD_SCHEMA);
  const auto sound = nlohmann::json::parse(record().json());
  EXPECT_TRUE(sound["benchmarks"][0]["instructions"].is_number_integer());
  testing_support::expect_refused(
      schema, sound,
      {{"another version", [](auto& json) { json["schema_version"] = 2; }},
       {"another layer", [](auto& json) { json["layer"] = "time"; }},
       {"one run", [](auto& json) { json["context"]["runs"] = "1"; }},
       {"no commit", [](auto& json) { json["context"].erase("commit"); }},
       {"a figure and a reason", [](auto& json) { json["benchmarks"][0]["left_out"] = "why"; }},
       {"neither", [](auto& json) { json["benchmarks"][0].erase("instructions"); }},
       {"a figure of nothing", [](auto& json) { json["benchmarks"][0].erase("per"); }},
       {"text for a figure", [](auto& json) { json["benchmarks"][0]["instructions"] = "2123"; }}});
}

TEST(InstructionTable, HasAColumnAKernelAndTheReasons) {
  auto other = record();
  other.context["label"] = "5.10";
  other.figures = {figure(1879)};
  const auto table = render({other, record()});
  EXPECT_THAT(table, HasSubstr("lookup/devmap/64    operation  1879  2123\n"));
  EXPECT_THAT(table, HasSubstr("helper/redirect     operation     -  33.1\n"));
  EXPECT_THAT(table, HasSubstr("left out:\n  6.12: needs live frames\n    live/drop\n"));
}

}  // namespace
}  // namespace devmap::vm
