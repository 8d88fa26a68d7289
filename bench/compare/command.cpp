#include <bench/compare/command.hpp>

#include <bench/command_line.hpp>
#include <bench/compare/compare.hpp>
#include <bench/compare/counts.hpp>
#include <bench/exit_codes.hpp>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <harness/base/file.hpp>
#include <harness/manual/command_line.hpp>
#include <optional>
#include <string_view>

namespace devmap::bench {
namespace {

constexpr const char* kNotes =
    "A regression is a ratio of medians above 1 + threshold that is significant by the Mann-Whitney test, corrected "
    "for\n"
    "the number of benchmarks (Holm). Records are those of devmap-bench rounds -o, or of Google Benchmark's\n"
    "--benchmark_out with --benchmark_repetitions.\n"
    "Records of devmap-vm bench are exact: there a regression is a count that grew by more than 1 %, or 0.25 % where "
    "it\n"
    "is about a device map.\n"
    "\n"
    "Exit codes: 0 nothing has become slower, 1 something has, 4 nothing could be compared, 64 usage, 70 an "
    "unreadable\n"
    "record.";

template <class Record>
Expected<Record> read_record(const std::string& file, Expected<Record> (*read)(std::string_view)) {
  const auto text = read_file(file);
  if (!text) return std::unexpected(text.error());
  auto record = read(*text);
  if (!record) return failure(record.error().call, 0, fmt::format("{}: {}", file, record.error().context));
  return record;
}

/// Says of records that cannot be read why, and of those that can in which facts they differ. Whether both can be.
template <class Record>
bool are_comparable(const Expected<Record>& before, const Expected<Record>& after) {
  for (const auto* record : {&before, &after}) {
    if (*record) continue;
    fmt::print(stderr, "devmap-bench compare: {}\n", record->error().text());
    return false;
  }
  for (const auto& [fact, value] : before->context) {
    const auto other = after->context.find(fact);
    if (other != after->context.end() && other->second != value) {
      fmt::print(stderr, "devmap-bench compare: note: the records differ in {}: {} and {}\n", fact, value,
                 other->second);
    }
  }
  return true;
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

const char* word_for(CountChange::Verdict verdict) {
  switch (verdict) {
    case CountChange::Verdict::same:
      return "same";
    case CountChange::Verdict::more:
      return "MORE";
    case CountChange::Verdict::less:
      return "less";
    case CountChange::Verdict::undecided:
      return "undecided";
  }
  return "unknown";
}

void tell(const std::vector<CountChange>& changes) {
  std::size_t width = 0;
  for (const auto& change : changes) width = std::max(width, change.benchmark.size());
  for (const auto& change : changes) {
    auto line = fmt::format("{:<{}}  {:<9}", change.benchmark, width, word_for(change.verdict));
    if (change.reason.empty()) {
      line += fmt::format("  {:g} -> {:g}", change.before, change.after);
      if (change.before > 0) line += fmt::format("  {:+.2f} %", (change.after / change.before - 1) * 100);
    }
    if (!change.reason.empty()) line += "  " + change.reason;
    fmt::print("{}\n", line);
  }
}

int compare_counts(const std::string& first, const std::string& second, std::optional<double> threshold) {
  const auto before = read_record<Counts>(first, read_counts);
  const auto after = read_record<Counts>(second, read_counts);
  if (!are_comparable(before, after)) return kBroken;
  const auto changes = compare(*before, *after, threshold);
  tell(changes);
  const auto count = [&](CountChange::Verdict verdict) {
    return std::ranges::count(changes, verdict, &CountChange::verdict);
  };
  using enum CountChange::Verdict;
  fmt::print("{} more, {} less, {} the same, {} undecided\n", count(more), count(less), count(same), count(undecided));
  if (count(more) > 0) return kFailed;
  return count(undecided) == static_cast<std::ptrdiff_t>(changes.size()) ? kNothingCouldRun : 0;
}

/// Whether one of the files is a record of the instruction layer; what cannot be read is complained of later.
bool has_counts(const std::string& file) {
  const auto text = read_file(file);
  return text && is_of_instructions(*text);
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
  const auto* const given =
      app.add_option("--threshold", percent, "By how many percent at least (default 2; of instructions 1 and 0.25)")
          ->check(CLI::Range(0.0, 1000.0));
  app.add_option("--significance", options.significance, "The greatest p of a difference (default 0.01)")
      ->check(CLI::Range(0.0, 1.0));
  const manual::Values records{.files = true};
  manual::answer_help_json(app, {{.option = "A", .values = records}, {.option = "B", .values = records}});
  if (const auto ended = parse(app, arguments)) return *ended;
  options.threshold = percent / 100;

  if (has_counts(first) || has_counts(second)) {
    return compare_counts(first, second, given->count() > 0 ? std::optional(options.threshold) : std::nullopt);
  }
  const auto before = read_record<Comparable>(first, read_comparable);
  const auto after = read_record<Comparable>(second, read_comparable);
  if (!are_comparable(before, after)) return kBroken;
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
