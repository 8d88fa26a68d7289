#include <bench/rounds/command.hpp>

#include <bench/command_line.hpp>
#include <bench/exit_codes.hpp>
#include <bench/measure/machine.hpp>
#include <bench/preflight/obstacles.hpp>
#include <bench/rounds/evaluate.hpp>
#include <bench/rounds/gathered.hpp>
#include <bench/rounds/interruption.hpp>
#include <bench/rounds/processes.hpp>
#include <bench/rounds/progress.hpp>
#include <bench/rounds/run_options.hpp>
#include <bench/rounds/table.hpp>
#include <bench/rounds/worker.hpp>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <harness/base/file.hpp>
#include <harness/manual/command_line.hpp>
#include <random>
#include <regex>
#include <set>

namespace devmap::bench {
namespace {

constexpr const char* kSummary = "Measure the standard set, or what is chosen, so that the figures can be trusted";
constexpr const char* kNotes =
    "Each process measures every benchmark twice a round, in random order. What is told is CPU time of the measuring\n"
    "thread, from samples around which a canary loop found the processor undisturbed and its clock unchanged, told at\n"
    "one clock; what was disturbed is taken again while --patience lasts. A benchmark whose two halves differ in the\n"
    "same run by more than 1.5 %, by a 95 % interval, has no figure: it is called unreliable.\n"
    "\n"
    "Exit codes: 0 all was measured, 1 a path was not what it is said to be or lost frames, 4 nothing could be "
    "measured,\n"
    "64 usage, 70 an error of the program's own, 128 + N ended by signal N, with what was measured until then.";

struct Asked {
  std::vector<std::string> filters = {};
  bool all = false;
  std::uint32_t processes = 5;
  std::uint32_t rounds = 3;
  RunOptions run = {};
};

std::optional<int> parse_rounds(const std::vector<std::string>& arguments, Asked& asked) {
  CLI::App app(kSummary, "devmap-bench rounds");
  app.footer(kNotes);
  app.add_option("--filter", asked.filters, "Only benchmarks whose names one of these matches, with their baselines")
      ->type_name("REGEX");
  app.add_flag("--all", asked.all, "Choose from all benchmarks, not from the standard set");
  app.add_option("--processes", asked.processes, "Processes, one after the other (default 5)")
      ->check(CLI::Range(1U, 1000U));
  app.add_option("--rounds", asked.rounds, "Rounds in each of them (default 3)")->check(CLI::Range(1U, 10000U));
  add_run_options(app, asked.run);
  manual::answer_help_json(app, {{.option = "--filter", .values = {.asked = {"--benchmark_list_tests"}}}});
  return parse(app, arguments);
}

/// What was chosen, in the order of all benchmarks, and the baselines that ratios are told to.
Expected<std::vector<const Benchmark*>> chosen(const Asked& asked) {
  std::vector<std::regex> filters;
  try {
    for (const auto& filter : asked.filters) filters.emplace_back(filter);
  } catch (const std::regex_error& bad) {
    return failure("--filter", 0, bad.what());
  }
  std::set<std::string> names;
  for (const auto& benchmark : all_benchmarks()) {
    if (!asked.all && !benchmark.standard) continue;
    const bool fits = filters.empty() || std::ranges::any_of(filters, [&](const std::regex& filter) {
                        return std::regex_search(benchmark.name, filter);
                      });
    if (!fits) continue;
    for (const auto* wanted = &benchmark; wanted != nullptr && names.insert(wanted->name).second;) {
      wanted = find_benchmark(wanted->baseline);
    }
  }
  std::vector<const Benchmark*> list;
  for (const auto& benchmark : all_benchmarks()) {
    if (names.contains(benchmark.name)) list.push_back(&benchmark);
  }
  if (list.empty())
    return failure("--filter", 0, "no benchmark fits; devmap-bench --benchmark_list_tests names them all");
  return list;
}

/// What came of the last process; `gathered` is added to.
Expected<void> gather(const Asked& asked, const std::vector<const Benchmark*>& benchmarks, std::uint64_t seed,
                      Gathered& gathered) {
  Progress progress(!asked.run.quiet, benchmarks.size() * 2 * asked.rounds * asked.processes);
  for (std::uint32_t process = 0; process < asked.processes && signal_that_came() == 0; ++process) {
    auto taken = take_rounds_elsewhere({.benchmarks = benchmarks,
                                        .first_round = process * asked.rounds,
                                        .rounds = asked.rounds,
                                        .seed = seed + process,
                                        .patience = asked.run.patience / asked.processes},
                                       [&](TakenSample sample) {
                                         progress.show(sample.benchmark);
                                         gathered.add(std::move(sample));
                                       });
    if (!taken) return taken;
    gathered.look_around();
  }
  return {};
}

std::string count_of(const std::vector<Figure>& figures, Figure::Status status) {
  return fmt::format("{} {}", std::ranges::count(figures, status, &Figure::status), name_of(status));
}

int tell(const Asked& asked, const Expected<void>& outcome, const TimeRecord& record) {
  if (asked.run.output != "-") {
    fmt::print("{}", tables(record));
    using enum Figure::Status;
    fmt::print("\n{}, {}, {}, {}\n", count_of(record.figures, reliable), count_of(record.figures, unreliable),
               count_of(record.figures, unmet), count_of(record.figures, failed));
  }
  if (!keep_record(asked.run, record.json())) return kBroken;
  if (const int signal = signal_that_came(); signal != 0) return kSignalled + signal;
  if (!outcome) {
    fmt::print(stderr, "devmap-bench: {}\n", outcome.error().text());
    return kBroken;
  }
  const auto has = [&](Figure::Status status) {
    return std::ranges::find(record.figures, status, &Figure::status) != record.figures.end();
  };
  if (has(Figure::Status::failed)) return kFailed;
  return has(Figure::Status::reliable) || has(Figure::Status::unreliable) ? 0 : kNothingCouldRun;
}

}  // namespace

int run_rounds_command(const std::vector<std::string>& arguments) {
  Asked asked;
  if (const auto ended = parse_rounds(arguments, asked)) return *ended;
  const auto benchmarks = chosen(asked);
  if (!benchmarks) {
    fmt::print(stderr, "devmap-bench: {}\n", benchmarks.error().text());
    return kUsage;
  }
  if (!can_keep_record(asked.run)) return kBroken;
  if (!has_privileges()) return kNothingCouldRun;
  const auto before = obstacles(Surroundings::of_this_machine());
  if (!may_measure(before, asked.run.despite)) return kNothingCouldRun;
  end_early_on_signals();
  const auto seed = asked.run.seed.value_or(std::random_device()());
  Gathered gathered(before, asked.run.despite);
  const auto outcome = gather(asked, *benchmarks, seed, gathered);
  TimeRecord record{.context = machine_context(gathered.obstacles()),
                    .figures = evaluate(*benchmarks, gathered.samples())};
  record.context["seed"] = std::to_string(seed);
  record.context["processes"] = std::to_string(asked.processes);
  record.context["rounds"] = std::to_string(asked.rounds);
  record.context["patience"] = fmt::format("{:g} s", asked.run.patience);
  add_canary(record.context, gathered.samples());
  if (signal_that_came() != 0 || !outcome) record.context["partial"] = "true";
  return tell(asked, outcome, record);
}

int run_worker_command(const std::vector<std::string>& arguments) {
  WorkerSpec spec;
  int descriptor = -1;
  std::vector<std::string> names;
  CLI::App app("Take samples for devmap-bench rounds, which starts this", "devmap-bench worker");
  app.add_option("--descriptor", descriptor)->required();
  app.add_option("--first", spec.first_round);
  app.add_option("--rounds", spec.rounds);
  app.add_option("--seed", spec.seed);
  app.add_option("--patience", spec.patience);
  app.add_option("names", names)->required();
  if (const auto ended = parse(app, arguments)) return *ended;
  for (const auto& name : names) {
    const auto* const benchmark = find_benchmark(name);
    if (benchmark == nullptr) {
      fmt::print(stderr, "devmap-bench worker: there is no benchmark {}\n", name);
      return kUsage;
    }
    spec.benchmarks.push_back(benchmark);
  }
  Expected<void> told;
  take_rounds(spec, [&](const TakenSample& sample) {
    if (told) told = write_all(descriptor, sample.json_line());
  });
  if (!told) fmt::print(stderr, "devmap-bench worker: {}\n", told.error().text());
  return told ? 0 : kBroken;
}

}  // namespace devmap::bench
