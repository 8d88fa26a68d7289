#include <reports/changes.hpp>
#include <reports/kcidb.hpp>
#include <reports/markdown.hpp>
#include <reports/text.hpp>

#include <gmock/gmock.h>

#include <algorithm>
#include <harness/base/tests/golden.hpp>
#include <harness/base/tests/json_schema.hpp>
#include <nlohmann/json.hpp>
#include <reports/tests/sample.hpp>

// The golden files are written anew with
//     DEVMAP_WRITE_GOLDEN=1 devmap_reports_test --gtest_filter='GoldenReport.*'
namespace devmap::reports {
namespace {

using devmap::testing_support::expect_refused;
using devmap::testing_support::JsonSchema;
using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing_support::kHostile;
using testing_support::record_of;
using testing_support::sample_sources;
using testing_support::sample_specification;

void expect_golden(const char* name, const std::string& text) {
  devmap::testing_support::expect_golden(std::string(DEVMAP_REPORTS_DIR "/tests/golden/") + name, text);
}

TEST(GoldenReport, Text) {
  const auto sources = sample_sources();
  expect_golden("matrix.txt", render_text(Matrix::of(sources, sample_specification())));
}
TEST(GoldenReport, Markdown) {
  const auto sources = sample_sources();
  expect_golden("matrix.md", render_markdown(Matrix::of(sources, sample_specification()), {}));
}
TEST(GoldenReport, MarkdownOfAll) {
  const auto sources = sample_sources();
  expect_golden("matrix-all.md", render_markdown(Matrix::of(sources, sample_specification()), {true, "All of it"}));
}
TEST(GoldenReport, Kcidb) {
  expect_golden("kcidb.json", render_kcidb(sample_sources(), sample_specification(), {}));
}
TEST(GoldenReport, Diff) {
  const auto sources = sample_sources();
  expect_golden("diff.txt", render_changes(Matrix::of(sources, sample_specification()), 0, 1));
}

std::vector<Source> hostile_sources() {
  std::vector<Source> sources = {{std::string(kHostile), record_of("no version", {"update.any/once=deviates"})}};
  auto& record = sources[0].record;
  for (auto* text : {&record.context.kernel_label, &record.context.machine, &record.context.version,
                     &record.results[0].variant, &record.results[0].reason, &record.results[0].advice,
                     &record.results[0].evidence[1].did, &record.results[0].evidence[1].observed}) {
    *text = kHostile;
  }
  record.results[0].reason += "\xff\xfe";
  return sources;
}

TEST(Text, HasNoControlCharactersOfOthers) {
  const auto sources = hostile_sources();
  EXPECT_THAT(render_text(Matrix::of(sources, sample_specification())), Not(HasSubstr("\x1b")));
}

TEST(Markdown, CannotBeBrokenByANameOfAKernel) {
  const auto sources = hostile_sources();
  const auto text = render_markdown(Matrix::of(sources, sample_specification()), {.all = true});
  EXPECT_THAT(text, AllOf(Not(HasSubstr("<script")), HasSubstr("&lt;script&gt;"), Not(HasSubstr("\x1b"))));
  // A table row has as many cells as its heading, whatever is in them.
  const auto bars = [](const std::string& line) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < line.size(); ++i) {
      if (line[i] == '|' && (i == 0 || line[i - 1] != '\\')) ++count;
    }
    return count;
  };
  std::istringstream lines(text);
  std::size_t in_heading = 0;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with('|')) {
      in_heading = 0;
    } else if (in_heading == 0) {
      in_heading = bars(line);
    } else {
      EXPECT_EQ(bars(line), in_heading) << line;
    }
  }
  EXPECT_EQ(markdown_text("a|b`c<d>\ne"), "a\\|b\\`c&lt;d&gt; e");
}

