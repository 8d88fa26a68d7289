#include <bench/preflight/obstacles.hpp>
#include <bench/statistics/canary_gate.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <algorithm>
#include <cstddef>

namespace devmap::bench {
namespace {

/// More attached programs than the dispatcher of XDP programs has places are called indirectly
/// (include/linux/bpf.h:BPF_DISPATCHER_MAX).
constexpr std::size_t kDispatcherPlaces = 48;

/// At most this many are named.
constexpr std::size_t kNamed = 4;

std::string listed(const std::vector<std::string>& names) {
  const auto shown = std::min(names.size(), kNamed);
  auto text = fmt::format("{}", fmt::join(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(shown), ", "));
  if (shown < names.size()) text += fmt::format(" and {} more", names.size() - shown);
  return text;
}

}  // namespace

std::vector<Obstacle> obstacles(const Surroundings& here) {
  using enum Obstacle::Weight;
  std::vector<Obstacle> found;
  const auto add = [&](Obstacle::Weight weight, std::string what, std::string remedy) {
    found.push_back({.weight = weight, .what = std::move(what), .remedy = std::move(remedy)});
  };
  if (!here.recorded_events.empty()) {
    add(refuses,
        fmt::format("xdp trace events are recorded ({}): every redirected frame costs more than twice as much",
                    listed(here.recorded_events)),
        "write 0 to these files of tracefs");
  }
  if (!here.listeners.empty()) {
    add(refuses, fmt::format("somebody listens on the measured path: {}", listed(here.listeners)),
        "end these programs first");
  }
  if (here.statistics_on) {
    add(refuses, "BPF statistics are on: every run of a program is timed, which takes longer than a redirect",
        "sysctl kernel.bpf_stats_enabled=0, and end what enabled them otherwise (bpftool prog profile, systemd)");
  }
  if (here.jit == Jit::off) {
    add(refuses, "BPF programs are interpreted: the JIT is off", "sysctl net.core.bpf_jit_enable=1");
  }
  if (here.softirq_time_is_apart) {
    add(refuses,
        "the kernel accounts softirqs apart from threads (CONFIG_IRQ_TIME_ACCOUNTING), so that CPU time misses most of "
        "what a frame costs",
        "measure on a kernel without it, or with tsc=noirqtime");
  }
  if (here.jit == Jit::hardened) {
    add(labels, "the JIT blinds constants (net.core.bpf_jit_harden)", "sysctl net.core.bpf_jit_harden=0");
  }
  if (here.jit == Jit::unknown) add(labels, "it cannot be told whether the JIT is on", "mount /proc");
  if (here.xdp_programs > kDispatcherPlaces) {
    add(labels,
        fmt::format("{} XDP programs are loaded on this machine; where more than {} are attached, each is called "
                    "indirectly",
                    here.xdp_programs, kDispatcherPlaces),
        "detach them");
  } else if (here.xdp_programs > 0) {
    add(labels, fmt::format("XDP programs of others are loaded on this machine: {}", here.xdp_programs),
        "end what may send frames meanwhile");
  }
  if (shows_neighbour(here.canary_now, here.canary_at_best)) {
    add(labels,
        fmt::format("the processor is {:.0f} % slower than it can be, by what is outside of this system",
                    (here.canary_now / here.canary_at_best - 1) * 100),
        "wait, or measure on a machine of its own");
  }
  for (const auto& unseen : here.unseen) add(labels, "could not be looked at: " + unseen, "run it as root");
  return found;
}

void add_new(std::vector<Obstacle>& all, const std::vector<Obstacle>& found) {
  for (const auto& obstacle : found) {
    if (std::ranges::find(all, obstacle.what, &Obstacle::what) == all.end()) all.push_back(obstacle);
  }
}

bool refuses(const std::vector<Obstacle>& obstacles) {
  return std::ranges::any_of(obstacles,
                             [](const auto& obstacle) { return obstacle.weight == Obstacle::Weight::refuses; });
}

}  // namespace devmap::bench
