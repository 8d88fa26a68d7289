#include <harness/spec/options.hpp>

#include <array>
#include <harness/base/tests/support.hpp>

namespace devmap {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing_support::fault;

struct Parsed {
  Options options;
  std::optional<int> exit_code;
  std::string out, err;
};

Parsed parsed(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "program");
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  auto result = parse_options("program", static_cast<int>(arguments.size()), arguments.data());
  std::fflush(nullptr);
  Parsed parsed{std::move(result.options), result.exit_code, testing::internal::GetCapturedStdout(),
                testing::internal::GetCapturedStderr()};
  if (!parsed.exit_code) {
    EXPECT_EQ(parsed.out + parsed.err, "");
  }
  return parsed;
}

Options taken(std::vector<const char*> arguments) {
  auto result = parsed(std::move(arguments));
  EXPECT_EQ(result.exit_code, std::nullopt) << result.err;
  return result.options;
}

TEST(Options, HelpEndsWithExamplesWhereThereAreAny) {
  const std::array arguments = {"program", "--help"};
  const auto help = [&](const std::string& examples) {
    testing::internal::CaptureStdout();
    EXPECT_EQ(parse_options("program", 2, arguments.data(), "", examples).exit_code, 0);
    std::fflush(nullptr);
    return testing::internal::GetCapturedStdout();
  };
  EXPECT_THAT(help("  program\n    Runs"), HasSubstr("\n\nExamples:\n  program\n    Runs\n"));
  EXPECT_THAT(help(""), testing::Not(HasSubstr("Examples")));
}

TEST(Options, AreTheDefaultsWithoutArguments) {
  const auto options = taken({});
  EXPECT_EQ(options.action, Options::Action::run);
  EXPECT_TRUE(options.filters.empty() && options.chapters.empty() && options.errnos.empty() && options.outputs.empty());
  EXPECT_EQ(options.shard.index, 1U);
  EXPECT_EQ(options.shard.count, 1U);
  EXPECT_EQ(options.jobs, 0U);
  EXPECT_EQ(options.repeat, 1U);
  EXPECT_EQ(options.seed, std::nullopt);
  EXPECT_EQ(options.timeout, std::chrono::seconds(10));
  EXPECT_EQ(options.color, Options::Color::automatic);
  EXPECT_FALSE(options.shuffle || options.fail_fast || options.dangerous || options.keep || options.calibration ||
               options.quiet);
}

TEST(Options, SayWhatToDo) {
  EXPECT_EQ(taken({"--list"}).action, Options::Action::list);
  EXPECT_EQ(taken({"--preflight"}).action, Options::Action::preflight);
  EXPECT_EQ(taken({"--spec", "json"}).action, Options::Action::specification_json);
  EXPECT_EQ(taken({"--spec=markdown"}).action, Options::Action::specification_markdown);
  const auto explain = taken({"--explain", "update.a"});
  EXPECT_EQ(explain.action, Options::Action::explain);
  EXPECT_EQ(explain.explained, "update.a");
}

TEST(Options, SayWhichChecks) {
  const auto options =
      taken({"--filter",    "update.*",      "--filter", "-update.b", "--chapter", "update",  "--chapter",
             "create",      "--errno",       "EINVAL",   "--errno",   "E2BIG",     "--shard", "2/3",
             "--dangerous", "--calibration", "--checks", "c",         "--skip",    "s"});
  EXPECT_THAT(options.filters, ElementsAre("update.*", "-update.b"));
  EXPECT_THAT(options.chapters, ElementsAre("update", "create"));
  EXPECT_THAT(options.errnos, ElementsAre("EINVAL", "E2BIG"));
  EXPECT_EQ(options.shard.index, 2U);
  EXPECT_EQ(options.shard.count, 3U);
  EXPECT_TRUE(options.dangerous);
  EXPECT_TRUE(options.calibration);
  EXPECT_EQ(options.checks_file, "c");
  EXPECT_EQ(options.skip_file, "s");
}

TEST(Options, SayHowToRun) {
  const auto options = taken({"-j", "7", "--repeat", "3", "--shuffle", "--seed", "42", "--timeout", "0.25",
                              "--fail-fast", "--keep", "--alone", "a"});
  EXPECT_EQ(options.alone_file, "a");
  EXPECT_EQ(options.jobs, 7U);
  EXPECT_EQ(options.repeat, 3U);
  EXPECT_TRUE(options.shuffle);
  EXPECT_EQ(options.seed, 42U);
  EXPECT_EQ(options.timeout, std::chrono::milliseconds(250));
  EXPECT_TRUE(options.fail_fast);
  EXPECT_TRUE(options.keep);
  EXPECT_EQ(taken({"--jobs", "2"}).jobs, 2U);
  EXPECT_EQ(options.soak, std::nullopt);
  EXPECT_EQ(taken({"--soak", "0.1"}).soak, std::chrono::milliseconds(100));
  EXPECT_EQ(taken({"--soak", "3600"}).soak, std::chrono::hours(1));
}

