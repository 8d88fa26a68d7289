#include <bench/instructions/command.hpp>

#include <bench/command_line.hpp>
#include <bench/exit_codes.hpp>
#include <bench/instructions/count.hpp>
#include <bench/instructions/counted_set.hpp>
#include <bench/measure/instruction_clock.hpp>
#include <bench/measure/prepared.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <harness/base/file.hpp>
#include <harness/base/unique_fd.hpp>
#include <harness/spec/context.hpp>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <thread>

namespace devmap::bench {
namespace {

using nlohmann::ordered_json;
using std::chrono_literals::operator""ms;

/// Kernels do part of their own work some seconds after they have booted, and take down namespaces after those who were
/// in them; neither says when it is done. In a guest whose time is counted in instructions waiting takes no time.
constexpr std::chrono::milliseconds kToSettle = 8000ms;
constexpr std::chrono::milliseconds kBetween = 500ms;

Expected<double> count(const Benchmark& benchmark, Prepared& prepared) {
  const auto workload = prepared.workload_of(benchmark);
  if (!workload) return std::unexpected(workload.error());
  std::this_thread::sleep_for(kBetween);
  return count_instructions(**workload, benchmark);
}

/// Counts one benchmark after the other.
class Counting {
 public:
  /// One line for it.
  ordered_json line_of(const Benchmark& benchmark) {
    auto why_not = benchmark.not_counted;
    if (why_not.empty()) why_not = benchmark.unmet();
    if (!why_not.empty()) return left_out(benchmark.name, counted_per(benchmark), why_not);
    const auto instructions = count(benchmark, prepared_);
    if (!instructions) return left_out(benchmark.name, counted_per(benchmark), instructions.error().text());
    counts_[benchmark.name] = *instructions;
    return {{"name", benchmark.name}, {"per", counted_per(benchmark)}, {"instructions", *instructions}};
  }

  /// What the harness adds to the system call that it makes.
  [[nodiscard]] ordered_json line_of_overhead(const Benchmark& of_harness) const {
    const auto name = "overhead/" + of_harness.name;
    const auto whole = counts_.find(of_harness.name);
    const auto bare = counts_.find(of_harness.baseline);
    if (whole != counts_.end() && bare != counts_.end()) {
      return {{"name", name}, {"per", "call"}, {"instructions", whole->second - bare->second}};
    }
    return left_out(name, "call",
                    fmt::format("{} was not counted", whole == counts_.end() ? of_harness.name : of_harness.baseline));
  }

 private:
  static ordered_json left_out(const std::string& name, std::string_view per, const std::string& reason) {
    return {{"name", name}, {"per", per}, {"left_out", reason}};
  }

  Prepared prepared_ = {};
  std::map<std::string, double> counts_ = {};
};

ordered_json context() {
  const auto run = context_of_this_machine();
  const auto suite = suite_of_this_build();
  return {{"release", run.release}, {"version", run.version},         {"machine", run.machine},
          {"jit", run.jit},         {"mitigations", run.mitigations}, {"suite_version", suite.version},
          {"commit", suite.commit}};
}

Expected<std::vector<const Benchmark*>> chosen(const std::string& filter) {
  std::vector<const Benchmark*> benchmarks;
  try {
    const std::regex wanted(filter);
    for (const auto& name : counted_set()) {
      if (std::regex_search(name, wanted)) benchmarks.push_back(find_benchmark(name));
    }
  } catch (const std::regex_error& bad) {
    return failure("--filter", 0, fmt::format("{}: {}", filter, bad.what()));
  }
  if (benchmarks.empty()) return failure("--filter", 0, fmt::format("no benchmark that is counted fits {}", filter));
  return benchmarks;
}

int complain(const std::string& what, int code) {
  fmt::print(stderr, "devmap-bench instructions: {}\n", what);
  return code;
}

}  // namespace

int run_instructions_command(const std::vector<std::string>& arguments) {
  std::string filter;
  std::string file = "/dev/stdout";
  bool list = false;
  CLI::App app("Count guest instructions, in a virtual machine of devmap-vm bench", "devmap-bench instructions");
  app.add_option("--filter", filter, "Only benchmarks whose names this regular expression matches");
  app.add_option("-o,--output", file, "Where a JSON object a line is written (default: standard output)");
  app.add_flag("--list", list, "The names of what is counted");
  if (const auto ended = parse(app, arguments)) return *ended;
  const auto benchmarks = chosen(filter);
  if (!benchmarks) return complain(benchmarks.error().text(), kUsage);
  if (list) {
    for (const auto* benchmark : *benchmarks) fmt::print("{}\n", benchmark->name);
    return 0;
  }
  if (!has_privileges()) return kNothingCouldRun;
  if (!ticks_are_instructions()) {
    return complain("a tick of this processor's time stamp counter is not an instruction; run: devmap-vm bench",
                    kNothingCouldRun);
  }
  const UniqueFd output(open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  if (!output) return complain(last_error("open", file).error().text(), kBroken);
  const auto tell = [&output](const ordered_json& line) { return write_all(output.get(), line.dump() + "\n"); };
  const auto lines = benchmarks->size() + static_cast<std::size_t>(std::ranges::count_if(
                                              *benchmarks, [](const auto* one) { return is_of_harness(*one); }));
  auto told = tell({{"context", context()}, {"figures", lines}});
  std::this_thread::sleep_for(kToSettle);
  Counting counting;
  for (const auto* benchmark : *benchmarks) {
    if (told) told = tell(counting.line_of(*benchmark));
    if (told && is_of_harness(*benchmark)) told = tell(counting.line_of_overhead(*benchmark));
  }
  if (told) told = tell({{"end", true}});
  return told ? 0 : complain(told.error().text(), kBroken);
}

}  // namespace devmap::bench
