#include <bench/command_line.hpp>
#include <bench/compare/command.hpp>
#include <bench/exit_codes.hpp>
#include <bench/google/google_benchmark.hpp>
#include <bench/instructions/command.hpp>
#include <bench/measure/machine.hpp>
#include <bench/measure/processors.hpp>
#include <bench/peer/command.hpp>
#include <bench/peer/generator.hpp>
#include <bench/rounds/command.hpp>

#include <sys/resource.h>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <exception>
#include <harness/manual/command_line.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// devmap-bench: what device maps cost.
namespace devmap::bench {
namespace {

constexpr const char* kNotes =
    "Commands:\n"
    "  rounds [...]     figures that can be trusted, or that say they cannot; rounds --help\n"
    "  compare A B      what has become slower from one record to another; compare --help\n"
    "  peer [...]       the same frames sent and forwarded by xdp-tools; peer --help\n"
    "\n"
    "Without a command, one benchmark or the other is run now, by Google Benchmark; it takes all of its flags.\n"
    "\n"
    "Exit codes: 0 all was measured, 1 a benchmark failed, 4 nothing could be measured, 64 usage, 70 an error of the\n"
    "program's own.\n"
    "\n"
    "Examples:\n"
    "  devmap-bench --benchmark_filter=lookup/devmap\n"
    "    Single benchmarks, now\n"
    "  devmap-bench rounds -o before.json\n"
    "    The standard set, so that the figures can be trusted\n"
    "  devmap-bench rounds --filter '^live/redirect' -o after.json\n"
    "    Some of it, with what it is compared with\n"
    "  devmap-bench compare before.json after.json\n"
    "    What has become slower; ends with 1 where anything has\n"
    "  devmap-bench peer --rounds 5\n"
    "    The same frames sent and forwarded by xdp-tools\n";

/// Answers --help and its like; an exit code where that was all. The flags are read by Google Benchmark.
std::optional<int> answer_help(const std::vector<std::string>& arguments) {
  CLI::App app("What device maps cost on this kernel", "devmap-bench");
  app.footer(kNotes);
  app.allow_extras();
  bool given = false;
  app.add_flag("--despite-obstacles", given, "Measure also where figures would be about something else");
  app.add_flag("--benchmark_list_tests", given, "Print the names of all benchmarks")->group("Google Benchmark");
  std::string filter;
  app.add_option("--benchmark_filter", filter, "Only those whose names it matches")
      ->type_name("REGEX")
      ->group("Google Benchmark");
  manual::answer_help_json(app, {{.option = "--benchmark_filter", .values = {.asked = {"--benchmark_list_tests"}}}});
  return parse(app, arguments);
}

bool has(const std::vector<std::string>& arguments, std::string_view word) {
  return std::ranges::find(arguments, word) != arguments.end();
}

int run_by_google_benchmark(std::vector<std::string> arguments) {
  const bool despite = std::erase(arguments, "--despite-obstacles") > 0;
  if (has(arguments, "--help") || has(arguments, "--help-json")) {
    const auto ended = answer_help(arguments);
    std::fflush(stdout);
    if (!has(arguments, "--help")) return ended.value_or(0);
  }
  if (!take_google_flags(arguments)) return kUsage;
  if (has(arguments, "--benchmark_list_tests") || has(arguments, "--benchmark_list_tests=true")) {
    return run_google_benchmark({}) ? 0 : kBroken;
  }
  if (!has_privileges()) return kNothingCouldRun;
  if (const auto stays = stay_on_quietest_processor(); !stays) {
    fmt::print(stderr, "devmap-bench: {}\n", stays.error().text());
    return kBroken;
  }
  const auto found = obstacles(Surroundings::of_this_machine());
  if (!may_measure(found, despite)) return kNothingCouldRun;
  return run_google_benchmark(machine_context(found)) ? 0 : kFailed;
}

/// Before 5.11 maps and programs count as locked memory, of which a process may have little.
void allow_locked_memory() {
  const rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
  (void)setrlimit(RLIMIT_MEMLOCK, &unlimited);  // without the privilege, the calls say what is amiss
}

int run(std::vector<std::string> arguments) {
  allow_locked_memory();
  const auto command = arguments.empty() ? std::string() : arguments.front();
  const std::vector<std::string> rest(arguments.begin() + (arguments.empty() ? 0 : 1), arguments.end());
  if (command == "rounds") return run_rounds_command(rest);
  if (command == "worker") return run_worker_command(rest);
  if (command == "instructions") return run_instructions_command(rest);
  if (command == "peer") return run_peer_command(rest);
  if (command == "generate") return run_generate_command(rest);
  if (command == "compare") return run_compare_command(rest);
  return run_by_google_benchmark(std::move(arguments));
}

}  // namespace
}  // namespace devmap::bench

int main(int argc, char** argv) {
  try {
    return devmap::bench::run(std::vector<std::string>(argv + 1, argv + argc));
  } catch (const std::exception& fault) {
    std::fprintf(stderr, "devmap-bench: %s\n", fault.what());
    return devmap::bench::kBroken;
  }
}
