#include <harness/manual/command_line.hpp>

#include <harness/manual/tests/sample.hpp>

#include <gmock/gmock.h>
#include <CLI/CLI.hpp>

namespace devmap::manual {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct Defined {
  CLI::App app{"Shows things", "tool"};
  std::string text;
  std::vector<std::string> list;
  bool flag = false;

  Defined() { app.set_help_flag(); }
  Option described() const { return command_line_of(app).options.at(0); }
};

TEST(CommandLineOf, TellsNamesValuesAndGroups) {
  Defined defined;
  defined.app.add_option("-o,--output", defined.text, "Write here")->type_name("FILE")->required()->group("Output");
  EXPECT_EQ(defined.described(), (Option{.names = {"-o", "--output"},
                                         .value = "FILE",
                                         .description = "Write here",
                                         .group = "Output",
                                         .required = true,
                                         .values = {.files = true}}));
}

TEST(CommandLineOf, GivesFlagsNoValue) {
  Defined defined;
  defined.app.add_flag("--all", defined.flag, "Everything");
  EXPECT_EQ(defined.described().value, "");
  EXPECT_FALSE(defined.described().repeatable);
}

TEST(CommandLineOf, TakesChoicesAndFilesFromChecks) {
  Defined choices;
  choices.app.add_option("--when", choices.text)->check(CLI::IsMember({"always", "never"}))->type_name("WHEN");
  EXPECT_EQ(choices.described().value, "WHEN");
  EXPECT_THAT(choices.described().values.words, ElementsAre("always", "never"));

  Defined directory;
  directory.app.add_option("--in", directory.text)->check(CLI::ExistingDirectory);
  EXPECT_EQ(directory.described().value, "DIR");
  EXPECT_TRUE(directory.described().values.directories);

  Defined number;
  unsigned jobs = 0;
  number.app.add_option("--jobs", jobs)->check(CLI::Range(1U, 8U))->type_name("N");
  EXPECT_EQ(number.described().value, "N");
  EXPECT_EQ(number.described().values, Values{});
}

TEST(CommandLineOf, SaysWhatIsRepeatable) {
  Defined defined;
  defined.app.add_option("--filter", defined.list)->allow_extra_args(false)->type_name("GLOB");
  EXPECT_TRUE(defined.described().repeatable);
  Defined once;
  once.app.add_option("--filter", once.text)->type_name("GLOB");
  EXPECT_FALSE(once.described().repeatable);
}

TEST(CommandLineOf, LeavesHiddenOptionsOut) {
  Defined defined;
  defined.app.add_flag("--secret", defined.flag)->group("");
  answer_help_json(defined.app);
  EXPECT_THAT(command_line_of(defined.app).options, IsEmpty());
}

TEST(CommandLineOf, AppliesCompletionsToTheCommandTheyAreOf) {
  Defined defined;
  defined.app.add_option("--name", defined.text);
  auto* const show = defined.app.add_subcommand("show", "Show one");
  show->set_help_flag();
  show->add_option("name", defined.text)->type_name("NAME");
  const Values listed{.asked = {"list"}};
  const auto line = command_line_of(defined.app, {{.command = "show", .option = "name", .values = listed}});
  EXPECT_EQ(line.options.at(0).values, Values{});
  ASSERT_EQ(line.commands.size(), 1U);
  EXPECT_EQ(line.commands[0].name, "show");
  EXPECT_EQ(line.commands[0].options.at(0).value, "NAME");
  EXPECT_EQ(line.commands[0].options.at(0).values, listed);
}

TEST(HelpJson, IsAnsweredBeforeWhatIsRequiredIsMissed) {
  Defined defined;
  defined.app.add_option("--needed", defined.text)->required();
  answer_help_json(defined.app);
  std::vector<std::string> arguments{"--help-json"};
  try {
    defined.app.parse(arguments);
    FAIL() << "nothing was answered";
  } catch (const CLI::CallForVersion& answered) {
    const auto read = parse_command_line(answered.what());
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_EQ(*read, command_line_of(defined.app));
  }
}

TEST(CommandLine, IsTheSameAfterJson) {
  const auto read = parse_command_line(as_json(test::sample()));
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(*read, test::sample());
}

TEST(CommandLine, ThatIsNoneIsRefused) {
  EXPECT_FALSE(parse_command_line(""));
  EXPECT_FALSE(parse_command_line("{}"));
  EXPECT_FALSE(parse_command_line("[1]"));
  EXPECT_FALSE(parse_command_line(R"({"name":1,"summary":"","notes":"","options":[],"commands":[]})"));
}

}  // namespace
}  // namespace devmap::manual