TEST(Options, SayWhatToPrint) {
  const auto options = taken({"-o", "json:a.json", "--output", "junit:b:c.xml", "-o", "ktap:-", "--known", "k.json",
                              "--label", "a kernel", "--color", "never", "-q"});
  ASSERT_EQ(options.outputs.size(), 3U);
  EXPECT_EQ(options.outputs[0].format, Format::json);
  EXPECT_EQ(options.outputs[0].file, "a.json");
  EXPECT_EQ(options.outputs[1].format, Format::junit);
  EXPECT_EQ(options.outputs[1].file, "b:c.xml");
  EXPECT_EQ(options.outputs[2].file, "-");
  EXPECT_EQ(options.known_file, "k.json");
  EXPECT_EQ(options.kernel_label, "a kernel");
  EXPECT_EQ(options.color, Options::Color::never);
  EXPECT_TRUE(options.quiet);
  EXPECT_EQ(taken({"--color", "always"}).color, Options::Color::always);
}

TEST(Options, AnswerHelpAndVersion) {
  const auto help = parsed({"--help"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_EQ(help.err, "");
  for (const char* flag :
       {"--list",   "--preflight", "--explain", "--spec",    "--filter",    "--chapter",     "--errno",
        "--shard",  "--dangerous", "--checks",  "--skip",    "--alone",     "--calibration", "--jobs",
        "--repeat", "--shuffle",   "--seed",    "--timeout", "--fail-fast", "--keep",        "--soak",
        "--output", "--known",     "--label",   "--color",   "--quiet",     "--version"}) {
    EXPECT_THAT(help.out, HasSubstr(flag));
  }
  const auto version = parsed({"--version"});
  EXPECT_EQ(version.exit_code, 0);
  EXPECT_THAT(version.out, testing::MatchesRegex("program [0-9.]+ \\(.+\\)\n"));
}

TEST(Options, RefuseInOneLine) {
  const std::vector<std::vector<const char*>> kTable = {
      {"--unknown"},
      {"stray"},
      {"--spec", "yaml"},
      {"--explain"},
      {"--filter"},
      {"--errno"},
      {"--shard", "3/2"},
      {"--shard", "x"},
      {"--jobs", "0"},
      {"--jobs", "many"},
      {"--repeat", "0"},
      {"--repeat", "-1"},
      {"--seed", "4"},
      {"--timeout", "0"},
      {"--soak", "0"},
      {"--soak", "0.09"},
      {"--soak", "3601"},
      {"--soak", "long"},
      {"--soak"},
      {"--timeout", "-1"},
      {"--timeout", "soon"},
      {"--shuffle", "--seed", "x"},
      {"--output", "json"},
      {"--output", "json:"},
      {"--output", "xml:a"},
      {"--color", "blue"},
      {"-o", "json:a", "-o", "ktap:a"},
      {"-o", "json:-", "-o", "console:-"},
  };
  for (const auto& arguments : kTable) {
    const auto result = parsed(arguments);
    EXPECT_EQ(result.exit_code, 64) << arguments.front();
    EXPECT_EQ(result.out, "") << arguments.front();
    EXPECT_THAT(result.err, testing::MatchesRegex("program: [^\n]+\n")) << arguments.front();
  }
}

TEST(Options, KnowAFileByItsOtherName) {
  EXPECT_EQ(parsed({"-o", "json:/tmp/a", "-o", "ktap:/tmp/../tmp/./a"}).exit_code, 64);
  EXPECT_EQ(parsed({"-o", "json:/tmp/a", "-o", "ktap:/tmp/b"}).exit_code, std::nullopt);
}

TEST(Options, SayWhichOutputIsGivenTwice) {
  EXPECT_EQ(parsed({"-o", "json:a", "-o", "ktap:a"}).err,
            "program: two outputs go to 'a'; give each a file of its own\n");
}

TEST(Shard, IsAPartOfAWhole) {
  const auto shard = Shard::parse("2/3");
  ASSERT_EQ(fault(shard), "");
  EXPECT_EQ(shard->index, 2U);
  EXPECT_EQ(shard->count, 3U);
  EXPECT_EQ(fault(Shard::parse("1/1")), "");
  for (const char* none : {"", "/", "1", "1/", "/2", "0/1", "0/0", "2/1", "-1/2", "1/-2", "1/2/3", "1/2 ", " 1/2",
                           "a/b", "1.5/2", "1/99999999999"}) {
    EXPECT_FALSE(Shard::parse(none).has_value()) << none;
  }
}

TEST(Output, IsAFormatAndAFile) {
  const auto output = Output::parse("console:/tmp/a");
  ASSERT_EQ(fault(output), "");
  EXPECT_EQ(output->format, Format::console);
  EXPECT_EQ(output->file, "/tmp/a");
  for (const char* none : {"", ":", "json", "json:", ":file", "JSON:a", "xml:a"}) {
    EXPECT_FALSE(Output::parse(none).has_value()) << none;
  }
}

}  // namespace
}  // namespace devmap
