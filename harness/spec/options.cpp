#include <harness/spec/options.hpp>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <harness/base/error.hpp>
#include <harness/base/output_file.hpp>
#include <harness/manual/command_line.hpp>
#include <harness/spec/context.hpp>
#include <set>
#include <sstream>

namespace devmap {
namespace {

/// A parser of the harness as a check of the command line library: one fault, one line.
template <class T>
CLI::Validator parsed_by(Expected<T> (*parse)(const std::string&)) {
  return CLI::Validator(
      [parse](std::string& text) {
        const auto parsed = parse(text);
        return parsed ? std::string() : parsed.error().context;
      },
      "");
}

std::string version_line(const std::string& program) {
  const auto suite = suite_of_this_build();
  return fmt::format("{} {} ({})", program, suite.version, suite.commit);
}

}  // namespace

Expected<Shard> Shard::parse(const std::string& text) {
  const auto fault = [&] {
    return failure("--shard", 0, fmt::format("'{}' is no part such as 2/3, with 1 <= 2 <= 3", text));
  };
  Shard shard;
  const char* const end = text.data() + text.size();
  const auto index = std::from_chars(text.data(), end, shard.index);
  if (index.ec != std::errc{} || index.ptr == end || *index.ptr != '/') return fault();
  const auto count = std::from_chars(index.ptr + 1, end, shard.count);
  if (count.ec != std::errc{} || count.ptr != end) return fault();
  if (shard.index < 1 || shard.index > shard.count) return fault();
  return shard;
}

Expected<Output> Output::parse(const std::string& text) {
  const auto colon = text.find(':');
  const auto format = format_named(std::string_view(text).substr(0, colon));
  if (!format || colon == std::string::npos || colon + 1 == text.size()) {
    return failure(
        "--output", 0,
        fmt::format("'{}' is not FORMAT:FILE with console, json, ktap, junit or stream as the format", text));
  }
  return Output{.format = *format, .file = text.substr(colon + 1)};
}

ParsedOptions parse_options(const std::string& program, int argc, const char* const* argv, const std::string& commands,
                            const std::string& examples) {
  ParsedOptions parsed;
  Options& options = parsed.options;
  CLI::App app("Checks what this kernel does with BPF device maps, rule by rule.", program);
  app.footer(
      commands +
      "Exit codes: 0 all conform, 1 a deviation, 4 nothing could run, 64 usage, 70 the suite is broken or an output\n"
      "is lost, 124 timed out, 128 + N ended by signal N.\n\n"
      "GoogleTest's flags (--gtest_filter, --gtest_list_tests, ...) run the same checks as GoogleTest tests." +
      (examples.empty() ? "" : "\n\nExamples:\n" + examples));
  app.set_version_flag("--version", version_line(program));
  app.get_formatter()->column_width(34);

  bool list = false;
  bool only_preflight = false;
  std::string specification;
  std::string shard = "1/1";
  std::vector<std::string> outputs;
  double timeout_s = 10;
  double soak_s = 0;
  std::string color = "auto";

  app.add_flag("--list", list, "Print the rules that would run, and how many checks each has")->group("What to do");
  app.add_option("--explain", options.explained, "Print all that is known of a rule, or the rules that end in an errno")
      ->type_name("RULE|ERRNO")
      ->group("What to do");
  app.add_option("--spec", specification, "Print the whole specification: json or markdown")
      ->check(CLI::IsMember({"json", "markdown"}))
      ->type_name("FORM")
      ->group("What to do");
  app.add_flag("--preflight", only_preflight, "Say whether checks can be carried out here: exit code 0, or 4")
      ->group("What to do");

  app.add_option("--filter", options.filters, "Only checks that match; a leading '-' leaves them out; repeatable")
      ->type_name("GLOB")
      ->allow_extra_args(false)
      ->group("Which checks");
  app.add_option("--chapter", options.chapters, "Only the rules of a chapter; repeatable")
      ->type_name("NAME")
      ->allow_extra_args(false)
      ->group("Which checks");
  app.add_option("--errno", options.errnos, "Only rules that end in an errno, such as EINVAL; repeatable")
      ->type_name("NAME")
      ->allow_extra_args(false)
      ->group("Which checks");
  app.add_option("--checks", options.checks_file, "Only checks that FILE names, RULE/VARIANT or RULE a line")
      ->type_name("FILE")
      ->group("Which checks");
  app.add_option("--skip", options.skip_file, "Of those selected, not those that FILE names")
      ->type_name("FILE")
      ->group("Which checks");
  app.add_option("--shard", shard, "Only part I of N parts")
      ->type_name("I/N")
      ->check(parsed_by(&Shard::parse))
      ->group("Which checks");
  app.add_flag("--dangerous", options.dangerous,
               "Also rules that may crash, hang or exhaust a kernel, in the end and one at a time")
      ->group("Which checks");
  app.add_flag("--calibration", options.calibration, "Instead, the group that fails on purpose, to test the suite")
      ->group("Which checks");

  app.add_option("-j,--jobs", options.jobs, "Checks at a time (default: what finishes soonest)")
      ->check(CLI::Range(1U, 1024U))
      ->type_name("N")
      ->group("How to run");
  app.add_option("--alone", options.alone_file, "First the checks that FILE names, one at a time")
      ->type_name("FILE")
      ->group("How to run");
  app.add_option("--repeat", options.repeat, "Run everything N times")
      ->check(CLI::Range(1U, 1'000'000U))
      ->type_name("N")
      ->group("How to run");
  app.add_flag("--shuffle", options.shuffle, "Begin the checks in random order")->group("How to run");
  app.add_option("--seed", options.seed, "The seed of --shuffle (default: a new one, printed)")
      ->type_name("S")
      ->needs("--shuffle")
      ->group("How to run");
  app.add_option("--timeout", timeout_s, "Seconds a check may take (default 10)")
      ->check(CLI::Range(0.001, 86400.0))
      ->type_name("S")
      ->group("How to run");
  app.add_option("--soak", soak_s, "Seconds each race runs (chapter conc; default: 0.2 or less), and print their rates")
      ->check(CLI::Range(0.1, 3600.0))
      ->type_name("S")
      ->group("How to run");
  app.add_flag("--fail-fast", options.fail_fast, "Begin nothing more after the first failure")->group("How to run");
  app.add_flag("--keep", options.keep, "Leave the namespace of a check that does not conform, and say how to enter it")
      ->group("How to run");
  app.add_flag("--attach-directly", options.attach_directly,
               "Attach every XDP program by itself, not behind the run's dispatcher: slower, the same verdicts")
      ->group("How to run");

  app.add_option("-o,--output", outputs,
                 "Write results: console, json, ktap or junit, or stream, which tells of each as it comes; '-' is "
                 "standard output")
      ->type_name("FORMAT:FILE")
      ->allow_extra_args(false)
      ->check(parsed_by(&Output::parse))
      ->group("What to print");
  app.add_option("--known", options.known_file, "Deviations that are known, with their reasons (JSON)")
      ->type_name("FILE")
      ->group("What to print");
  app.add_option("--label", options.kernel_label, "What reports call this kernel (default: its release)")
      ->type_name("TEXT")
      ->group("What to print");
  app.add_option("--color", color, "auto, always or never")
      ->check(CLI::IsMember({"auto", "always", "never"}))
      ->type_name("WHEN")
      ->group("What to print");
  app.add_flag("-q,--quiet", options.quiet, "Print the summary line alone")->group("What to print");

  const manual::Values rules{.asked = {"--list"}};
  manual::answer_help_json(app,
                           {{.option = "--explain", .values = rules},
                            {.option = "--filter", .values = rules},
                            {.option = "--chapter", .values = {.asked = {"--list"}, .up_to = "."}},
                            {.option = "--output",
                             .values = {.words = {"console:", "json:", "ktap:", "junit:", "stream:"}, .files = true}}});

  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& answered) {  // --help, --version
    std::ostringstream text;
    app.exit(answered, text, text);
    const auto written = write_file("-", text.str());
    if (!written) fmt::print(stderr, "{}: {}\n", program, written.error().text());
    parsed.exit_code = written ? kExitConforms : kExitBroken;
    return parsed;
  } catch (const CLI::ParseError& error) {
    fmt::print(stderr, "{}: {} (see --help)\n", program, error.what());
    parsed.exit_code = kExitUsage;
    return parsed;
  }

