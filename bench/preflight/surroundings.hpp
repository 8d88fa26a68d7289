#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace devmap::bench {

/// Whether BPF programs are compiled (net.core.bpf_jit_enable, net.core.bpf_jit_harden).
enum class Jit : std::uint8_t { unknown, on, off, hardened };

/// What there is on the machine that would be in the figures.
struct Surroundings {
  /// Files of tracefs by which an instance of it records xdp events: "events/xdp/enable".
  std::vector<std::string> recorded_events = {};
  /// What listens to xdp tracepoints or stands on a function of the measured path, and by what means:
  /// "xdp_redirect_err (perf event of process 12)", "dev_map_enqueue (kprobe)".
  std::vector<std::string> listeners = {};
  /// The kernel measures the time of every run of every BPF program.
  bool statistics_on = false;
  Jit jit = Jit::unknown;
  /// XDP programs loaded on the machine, attached or not.
  std::size_t xdp_programs = 0;
  /// CONFIG_IRQ_TIME_ACCOUNTING: what a thread's softirqs take is not part of its CPU time.
  bool softirq_time_is_apart = false;
  /// The canary (measure/canary.hpp) as it runs now, and at its best; nanoseconds an instruction.
  double canary_now = 0;
  double canary_at_best = 0;
  /// What could not be looked at, and why not.
  std::vector<std::string> unseen = {};

  /// Looks at the machine. To be called before this process attaches programs of its own. Takes some milliseconds.
  [[nodiscard]] static Surroundings of_this_machine();
};

/// Whether a function's name is one of those that a redirected frame, or a call about a map, passes through.
[[nodiscard]] bool is_on_the_path(const std::string& function);

}  // namespace devmap::bench
