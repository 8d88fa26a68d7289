#include <harness/spec/selection.hpp>

#include <harness/spec/tests/support.hpp>

#include <cerrno>
#include <fstream>
#include <map>

namespace devmap {
namespace {

using testing::ElementsAre;
using testing_support::fault;
using testing_support::make_rule;

Registry sample() {
  Registry registry;
  registry.chapter("create", "Creation");
  Rule size = make_rule("create.size");
  size.refuses = {EINVAL};
  registry.add(size);
  registry.chapter("update", "Updates");
  for (const char* id : {"update.exist", "update.noexist"}) {
    Rule rule = make_rule(id);
    rule.variants = any_map();
    if (rule.id == "update.noexist") rule.refuses = {EEXIST, EINVAL};
    registry.add(rule);
  }
  return registry;
}
const Registry kSample = sample();  // also: rules can be made before main begins

std::vector<std::string> names(const Expected<std::vector<Check>>& checks) {
  EXPECT_EQ(fault(checks), "");
  std::vector<std::string> names;
  for (const auto& check : checks.value_or(std::vector<Check>{})) names.push_back(check.name());
  return names;
}
std::vector<std::string> filtered(std::vector<std::string> filters) {
  return names(select_checks(kSample, {.filters = std::move(filters)}));
}
std::string refused(const Options& options) {
  return fault(select_checks(kSample, options));
}

TEST(Selection, IsEverythingByDefault) {
  EXPECT_EQ(names(select_checks(kSample, {})).size(), 9U);
}

TEST(Selection, TakesGlobsOverRulesAndChecks) {
  EXPECT_THAT(filtered({"create.size"}), ElementsAre("create.size/once"));
  EXPECT_EQ(filtered({"update.*"}).size(), 8U);
  EXPECT_THAT(filtered({"update.exist/devmap/v4"}), ElementsAre("update.exist/devmap/v4"));
  EXPECT_THAT(filtered({"*.exist/*/v8"}), ElementsAre("update.exist/devmap/v8", "update.exist/devmap_hash/v8"));
  EXPECT_THAT(filtered({"*/devmap_hash/v4"}),
              ElementsAre("update.exist/devmap_hash/v4", "update.noexist/devmap_hash/v4"));
  EXPECT_THAT(filtered({"create.*", "update.exist/devmap/v[48]"}),
              ElementsAre("create.size/once", "update.exist/devmap/v4", "update.exist/devmap/v8"));
}

TEST(Selection, LeavesOutWhatIsExcluded) {
  EXPECT_EQ(filtered({"-*/v8"}).size(), 5U);
  EXPECT_THAT(filtered({"update.*", "-*/v8", "-update.noexist"}),
              ElementsAre("update.exist/devmap/v4", "update.exist/devmap_hash/v4"));
  EXPECT_THAT(filtered({"-update.*", "create.size"}), ElementsAre("create.size/once")) << "whatever the order";
}

TEST(Selection, TakesChapters) {
  EXPECT_THAT(names(select_checks(kSample, {.chapters = {"create"}})), ElementsAre("create.size/once"));
  EXPECT_EQ(names(select_checks(kSample, {.chapters = {"update", "create"}})).size(), 9U);
  EXPECT_THAT(names(select_checks(kSample, {.filters = {"*/v4", "*/once"}, .chapters = {"create"}})),
              ElementsAre("create.size/once"));
}

TEST(Selection, TakesErrnos) {
  EXPECT_EQ(names(select_checks(kSample, {.errnos = {"EINVAL"}})).size(), 5U);
  EXPECT_EQ(names(select_checks(kSample, {.errnos = {"EEXIST"}})).size(), 4U);
  EXPECT_EQ(names(select_checks(kSample, {.errnos = {"EEXIST", "EINVAL"}})).size(), 5U) << "either";
  EXPECT_THAT(names(select_checks(kSample, {.filters = {"*/v4"}, .chapters = {"update"}, .errnos = {"EINVAL"}})),
              ElementsAre("update.noexist/devmap/v4", "update.noexist/devmap_hash/v4"));
}

TEST(Selection, SaysWhichErrnosThereAre) {
  EXPECT_EQ(refused({.errnos = {"EPERM"}}), "--errno: no rule ends in EPERM; rules end in EEXIST, EINVAL");
  EXPECT_EQ(refused({.errnos = {"EINVALL"}}), "--errno: no errno 'EINVALL'; did you mean EINVAL or EEXIST?");
  EXPECT_EQ(refused({.errnos = {""}}), "--errno: no errno ''; did you mean EEXIST or EINVAL?");
}

TEST(Selection, SaysWhatIsNearestToAFilterThatMatchesNothing) {
  EXPECT_EQ(refused({.filters = {"update.noexst"}}),
            "--filter: 'update.noexst' matches no rule; did you mean update.noexist or update.exist or create.size?");
  EXPECT_THAT(refused({.filters = {"-nothing"}}), testing::StartsWith("--filter: 'nothing' matches no rule"));
  EXPECT_THAT(refused({.filters = {"update.*", "create.sise"}}), testing::HasSubstr("did you mean create.size"));
}

TEST(Selection, SaysWhichChaptersThereAre) {
  EXPECT_EQ(refused({.chapters = {"updates"}}), "--chapter: no chapter 'updates'; there are create, update");
}

TEST(Selection, OfNothingIsRefused) {
  EXPECT_EQ(refused({.filters = {"create.*"}, .chapters = {"update"}}),
            "selection: no rule matches all of what was asked for; see --list");
  EXPECT_EQ(refused({.filters = {"update.*", "-update.*"}}),
            "selection: no rule matches all of what was asked for; see --list");
}

TEST(Selection, IsSharedOutWithoutGapsOrRepeats) {
  const auto whole = names(select_checks(kSample, {}));
  for (unsigned count = 1; count <= whole.size(); ++count) {
    std::map<std::string, int> times;
    std::size_t smallest = whole.size();
    std::size_t largest = 0;
    for (unsigned index = 1; index <= count; ++index) {
      const auto part = names(select_checks(kSample, {.shard = {index, count}}));
      smallest = std::min(smallest, part.size());
      largest = std::max(largest, part.size());
      for (const auto& name : part) ++times[name];
    }
    EXPECT_EQ(times.size(), whole.size()) << count << " parts";
    for (const auto& [name, number] : times) EXPECT_EQ(number, 1) << name << " in " << count << " parts";
    EXPECT_LE(largest - smallest, 1U) << count << " parts";
  }
}

TEST(Selection, IsNotSharedOutFurtherThanItGoes) {
  EXPECT_EQ(refused({.filters = {"create.*"}, .shard = {2, 2}}), "--shard: there are only 1 checks to share out");
}

TEST(DidYouMean, SaysNothingWhereThereIsNothing) {
  EXPECT_EQ(did_you_mean({}, "anything"), "");
  EXPECT_EQ(did_you_mean(kSample, "create.sizes"), "; did you mean create.size or update.exist or update.noexist?");
}

class SelectionByFile : public testing::Test {
 protected:
  std::string file_of(const std::string& text) {
    const auto file = directory_.file("names" + std::to_string(++files_));
    std::ofstream(file) << text;
    return file;
  }

