#include <bench/rounds/command.hpp>

#include <bench/command_line.hpp>
#include <bench/exit_codes.hpp>
#include <bench/measure/machine.hpp>
#include <bench/measure/processors.hpp>
#include <bench/preflight/obstacles.hpp>
#include <bench/rounds/evaluate.hpp>
#include <bench/rounds/interruption.hpp>
#include <bench/rounds/processes.hpp>
#include <bench/rounds/progress.hpp>
#include <bench/rounds/table.hpp>
#include <bench/rounds/worker.hpp>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <harness/base/file.hpp>
#include <harness/base/output_file.hpp>
#include <harness/manual/command_line.hpp>
#include <random>
#include <regex>
#include <set>

namespace devmap::bench {
namespace {

constexpr const char* kSummary = "Measure the standard set, or what is chosen, so that the figures can be trusted";
constexpr const char* kNotes =
    "Each process measures every benchmark twice a round, in random order. What is told is CPU time of the measuring\n"
    "thread. A benchmark whose two halves differ in the same run by more than 1.5 %, by a 95 % interval, has no "
    "figure:\n"
    "it is called unreliable.\n"
    "\n"
    "Exit codes: 0 all was measured, 1 a path was not what it is said to be or lost frames, 4 nothing could be "
    "measured,\n"
    "64 usage, 70 an error of the program's own, 128 + N ended by signal N, with what was measured until then.";

struct Asked {
  std::vector<std::string> filters = {};
  bool all = false;
  std::uint32_t processes = 5;
  std::uint32_t rounds = 3;
  std::optional<std::uint64_t> seed = {};
  std::string output = {};
  bool despite = false;
  bool quiet = false;
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
  app.add_option("--seed", asked.seed, "Of the random order");
  app.add_option("-o,--output", asked.output, "Write the record as JSON; - for standard output")->type_name("FILE");
  app.add_flag("--despite-obstacles", asked.despite, "Measure also where figures would be about something else");
  app.add_flag("--quiet", asked.quiet, "No progress line");
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

struct Gathered {
  std::vector<TakenSample> taken;
  std::vector<Obstacle> obstacles;
  Expected<void> outcome;
};

Gathered gather(const Asked& asked, const std::vector<const Benchmark*>& benchmarks, std::vector<Obstacle> before,
                std::uint64_t seed) {
  Gathered gathered{.taken = {}, .obstacles = before, .outcome = {}};
  Progress progress(!asked.quiet, benchmarks.size() * 2 * asked.rounds * asked.processes);
  for (std::uint32_t process = 0; process < asked.processes && signal_that_came() == 0; ++process) {
    const auto first = gathered.taken.size();
    gathered.outcome = take_rounds_elsewhere({.benchmarks = benchmarks,
                                              .first_round = process * asked.rounds,
                                              .rounds = asked.rounds,
                                              .seed = seed + process},
                                             [&](TakenSample sample) {
                                               progress.show(sample.benchmark);
                                               gathered.taken.push_back(std::move(sample));
                                             });
    if (!gathered.outcome) break;
    // What came or went meanwhile is in some of this process's samples, nobody knows which.
    const auto after = obstacles(Surroundings::of_this_machine());
    const bool hindered = !asked.despite && (refuses(before) || refuses(after));
    for (auto at = first; at < gathered.taken.size(); ++at) gathered.taken[at].hindered = hindered;
    add_new(gathered.obstacles, after);
    before = after;
  }
  return gathered;
}

std::string count_of(const std::vector<Figure>& figures, Figure::Status status) {
  return fmt::format("{} {}", std::ranges::count(figures, status, &Figure::status), name_of(status));
}

int tell(const Asked& asked, const Gathered& gathered, const TimeRecord& record) {
  if (asked.output != "-") {
    fmt::print("{}", tables(record));
    using enum Figure::Status;
    fmt::print("\n{}, {}, {}, {}\n", count_of(record.figures, reliable), count_of(record.figures, unreliable),
               count_of(record.figures, unmet), count_of(record.figures, failed));
  }
  if (!asked.output.empty()) {
    if (const auto written = write_file(asked.output, record.json()); !written) {
      fmt::print(stderr, "devmap-bench: {}\n", written.error().text());
      return kBroken;
    }
  }
  if (const int signal = signal_that_came(); signal != 0) return kSignalled + signal;
  if (!gathered.outcome) {
    fmt::print(stderr, "devmap-bench: {}\n", gathered.outcome.error().text());
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
  if (!asked.output.empty()) {
    if (const auto writable = check_writable(asked.output); !writable) {
      fmt::print(stderr, "devmap-bench: {}\n", writable.error().text());
      return kBroken;
    }
  }
  if (!has_privileges()) return kNothingCouldRun;
  const auto before = obstacles(Surroundings::of_this_machine());
  if (!may_measure(before, asked.despite)) return kNothingCouldRun;
  end_early_on_signals();
  const auto seed = asked.seed.value_or(std::random_device()());
  const auto gathered = gather(asked, *benchmarks, before, seed);
  TimeRecord record{.context = machine_context(gathered.obstacles), .figures = evaluate(*benchmarks, gathered.taken)};
  record.context["seed"] = std::to_string(seed);
  record.context["processes"] = std::to_string(asked.processes);
  record.context["rounds"] = std::to_string(asked.rounds);
  if (signal_that_came() != 0 || !gathered.outcome) record.context["partial"] = "true";
  return tell(asked, gathered, record);
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
  // Before this thread stays on one of them.
  (void)own_processors();
  if (const auto stays = stay_on_first_processor(); !stays) {
    fmt::print(stderr, "devmap-bench worker: {}\n", stays.error().text());
    return kBroken;
  }
  Expected<void> told;
  take_rounds(spec, [&](const TakenSample& sample) {
    if (told) told = write_all(descriptor, sample.json_line());
  });
  if (!told) fmt::print(stderr, "devmap-bench worker: {}\n", told.error().text());
  return told ? 0 : kBroken;
}

}  // namespace devmap::bench
