#include <reports/gather.hpp>

#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <harness/base/output_file.hpp>
#include <harness/record/format.hpp>
#include <reports/tests/sample.hpp>
#include <vm/files.hpp>

namespace devmap::reports {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing_support::record_of;
using testing_support::sample_sources;

class Gather : public testing::Test {
 protected:
  std::string put(const std::string& name, const std::string& text) {
    const auto file = (directory_.path() / name).string();
    EXPECT_TRUE(write_file(file, text).has_value());
    return file;
  }
  std::string put(const std::string& name, const RunRecord& record) { return put(name, render_json(record)); }

  vm::TemporaryDirectory directory_ = vm::TemporaryDirectory::create(testing::TempDir()).value();
};

std::vector<std::string> releases_of(const Gathered& gathered) {
  std::vector<std::string> releases;
  for (const auto& source : gathered.sources) releases.push_back(source.record.context.release);
  return releases;
}

TEST_F(Gather, OrdersRecordsByKernel) {
  const auto sources = sample_sources();
  const auto gathered =
      gather({put("c.json", sources[2].record), put("b.json", sources[1].record), put("a.json", sources[0].record)});
  EXPECT_THAT(releases_of(gathered), ElementsAre("5.10.1-test", "6.12.5-test", "6.12.5-rt-test"));
  EXPECT_THAT(gathered.unreadable, IsEmpty());
  EXPECT_THAT(gathered.notes, IsEmpty());
}

TEST_F(Gather, TakesADirectoryForTheRecordsInIt) {
  const auto sources = sample_sources();
  put("b.json", sources[1].record);
  put("a.json", sources[0].record);
  put("notes.txt", "no record");
  EXPECT_THAT(releases_of(gather({directory_.path().string()})), ElementsAre("5.10.1-test", "6.12.5-test"));
}

TEST_F(Gather, LosesNothingToAFileThatCannotBeRead) {
  const auto sources = sample_sources();
  const auto sound = put("sound.json", sources[0].record);
  const auto text = render_json(sources[1].record);
  const auto cut = put("cut.json", text.substr(0, text.size() / 2));
  auto newer = text;
  newer.replace(newer.find("\"schema_version\": 1"), 19, "\"schema_version\": 9");
  const auto gathered = gather({cut, sound, put("newer.json", newer), "/nonexistent.json"});
  EXPECT_THAT(releases_of(gathered), ElementsAre("5.10.1-test"));
  EXPECT_THAT(gathered.unreadable, ElementsAre(HasSubstr("cut.json: cut off"), HasSubstr("schema version 9"),
                                               HasSubstr("/nonexistent.json")));
  for (const auto& line : gathered.unreadable) EXPECT_THAT(line, Not(HasSubstr("\n")));
}

TEST_F(Gather, KeepsOneOfARunThatIsGivenTwice) {
  const auto record = sample_sources()[0].record;
  const auto gathered = gather({put("1.json", record), put("2.json", record)});
  ASSERT_EQ(gathered.sources.size(), 1U);
  EXPECT_THAT(gathered.sources[0].file, HasSubstr("1.json"));
  EXPECT_THAT(gathered.notes, ElementsAre(HasSubstr("2.json: the same run as")));
}

TEST_F(Gather, KeepsTheLaterOfTwoRunsOnOneKernel) {
  auto later = sample_sources()[0].record;
  const auto earlier = put("earlier.json", later);
  later.context.started = "2025-01-01T00:00:00Z";
  const auto file = put("later.json", later);
  for (const auto& order : {std::vector{earlier, file}, std::vector{file, earlier}}) {
    const auto gathered = gather(order);
    ASSERT_EQ(gathered.sources.size(), 1U);
    EXPECT_EQ(gathered.sources[0].file, file);
    EXPECT_THAT(gathered.notes, ElementsAre(HasSubstr(earlier + ": " + file + " is a later run")));
  }
}

TEST_F(Gather, KeepsPartsOfARunApartAndSaysWhatToDo) {
  const auto one = put("1.json", record_of("6.1.1", {"update.any/once=conforms"}));
  const auto other = put("2.json", record_of("6.1.1", {"update.key/once=conforms"}));
  const auto gathered = gather({one, other});
  EXPECT_EQ(gathered.sources.size(), 2U);
  EXPECT_THAT(gathered.notes, ElementsAre(HasSubstr("devmap-report merge")));
}

TEST_F(Gather, SaysThatRunsWereCutShortOrEmptyOrOfDifferentSuites) {
  auto sources = sample_sources();
  sources[0].record.context.partial = true;
  sources[1].record.results.clear();
  sources[2].record.suite.commit = "another";
  const auto gathered =
      gather({put("0.json", sources[0].record), put("1.json", sources[1].record), put("2.json", sources[2].record)});
  EXPECT_EQ(gathered.sources.size(), 3U);
  EXPECT_THAT(gathered.notes,
              ElementsAre(HasSubstr("0.json: the run was cut short"), HasSubstr("1.json: the run carried"),
                          HasSubstr("different builds of the suite")));
}

}  // namespace
}  // namespace devmap::reports
