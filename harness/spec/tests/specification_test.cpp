#include <harness/spec/specification.hpp>

#include <gmock/gmock.h>
#include <harness/spec/tests/sample_registry.hpp>
#include <harness/spec/tests/support.hpp>

#include <cerrno>
#include <nlohmann/json.hpp>

namespace devmap {
namespace {

using testing_support::sample_registry;

TEST(VersionsInWords, SayFromWhenToWhen) {
  const struct {
    Rule rule;
    const char* words;
  } kTable[] = {
      {{}, "as long as the map type exists"},
      {{.since = {5, 14}}, "since 5.14"},
      {{.since = {5, 14}, .backports = {{5, 10, 99}, {5, 4, 7}}}, "since 5.14 (and from 5.10.99, 5.4.7)"},
      {{.until = KernelVersion{6, 17}}, "until 6.17"},
      {{.since = {5, 14}, .until = KernelVersion{6, 17}, .until_backports = {{6, 12, 40}}},
       "since 5.14, until 6.17 (and from 6.12.40)"},
      {{.since = {5, 14}, .until_backports = {{6, 1, 136}, {6, 6, 88}}}, "since 5.14, but not from 6.1.136, 6.6.88"},
  };
  for (const auto& row : kTable) EXPECT_EQ(versions_in_words(row.rule), row.words);
}

TEST(SpecificationJson, HoldsAllThatARuleSays) {
  const auto document = nlohmann::json::parse(specification_json(sample_registry()));
  EXPECT_EQ(document.at("schema_version"), 1);
  EXPECT_EQ(document.at("chapters").size(), 2U);
  EXPECT_EQ(document.at("chapters").at(1), (nlohmann::json{{"name", "update"}, {"title", "Updates"}}));
  ASSERT_EQ(document.at("rules").size(), 3U);
  EXPECT_EQ(document.at("rules").at(0), nlohmann::json::parse(R"json({
    "id": "create.value-size",
    "states": "A value has 4 or 8 bytes.",
    "refuses": ["EINVAL", "ENOTSUPP"],
    "since": "5.8",
    "until": "7.0",
    "backports": ["5.4.99"],
    "until_backports": ["6.18.3", "6.12.9"],
    "source": ["kernel/bpf/devmap.c:function"],
    "commits": ["0123456789ab"],
    "file": "tests/sample_registry.cpp",
    "needs": ["veth pairs"],
    "variants": ["devmap/v4", "devmap/v8", "devmap_hash/v4", "devmap_hash/v8"],
    "catalogue": ["CREATE-01", "CREATE-02"],
    "documentation": [{"where": "bpf(2)", "statement": "values are small", "agrees": true},
                      {"where": "map_devmap.rst", "statement": "values are large", "agrees": false}],
    "known": [{"reason": "a bug", "link": "https://example.org", "since": "6.1", "until": "6.2"},
              {"reason": "another bug", "link": "", "since": null, "until": null}],
    "danger": "allocates 16 GiB"
  })json"));
}

TEST(SpecificationJson, HasNullsAndEmptyListsForWhatARuleDoesNotSay) {
  const auto document = nlohmann::json::parse(specification_json(sample_registry()));
  const auto& rule = document.at("rules").at(1);
  for (const char* field : {"since", "until", "danger"}) EXPECT_TRUE(rule.at(field).is_null()) << field;
  for (const char* field :
       {"refuses", "backports", "until_backports", "commits", "needs", "documentation", "known", "catalogue"}) {
    EXPECT_EQ(rule.at(field), nlohmann::json::array()) << field;
  }
}

TEST(SpecificationMarkdown, IsOrderedByChapter) {
  const auto text = specification_markdown(sample_registry());
  const auto at = [&text](const char* words) {
    const auto found = text.find(words);
    EXPECT_NE(found, std::string::npos) << words;
    return found;
  };
  EXPECT_LT(at("# BPF device maps: the specification"), at("3 rules about"));
  EXPECT_LT(at("\n## create: Creation\n"), at("\n### create.value-size\n\nA value has 4 or 8 bytes.\n\n"));
  EXPECT_LT(at("\n### create.value-size\n"), at("\n### create.absent\n"));
  EXPECT_LT(at("\n### create.absent\n"), at("\n## update: Updates\n"));
  EXPECT_LT(at("\n## update: Updates\n"), at("\n### update.unmet\n"));
}

TEST(ExplainRule, TellsAllThatIsKnownAndNoMore) {
  const auto registry = sample_registry();
  EXPECT_EQ(explain_rule(registry.rules()[0]),
            "create.value-size\n"
            "  A value has 4 or 8 bytes.\n"
            "\n"
            "  ends in:            EINVAL, ENOTSUPP\n"
            "  true:               since 5.8 (and from 5.4.99), until 7.0 (and from 6.18.3, 6.12.9)\n"
            "  source:             kernel/bpf/devmap.c:function\n"
            "  checked by:         tests/sample_registry.cpp\n"
            "  commits:            0123456789ab\n"
            "  checked in:         devmap/v4, devmap/v8, devmap_hash/v4, devmap_hash/v8\n"
            "  needs:              veth pairs\n"
            "  dangerous:          allocates 16 GiB\n"
            "  known issue:        a bug (https://example.org)\n"
            "  known issue:        another bug\n"
            "  documented:         bpf(2): \"values are small\"\n"
            "  documented wrongly: map_devmap.rst: \"values are large\"\n"
            "  catalogue:          CREATE-01, CREATE-02\n");
  EXPECT_EQ(explain_rule(registry.rules()[1]),
            "create.absent\n"
            "  A sentence about device maps.\n"
            "\n"
            "  true:               as long as the map type exists\n"
            "  source:             kernel/bpf/devmap.c:function\n"
            "  checked by:         tests/sample_registry.cpp\n"
            "  checked in:         once\n");
}

TEST(ExplainErrno, ListsTheRulesThatStateItInTheirOrderAndThenThoseThatMeetIt) {
  Registry registry;
  registry.chapter("create", "Creation");
  Rule meeting = testing_support::make_rule("create.a");
  meeting.refuses = {EPERM, EINVAL};
  registry.add(meeting);
  Rule stating = testing_support::make_rule("create.z");
  stating.states = "Flags are refused with EINVAL, not EPERM.";
  stating.refuses = {EINVAL};
  stating.since = {5, 8};
  stating.until = KernelVersion{7, 0};
  stating.variants = any_map();
  registry.add(stating);
  registry.add(testing_support::make_rule("create.without"));
  registry.chapter("update", "Updates");
  Rule wordy = testing_support::make_rule("update.long");
  wordy.states =
      "A sentence about device maps that is so long that it does not go into a single line of what people read, and "
      "that is about EINVAL.";
  wordy.refuses = {EINVAL};
  registry.add(wordy);

  const std::string of_create =
      "\n"
      "create: Creation\n"
      "  create.z\n"
      "      Flags are refused with EINVAL, not EPERM.\n"
      "      in kernel/bpf/devmap.c:function, since 5.8, until 7.0\n";
  const std::string of_update =
      "\n"
      "update: Updates\n"
      "  update.long\n"
      "      A sentence about device maps that is so long that it does not go into a single line of what\n"
      "      people read, and that is about EINVAL.\n"
      "      in kernel/bpf/devmap.c:function\n";
  const std::string met =
      "\n"
      "The check of 1 rule meets it too, on the way to something else:\n"
      "  create.a\n"
      "      A sentence about device maps.\n";
  const auto checks = registry.checks();
  EXPECT_EQ(explain_errno(registry, checks, EINVAL),
            "EINVAL: Invalid argument\n"
            "  2 rules name it. Those about the same call stand in the order in which the kernel checks: the\n"
            "  first that applies is the reason. Narrow down with --chapter and --filter.\n" +
                of_create + of_update + met);
  EXPECT_EQ(explain_errno(registry, {checks.front()}, EINVAL), "EINVAL: Invalid argument\n" + met);
  EXPECT_THAT(explain_errno(registry, {checks.back()}, EINVAL),
              AllOf(testing::HasSubstr("  1 rule names it. "), testing::EndsWith(of_update)));
  EXPECT_EQ(explain_errno(registry, checks, EPERM), "EPERM: Operation not permitted\n" + met);
  EXPECT_EQ(explain_errno(registry, checks, ENOENT), "");
}

TEST(ListRules, CountsTheChecksThatWereSelected) {
  const auto registry = sample_registry();
  auto checks = registry.checks();
  EXPECT_EQ(list_rules(registry, checks),
            "create.value-size   4  A value has 4 or 8 bytes.\n"
            "create.absent       1  A sentence about device maps.\n"
            "update.unmet        1  A sentence about device maps.\n");
  checks.erase(checks.begin() + 1, checks.end());
  EXPECT_EQ(list_rules(registry, checks), "create.value-size   1  A value has 4 or 8 bytes.\n");
}

}  // namespace
}  // namespace devmap
