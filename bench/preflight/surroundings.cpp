#include <bench/preflight/surroundings.hpp>

#include <bench/measure/canary.hpp>
#include <bench/preflight/attached.hpp>

#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <filesystem>
#include <harness/base/detached_mount.hpp>
#include <harness/base/file.hpp>
#include <harness/bpf/assembler.hpp>
#include <harness/bpf/program.hpp>
#include <harness/spec/context.hpp>
#include <sstream>
#include <string_view>
#include <system_error>
#include <utility>

namespace devmap::bench {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kXdpEvents = "events/xdp/enable";
constexpr unsigned kCanariesNow = 20;
constexpr unsigned kCanariesForBest = 200;

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

/// "0" where no event of the system is on, "1" where all are, "X" where some are.
bool any_enabled(const std::string& file) {
  const auto text = read_file(file);
  return text && first_line(*text) != "0";
}

void look_at_recorded_events(const DetachedMount& tracefs, Surroundings& seen) {
  std::vector<std::string> instances = {""};
  std::error_code failed;
  for (fs::directory_iterator entries(tracefs.path("instances"), failed);
       !failed && entries != fs::directory_iterator(); entries.increment(failed)) {
    instances.push_back(fmt::format("instances/{}/", entries->path().filename().string()));
  }
  for (const auto& instance : instances) {
    const auto file = fmt::format("{}{}", instance, kXdpEvents);
    if (any_enabled(tracefs.path(file))) seen.recorded_events.push_back(file);
  }
}

/// Adds the functions of the path that are first words of these lines, or of what stands in the given column.
void look_at_functions(const std::string& text, std::size_t column, std::string_view means, Surroundings& seen) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string word;
    for (std::size_t at = 0; at <= column; ++at) words >> word;
    const auto function = word.substr(0, word.find('+'));
    if (is_on_the_path(function)) seen.listeners.push_back(fmt::format("{} ({})", function, means));
  }
}

void look_at_tracefs(Surroundings& seen) {
  const auto tracefs = DetachedMount::open("tracefs");
  if (!tracefs) {
    seen.unseen.push_back("trace events: " + tracefs.error().text());
    return;
  }
  look_at_recorded_events(*tracefs, seen);
  // Function tracers and fentry programs; a kernel without dynamic tracing has no such file, and none of them.
  if (const auto functions = read_file(tracefs->path("enabled_functions"))) {
    look_at_functions(*functions, 0, "traced function", seen);
  }
}

/// Lines such as "ffffffff81234567  k  dev_map_enqueue+0x0    [FTRACE]".
void look_at_kprobes(Surroundings& seen) {
  const auto debugfs = DetachedMount::open("debugfs");
  if (!debugfs) return;  // a kernel without it is rare, and BPF's own kprobes are found as perf events
  if (const auto list = read_file(debugfs->path("kprobes/list"))) look_at_functions(*list, 2, "kprobe", seen);
}

bool is_xdp_tracepoint(const std::string& name) {
  return name.starts_with("xdp_") || name.starts_with("mem_");
}

void look_at_programs(Surroundings& seen) {
  for (auto attached : {attached_by_descriptors(), attached_by_links()}) {
    if (!attached) {
      seen.unseen.push_back("what BPF programs listen to: " + attached.error().text());
      continue;
    }
    for (const auto& [name, means] : *attached) {
      if (is_xdp_tracepoint(name) || is_on_the_path(name)) {
        seen.listeners.push_back(fmt::format("{} ({})", name, means));
      }
    }
  }
  if (const auto programs = loaded_xdp_programs()) {
    seen.xdp_programs = *programs;
  } else {
    seen.unseen.push_back("XDP programs: " + programs.error().text());
  }
}

/// By a run of a program: the switch of BPF_ENABLE_STATS does not show in kernel.bpf_stats_enabled.
Expected<bool> programs_are_timed() {
  constexpr std::array<std::byte, 64> kFrame{};
  const auto instructions = Assembler().return_value(XDP_DROP).build();
  if (!instructions) return std::unexpected(instructions.error());
  const auto program = Program::load({}, *instructions).expected();
  if (!program) return std::unexpected(program.error());
  if (auto run = program->test_run({.repeat = 1, .data_in = kFrame}).expected(); !run) {
    return std::unexpected(run.error());
  }
  const auto info = program->info().expected();
  if (!info) return std::unexpected(info.error());
  return info->run_count > 0;
}

Jit jit_named(const std::string& state) {
  if (state == "on") return Jit::on;
  if (state == "off") return Jit::off;
  return state == "hardened" ? Jit::hardened : Jit::unknown;
}

}  // namespace

bool is_on_the_path(const std::string& function) {
  constexpr std::array<std::string_view, 14> kBeginnings = {
      "xdp_",     "bpf_xdp_",      "bpf_redirect",    "bpf_prog_run",   "__bpf_prog_run",
      "dev_map_", "dev_hash_map_", "__dev_map_",      "__dev_flush",    "bq_",
      "veth_",    "page_pool_",    "map_update_elem", "map_lookup_elem"};
  return std::ranges::any_of(kBeginnings, [&](auto beginning) { return function.starts_with(beginning); }) ||
         function == "__sys_bpf" || function == "net_rx_action" || function == "__napi_poll";
}

Surroundings Surroundings::of_this_machine() {
  Surroundings seen;
  look_at_tracefs(seen);
  look_at_kprobes(seen);
  look_at_programs(seen);
  if (const auto timed = programs_are_timed()) {
    seen.statistics_on = *timed;
  } else {
    seen.unseen.push_back("BPF statistics: " + timed.error().text());
  }
  const auto context = context_of_this_machine();
  seen.jit = jit_named(context.jit);
  const auto accounting = context.config.find("CONFIG_IRQ_TIME_ACCOUNTING");
  seen.softirq_time_is_apart = accounting != context.config.end() && accounting->second == "y";
  seen.canary_at_best = best_canary(kCanariesForBest);
  seen.canary_now = best_canary(kCanariesNow);
  seen.canary_at_best = std::min(seen.canary_at_best, seen.canary_now);
  return seen;
}

}  // namespace devmap::bench
