#include <harness/spec/registry.hpp>

#include <harness/spec/tests/support.hpp>

#include <cerrno>

namespace devmap {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing_support::make_rule;

Registry with_chapter(std::initializer_list<Rule> rules) {
  Registry registry;
  registry.chapter("update", "Updates");
  for (const auto& rule : rules) registry.add(rule);
  return registry;
}

TEST(Registry, FindsNoFaultWithSoundRules) {
  auto registry = with_chapter({make_rule("update.a"), make_rule("update.b")});
  registry.chapter("create", "Creation");
  registry.add(make_rule("create.a"));
  EXPECT_THAT(registry.faults(), IsEmpty());
  EXPECT_EQ(registry.chapters().size(), 2U);
  EXPECT_EQ(registry.rules().size(), 3U);
}

TEST(Registry, FindsRulesById) {
  const auto registry = with_chapter({make_rule("update.a"), make_rule("update.b")});
  EXPECT_EQ(registry.find("update.b"), &registry.rules()[1]);
  EXPECT_EQ(registry.find("update"), nullptr);
  EXPECT_EQ(registry.find("update.bb"), nullptr);
}

TEST(Registry, KnowsTheFileThatAddsARule) {
  const auto registry = with_chapter({make_rule("update.a")});
  EXPECT_EQ(registry.rules()[0].file, "tests/registry_test.cpp");
}

TEST(Registry, FaultsRulesThatContradictThemselves) {
  Rule silent = make_rule("update.a");
  silent.states.clear();
  Rule sourceless = make_rule("update.a");
  sourceless.source.clear();
  Rule unchecked = make_rule("update.a");
  unchecked.check = nullptr;
  const char* lacking = "rule update.a lacks a statement, a source or a check";
  EXPECT_THAT(with_chapter({silent}).faults(), ElementsAre(lacking));
  EXPECT_THAT(with_chapter({sourceless}).faults(), ElementsAre(lacking));
  EXPECT_THAT(with_chapter({unchecked}).faults(), ElementsAre(lacking));
  EXPECT_THAT(with_chapter({make_rule("create.a")}).faults(), ElementsAre("rule create.a is outside its chapter"));
  EXPECT_THAT(with_chapter({make_rule("update.a"), make_rule("update.a")}).faults(),
              ElementsAre("rule update.a is there twice"));
  EXPECT_THAT(with_chapter({make_rule("update")}).faults(), ElementsAre("rule update is outside its chapter"));
  EXPECT_THAT(with_chapter({make_rule("update.")}).faults(), ElementsAre("rule update. is outside its chapter"));
}

TEST(Registry, FaultsAStatementWithAnErrnoThatTheRuleDoesNotDeclare) {
  const auto faults_of = [](std::string states, std::vector<int> refuses) {
    Rule rule = make_rule("update.a");
    rule.states = std::move(states);
    rule.refuses = std::move(refuses);
    return with_chapter({rule}).faults();
  };
  EXPECT_THAT(faults_of("A bad key is refused with E2BIG, a bad flag with EINVAL.", {E2BIG}),
              ElementsAre("rule update.a states EINVAL, which its .refuses does not name"));
  EXPECT_THAT(faults_of("A bad key is refused with E2BIG, not EINVAL.", {E2BIG}), IsEmpty());
  EXPECT_THAT(faults_of("A bad key is refused.", {EINVAL}), IsEmpty()) << "words may leave it unnamed";
}

TEST(Registry, FaultsARuleWithoutAnyChapter) {
  Registry registry;
  registry.add(make_rule("update.a"));
  EXPECT_THAT(registry.faults(), ElementsAre("rule update.a is outside its chapter"));
}

TEST(Registry, FaultsAChapterThatIsReopened) {
  auto registry = with_chapter({});
  registry.chapter("create", "Creation");
  registry.chapter("update", "Updates again");
  EXPECT_THAT(registry.faults(), ElementsAre("chapter update is there twice"));
}

TEST(Registry, ListsEveryVariantOfEveryRuleInOrder) {
  Rule both = make_rule("update.a");
  both.variants = any_map(8);
  const auto registry = with_chapter({both, make_rule("update.b")});
  std::vector<std::string> names;
  for (const auto& check : registry.checks()) names.push_back(check.name());
  EXPECT_THAT(names, ElementsAre("update.a/devmap/v8", "update.a/devmap_hash/v8", "update.b/once"));
}

TEST(Registry, KnowsTheErrnosOfItsRules) {
  Rule two = make_rule("update.a");
  two.refuses = {ENOENT, E2BIG};
  Rule one = make_rule("update.b");
  one.refuses = {ENOENT};
  EXPECT_THAT(with_chapter({two, one}).errnos(), ElementsAre("E2BIG", "ENOENT"));
  EXPECT_THAT(Registry().errnos(), IsEmpty());
}

TEST(Registry, KnowsTheIdsMostLikeAText) {
  const auto registry = with_chapter(
      {make_rule("update.exist-is-enoent"), make_rule("update.noexist-is-eexist"), make_rule("update.lock-is-einval")});
  EXPECT_THAT(registry.nearest("update.noexist-is-eexists", 1), ElementsAre("update.noexist-is-eexist"));
  EXPECT_THAT(registry.nearest("lock", 1), ElementsAre("update.lock-is-einval"));
  EXPECT_THAT(registry.nearest("update.exist-is-enoen", 2),
              ElementsAre("update.exist-is-enoent", "update.noexist-is-eexist"));
  EXPECT_EQ(registry.nearest("anything", 10).size(), 3U);
  EXPECT_THAT(Registry().nearest("anything"), IsEmpty());
}

}  // namespace
}  // namespace devmap