TEST(Kcidb, KeepsToTheSchema) {
  JsonSchema schema(DEVMAP_REPORTS_DIR "/tests/kcidb.schema.json");
  const auto sound = json::parse(render_kcidb(sample_sources(), sample_specification(), {}));
  EXPECT_EQ(schema.complaints(sound), "");
  EXPECT_EQ(schema.complaints(json::parse(render_kcidb(hostile_sources(), sample_specification(), {}))), "");
  EXPECT_EQ(schema.complaints(json::parse(render_kcidb({}, sample_specification(), {}))), "");
  expect_refused(schema, sound,
                 {{"another status", [](json& d) { d["tests"][0]["status"] = "OK"; }},
                  {"a field more", [](json& d) { d["tests"][0]["verdict"] = "known"; }},
                  {"no build", [](json& d) { d["tests"][0].erase("build_id"); }},
                  {"an id of nobody", [](json& d) { d["tests"][0]["id"] = "17"; }},
                  {"a path with a slash", [](json& d) { d["tests"][0]["path"] = "a/b"; }},
                  {"a long log", [](json& d) { d["tests"][0]["log_excerpt"] = std::string(16385, 'x'); }},
                  {"a null", [](json& d) { d["tests"][0]["comment"] = nullptr; }},
                  {"no version", [](json& d) { d.erase("version"); }}});
}

TEST(Kcidb, LinksTestsToBuildsAndBuildsToCheckouts) {
  const auto document = json::parse(render_kcidb(sample_sources(), sample_specification(), {.origin = "lab"}));
  const auto ids = [](const json& list) {
    std::set<std::string> found;
    for (const auto& entry : list) found.insert(entry.at("id").get<std::string>());
    return found;
  };
  const auto checkouts = ids(document.at("checkouts"));
  const auto builds = ids(document.at("builds"));
  EXPECT_EQ(builds.size(), 3U);
  for (const auto& build : document.at("builds")) EXPECT_TRUE(checkouts.contains(build.at("checkout_id")));
  for (const auto& test : document.at("tests")) {
    EXPECT_TRUE(builds.contains(test.at("build_id")));
    EXPECT_TRUE(test.at("id").get<std::string>().starts_with("lab:"));
  }
  EXPECT_EQ(ids(document.at("tests")).size(), document.at("tests").size());
  const auto given = json::parse(render_kcidb(sample_sources(), sample_specification(), {"lab", "lab:17"}));
  EXPECT_FALSE(given.contains("builds"));
  EXPECT_EQ(given.at("tests").at(0).at("build_id"), "lab:17");
}

TEST(Kcidb, HasAStatusForEveryVerdict) {
  const std::map<std::string_view, std::string> kStatuses = {
      {"conforms", "PASS"}, {"backported", "PASS"}, {"absent", "PASS"}, {"known", "FAIL"},    {"unmet", "SKIP"},
      {"deviates", "FAIL"}, {"splat", "FAIL"},      {"crash", "FAIL"},  {"timeout", "ERROR"}, {"broken", "ERROR"}};
  EXPECT_EQ(kStatuses.size(), kVerdicts.size());
  for (const auto& [verdict, status] : kStatuses) {
    const auto word = "update.any/once=" + std::string(verdict);
    const std::vector<Source> sources = {{"a", record_of("6.1", {word})}};
    const auto test = json::parse(render_kcidb(sources, sample_specification(), {})).at("tests").at(0);
    EXPECT_EQ(test.at("status"), status) << verdict;
    EXPECT_EQ(test.contains("waived"), verdict == "known") << verdict;
  }
}

TEST(Kcidb, CutsALongLogBetweenCharacters) {
  std::vector<Source> sources = {{"a", record_of("6.1", {"update.any/once=deviates"})}};
  for (std::size_t length = 16380; length < 16390; ++length) {
    sources[0].record.results[0].reason = std::string(length, 'x') + "\xc3\xa9";
    for (int i = 0; i < 9000; ++i) sources[0].record.results[0].reason += "\xc3\xa9";
    const auto test = json::parse(render_kcidb(sources, sample_specification(), {})).at("tests").at(0);
    const auto log = test.at("log_excerpt").get<std::string>();
    EXPECT_LE(log.size(), 16384U);
    EXPECT_THAT(log, AllOf(testing::StartsWith("[...]\n"), Not(HasSubstr("\xef\xbf\xbd"))));
  }
}

}  // namespace
}  // namespace devmap::reports