 private:
  testing_support::TemporaryDirectory directory_;
  int files_ = 0;
};

TEST_F(SelectionByFile, TakesNamesOfChecksAndOfRules) {
  EXPECT_THAT(
      names(select_checks(kSample, {.checks_file = file_of("# failed\nupdate.exist/devmap/v4\n\ncreate.size\n")})),
      ElementsAre("create.size/once", "update.exist/devmap/v4"));
  EXPECT_THAT(names(select_checks(kSample, {.filters = {"*/devmap/v4"}, .checks_file = file_of("update.exist")})),
              ElementsAre("update.exist/devmap/v4"));
}

TEST_F(SelectionByFile, LeavesOutWhatIsToBeSkipped) {
  const auto skip = file_of("update.exist\nupdate.noexist/devmap/v4\n");
  EXPECT_EQ(names(select_checks(kSample, {.skip_file = skip})).size(), 4U);
  const auto whole = names(select_checks(kSample, {.shard = {1, 2}}));
  for (const auto& name : names(select_checks(kSample, {.skip_file = skip, .shard = {1, 2}}))) {
    EXPECT_THAT(whole, testing::Contains(name)) << "the shard is another";
  }
}

TEST_F(SelectionByFile, SaysWhatIsWrong) {
  EXPECT_THAT(refused({.checks_file = "/nowhere"}), testing::HasSubstr("--checks: open: ENOENT"));
  EXPECT_THAT(refused({.skip_file = file_of("update.exst")}), testing::HasSubstr("did you mean update.exist"));
  EXPECT_THAT(refused({.skip_file = file_of("update.exist\nupdate.noexist\ncreate.size\n")}),
              testing::HasSubstr("names all checks"));
  EXPECT_THAT(refused({.checks_file = file_of("")}), testing::HasSubstr("no rule matches"));
}

}  // namespace
}  // namespace devmap
