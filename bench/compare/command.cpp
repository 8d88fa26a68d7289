#include <bench/compare/command.hpp>

#include <bench/command_line.hpp>
#include <bench/compare/compare.hpp>
#include <bench/exit_codes.hpp>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <harness/base/file.hpp>
#include <harness/manual/command_line.hpp>

namespace devmap::bench {
namespace {

constexpr const char* kNotes =
    "A regression is a ratio of medians above 1 + threshold that is significant by the Mann-Whitney test, corrected "
    "for\n"
    "the number of benchmarks (Holm). Records are those of devmap-bench rounds -o, or of Google Benchmark's\n"
    "--benchmark_out with --benchmark_repetitions.\n"
    "\n"
    "Exit codes: 0 nothing has become slower, 1 something has, 4 nothing could be compared, 64 usage, 70 an "
    "unreadable\n"
    "record.";

Expected<Comparable> read_record(const std::string& file) {
  const auto text = read_file(file);
  if (!text) return std::unexpected(text.error());
  auto read = read_comparable(*text);
  if (!read) return failure(read.error().call, 0, fmt::format("{}: {}", file, read.error().context));
  return read;
}

const char* word_for(Difference::Verdict verdict) {
  switch (verdict) {
    case Difference::Verdict::same:
      return "same";
    case Difference::Verdict::slower:
      return "SLOWER";
    case Difference::Verdict::faster:
      return "faster";
    case Difference::Verdict::undecided:
      return "undecided";
  }
  return "unknown";
}

void tell(const std::vector<Difference>& differences) {
  std::size_t width = 0;
  for (const auto& difference : differences) width = std::max(width, difference.benchmark.size());
  for (const auto& difference : differences) {
    auto line = fmt::format("{:<{}}  {:<9}", difference.benchmark, width, word_for(difference.verdict));
    if (const auto& ratio = difference.ratio) {
      line += fmt::format("  {:.3f} [{:.3f}, {:.3f}]  p {:.2g}", ratio->ratio, ratio->low, ratio->high, difference.p);
    }
    if (!difference.reason.empty()) line += "  " + difference.reason;
    fmt::print("{}\n", line);
  }
}

}  // namespace

int run_compare_command(const std::vector<std::string>& arguments) {
  std::string first;
  std::string second;
  CompareOptions options;
  double percent = options.threshold * 100;
  CLI::App app("Say what has become slower from one record to another", "devmap-bench compare");
  app.footer(kNotes);
  app.add_option("A", first, "The record before")->required();
  app.add_option("B", second, "The record after")->required();
  app.add_option("--threshold", percent, "By how many percent at least (default 2)")->check(CLI::Range(0.0, 1000.0));
  app.add_option("--significance", options.significance, "The greatest p of a difference (default 0.01)")
      ->check(CLI::Range(0.0, 1.0));
  const manual::Values records{.files = true};
  manual::answer_help_json(app, {{.option = "A", .values = records}, {.option = "B", .values = records}});
  if (const auto ended = parse(app, arguments)) return *ended;
  options.threshold = percent / 100;

  const auto before = read_record(first);
  const auto after = read_record(second);
  for (const auto* record : {&before, &after}) {
    if (*record) continue;
    fmt::print(stderr, "devmap-bench compare: {}\n", record->error().text());
    return kBroken;
  }
  for (const auto& [fact, value] : before->context) {
    const auto other = after->context.find(fact);
    if (other != after->context.end() && other->second != value) {
      fmt::print(stderr, "devmap-bench compare: note: the records differ in {}: {} and {}\n", fact, value,
                 other->second);
    }
  }
  const auto differences = compare(*before, *after, options);
  tell(differences);
  const auto count = [&](Difference::Verdict verdict) {
    return std::ranges::count(differences, verdict, &Difference::verdict);
  };
  using enum Difference::Verdict;
  fmt::print("{} slower, {} faster, {} the same, {} undecided\n", count(slower), count(faster), count(same),
             count(undecided));
  if (count(slower) > 0) return kFailed;
  return count(undecided) == static_cast<std::ptrdiff_t>(differences.size()) ? kNothingCouldRun : 0;
}

}  // namespace devmap::bench
