#include <gmock/gmock.h>
#include <cases/chapters.hpp>
#include <harness/doctor/finding.hpp>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

// The catalogue (cases/catalogue.json) is the list of what is known of device maps; the rules say which of it they
// cover.
namespace devmap::cases {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

nlohmann::json catalogue() {
  std::ifstream file(DEVMAP_CATALOGUE);
  return nlohmann::json::parse(file).at("catalogue");
}

/// The ids of the rules that cover each number of the catalogue.
std::map<std::string, std::vector<std::string>> coverage() {
  std::map<std::string, std::vector<std::string>> covered;
  const auto registry = all_chapters();
  for (const auto& rule : registry.rules()) {
    for (const auto& number : rule.catalogue) covered[number].push_back(rule.id);
  }
  return covered;
}

TEST(Catalogue, RulesContradictNothing) {
  EXPECT_THAT(all_chapters().faults(), IsEmpty());
}

TEST(Catalogue, EveryEntryIsCoveredOrSaysWhyItCannotBe) {
  const auto covered = coverage();
  std::vector<std::string> missing;
  for (const auto& entry : catalogue()) {
    const std::string number = entry.at("number");
    if (covered.contains(number) || entry.contains("unobservable")) continue;
    missing.push_back(number + " " + entry.at("title").get<std::string>());
  }
  EXPECT_THAT(missing, IsEmpty());
}

TEST(Catalogue, NothingUnobservableIsCovered) {
  const auto covered = coverage();
  std::vector<std::string> contradictory;
  for (const auto& entry : catalogue()) {
    const std::string number = entry.at("number");
    if (entry.contains("unobservable") && covered.contains(number)) contradictory.push_back(number);
  }
  EXPECT_THAT(contradictory, IsEmpty());
}

TEST(Catalogue, RulesNameOnlyEntriesThatExist) {
  std::map<std::string, std::vector<std::string>> unknown = coverage();
  for (const auto& entry : catalogue()) unknown.erase(entry.at("number").get<std::string>());
  EXPECT_THAT(unknown, IsEmpty());
}

TEST(Catalogue, HoldsEveryRuleOfTheCatalogueOnce) {
  std::map<std::string, int> numbers;
  for (const auto& entry : catalogue()) ++numbers[entry.at("number").get<std::string>()];
  EXPECT_THAT(catalogue(), SizeIs(numbers.size()));
  EXPECT_THAT(numbers, SizeIs(267));
}

TEST(Catalogue, RulesThatDoctorNamesExist) {
  const auto registry = all_chapters();
  std::vector<std::string_view> missing;
  std::ranges::copy_if(doctor::rule::kAll, std::back_inserter(missing),
                       [&registry](std::string_view id) { return registry.find(id) == nullptr; });
  EXPECT_THAT(missing, IsEmpty());
}

}  // namespace
}  // namespace devmap::cases