  if (only_preflight) options.action = Options::Action::preflight;
  if (list) options.action = Options::Action::list;
  if (!options.explained.empty()) options.action = Options::Action::explain;
  if (specification == "json") options.action = Options::Action::specification_json;
  if (specification == "markdown") options.action = Options::Action::specification_markdown;
  options.shard = *Shard::parse(shard);
  options.timeout = std::chrono::milliseconds(static_cast<std::int64_t>(timeout_s * 1000));
  if (soak_s > 0) options.soak = std::chrono::milliseconds(static_cast<std::int64_t>(soak_s * 1000));
  options.color = color == "always"  ? Options::Color::always
                  : color == "never" ? Options::Color::never
                                     : Options::Color::automatic;
  std::set<std::string> files;
  for (const auto& text : outputs) {
    options.outputs.push_back(*Output::parse(text));
    // Two names for one file would have the later result replace the earlier one.
    std::error_code unknown;
    const std::string& file = options.outputs.back().file;
    const auto place = file == "-" ? file : std::filesystem::weakly_canonical(file, unknown).string();
    if (!files.insert(place.empty() ? file : place).second) {
      fmt::print(stderr, "{}: two outputs go to '{}'; give each a file of its own\n", program,
                 options.outputs.back().file);
      parsed.exit_code = kExitUsage;
      return parsed;
    }
  }
  return parsed;
}

}  // namespace devmap
