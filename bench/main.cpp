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
#include <algorithm>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

// devmap-bench: what device maps cost.
namespace devmap::bench {
namespace {

constexpr const char* kHelp = R"(devmap-bench: what device maps cost on this kernel

  devmap-bench rounds [...]      figures that can be trusted, or that say they cannot; rounds --help
  devmap-bench compare A B       what has become slower from one record to another; compare --help
  devmap-bench peer [...]        the same frames sent and forwarded by xdp-tools; peer --help
  devmap-bench [--despite-obstacles] [flags of Google Benchmark]
                                 one benchmark or the other, now

    --despite-obstacles          measure also where figures would be about something else
    --benchmark_list_tests       the names of all benchmarks
    --benchmark_filter=REGEX     those whose names it matches; and what else Google Benchmark has:

)";

bool has(const std::vector<std::string>& arguments, std::string_view word) {
  return std::ranges::find(arguments, word) != arguments.end();
}

int run_by_google_benchmark(std::vector<std::string> arguments) {
  const bool despite = std::erase(arguments, "--despite-obstacles") > 0;
  if (has(arguments, "--help")) {
    fmt::print("{}", kHelp);
    std::fflush(stdout);
  }
  if (!take_google_flags(arguments)) return kUsage;
  if (has(arguments, "--benchmark_list_tests") || has(arguments, "--benchmark_list_tests=true")) {
    return run_google_benchmark({}) ? 0 : kBroken;
  }
  if (!has_privileges()) return kNothingCouldRun;
  // Before this thread stays on one of them.
  (void)own_processors();
  if (const auto stays = stay_on_first_processor(); !stays) {
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
