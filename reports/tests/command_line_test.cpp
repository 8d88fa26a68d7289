// devmap-report as a user starts it.
#include <gmock/gmock.h>

#include <algorithm>
#include <harness/base/file.hpp>
#include <harness/base/output_file.hpp>
#include <harness/record/format.hpp>
#include <nlohmann/json.hpp>
#include <reports/tests/sample.hpp>
#include <vm/files.hpp>
#include <vm/process.hpp>

namespace devmap::reports {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;
using testing_support::record_of;
using testing_support::sample_sources;

class CommandLine : public testing::Test {
 protected:
  static vm::Finished devmap_report(std::vector<std::string> arguments) {
    return vm::run({.program = DEVMAP_REPORT_PROGRAM, .arguments = std::move(arguments)}).value();
  }
  std::string put(const std::string& name, const std::string& text) {
    const auto file = (directory_.path() / name).string();
    EXPECT_TRUE(write_file(file, text).has_value());
    return file;
  }
  std::string put(const std::string& name, const RunRecord& record) { return put(name, render_json(record)); }

  vm::TemporaryDirectory directory_ = vm::TemporaryDirectory::create(testing::TempDir()).value();
};

// What the suite wrote of its sample record, and the same in the forms that it can write itself.
const std::string kGolden = DEVMAP_RECORD_DIR "/tests/golden/";

TEST_F(CommandLine, GivesTheFormsThatTheSuiteGives) {
  const struct {
    std::vector<std::string> arguments;
    const char* golden;
  } kTable[] = {{{"ktap"}, "record.ktap"}, {{"junit"}, "junit.xml"}, {{"merge"}, "record.json"}};
  for (const auto& row : kTable) {
    auto arguments = row.arguments;
    arguments.push_back(kGolden + "record.json");
    const auto finished = devmap_report(arguments);
    EXPECT_EQ(finished.exit_code, 0) << finished.err;
    EXPECT_EQ(finished.err, "");
    EXPECT_EQ(finished.out, read_file(kGolden + row.golden).value()) << row.golden;
  }
}

TEST_F(CommandLine, TellsOneRecordInFullAndSeveralSideBySide) {
  const auto sources = sample_sources();
  const auto one = devmap_report({"text", put("1.json", sources[1].record)});
  EXPECT_EQ(one.exit_code, 0);
  EXPECT_THAT(one.out, AllOf(HasSubstr("known create.value-size [devmap/v4]"), HasSubstr("what to do: read on")));
  const auto both = devmap_report({"text", put("0.json", sources[0].record), put("1.json", sources[1].record)});
  EXPECT_EQ(both.exit_code, 0);
  EXPECT_THAT(both.out, HasSubstr("rules differ"));
  EXPECT_EQ(devmap_report({"text", directory_.path().string()}).out, both.out);
}

TEST_F(CommandLine, EndsWith1WhereTwoRecordsDiffer) {
  const auto sources = sample_sources();
  const auto before = put("before.json", sources[0].record);
  const auto after = put("after.json", sources[1].record);
  const auto differing = devmap_report({"diff", before, after});
  EXPECT_EQ(differing.exit_code, 1);
  EXPECT_THAT(differing.out, HasSubstr("absent -> known [devmap/v4]"));
  const auto same = devmap_report({"diff", before, before});
  EXPECT_EQ(same.exit_code, 0);
  EXPECT_THAT(same.out, HasSubstr("no rule differs"));
}

TEST_F(CommandLine, ReportsOnWhatCanBeReadAndSaysWhatCannot) {
  const auto sound = put("sound.json", sample_sources()[0].record);
  const auto cut = put("cut.json", "{\"schema_version\": 1,");
  for (const char* form : {"markdown", "kcidb", "html"}) {
    const auto output = (directory_.path() / form).string();
    const auto finished = devmap_report({form, "-o", output, sound, cut});
    EXPECT_EQ(finished.exit_code, 70) << form;
    EXPECT_THAT(finished.err, AllOf(HasSubstr(cut + ": cut off after 21 bytes"), HasSubstr("1 of 2 files left out")));
    EXPECT_TRUE(std::filesystem::exists(output)) << form;
  }
  const auto nothing = devmap_report({"markdown", cut});
  EXPECT_EQ(nothing.exit_code, 4);
  EXPECT_EQ(nothing.out, "");
  for (const char* form : {"text", "ktap", "junit"}) {
    const auto finished = devmap_report({form, cut});
    EXPECT_EQ(finished.exit_code, 4) << form;
    EXPECT_EQ(std::ranges::count(finished.err, '\n'), 1) << finished.err;
  }
}

TEST_F(CommandLine, MergesOnlyWhatIsWhole) {
  const auto one = put("1.json", record_of("6.1.1", {"update.any/once=conforms"}));
  const auto other = put("2.json", record_of("6.1.1", {"update.key/once=conforms"}));
  const auto output = (directory_.path() / "whole.json").string();
  EXPECT_EQ(devmap_report({"merge", "-o", output, one, other}).exit_code, 0);
  EXPECT_EQ(nlohmann::json::parse(read_file(output).value()).at("results").size(), 2U);
  const auto cut = put("cut.json", "{");
  const auto finished = devmap_report({"merge", "-o", output + "2", one, cut});
  EXPECT_EQ(finished.exit_code, 70);
  EXPECT_FALSE(std::filesystem::exists(output + "2"));
  const auto twice = devmap_report({"merge", one, one});
  EXPECT_EQ(twice.exit_code, 70);
  EXPECT_THAT(twice.err, HasSubstr("they are not parts of one run"));
}

TEST_F(CommandLine, ReadsARecordFromStandardInput) {
  EXPECT_EQ(
      vm::run({.program = "/bin/sh",
               .arguments = {"-c", std::string("'" DEVMAP_REPORT_PROGRAM "' ktap - < '") + kGolden + "record.json'"}})
          .value()
          .out,
      read_file(kGolden + "record.ktap").value());
}

TEST_F(CommandLine, SaysThatItCannotWrite) {
  const auto record = put("1.json", sample_sources()[0].record);
  for (const auto& arguments : std::vector<std::vector<std::string>>{{"markdown", "-o", "/nonexistent/out", record},
                                                                     {"ktap", "-o", "/dev/full", record},
                                                                     {"html", "-o", "/proc/x", record}}) {
    const auto finished = devmap_report(arguments);
    EXPECT_EQ(finished.exit_code, 70) << finished.err;
    EXPECT_EQ(std::ranges::count(finished.err, '\n'), 1) << finished.err;
  }
}

TEST_F(CommandLine, ThatIsWrongIsOneLine) {
  for (const auto& arguments : std::vector<std::vector<std::string>>{{},
                                                                     {"pdf"},
                                                                     {"markdown"},
                                                                     {"html", "record.json"},
                                                                     {"junit", "a.json", "b.json"},
                                                                     {"diff", "a.json"},
                                                                     {"diff", "a.json", "b.json", "c.json"},
                                                                     {"kcidb", "--origin", "A b", "a.json"},
                                                                     {"text", "--spec", "/nonexistent", "a.json"}}) {
    const auto finished = devmap_report(arguments);
    EXPECT_EQ(finished.exit_code, 64) << testing::PrintToString(arguments);
    EXPECT_THAT(finished.err, StartsWith("devmap-report: "));
    EXPECT_EQ(std::ranges::count(finished.err, '\n'), 1) << finished.err;
    EXPECT_EQ(finished.out, "");
  }
}

TEST_F(CommandLine, ExplainsItself) {
  const auto help = devmap_report({"--help"});
  EXPECT_EQ(help.exit_code, 0);
  for (const char* form : {"html", "text", "markdown", "junit", "ktap", "kcidb", "diff", "merge"}) {
    EXPECT_THAT(help.out, HasSubstr(form));
    EXPECT_EQ(devmap_report({form, "--help"}).exit_code, 0);
  }
}

}  // namespace
}  // namespace devmap::reports
