#pragma once

#include <vm/architecture.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace devmap::vm {

// What devmap-vm ends with, besides what the suite in a guest ends with.
inline constexpr int kExitDone = 0;
/// The guest's kernel gave up.
inline constexpr int kExitPanic = 1;
/// Something that is needed is not there: QEMU, a kernel.
inline constexpr int kExitMissing = 4;
inline constexpr int kExitUsage = 64;
/// The tool itself failed, or the guest never booted, or was killed.
inline constexpr int kExitBroken = 70;
inline constexpr int kExitTimedOut = 124;

struct RunOptions {
  /// As find_kernel takes it.
  std::string kernel = {};
  std::string modules = {};
  std::string suite = {};
  /// Where the record and the console go; nowhere if empty.
  std::string record = {};
  std::string console = {};
  std::string command_line = {};
  /// "on", "off", "harden"; empty for as the kernel has it.
  std::string jit = {};
  std::string label = {};
  /// A file with known deviations.
  std::string known = {};
  bool without_dangerous = false;
  /// 0 for what the architecture's guests get.
  unsigned cpus = 0;
  /// Among how many machines the checks are shared out; 0 for as many as are of use (usual_machines).
  unsigned machines = 0;
  /// 0 for what the architecture's guests get.
  unsigned memory_mib = 0;
  /// What a kernel that is a file is for.
  std::string architecture{usual_architecture().name};
  /// What the suite is built for; empty for what the kernel's entry says, or its own architecture.
  std::string suite_architecture = {};
  std::chrono::seconds limit{900};
  /// Download the kernel first, where it is not here.
  bool fetch = false;
  bool dry_run = false;
  /// An interactive shell in place of the suite.
  bool shell = false;
  /// Wait for a debugger.
  bool gdb = false;
  std::vector<std::string> arguments = {};
};

/// Among how many machines checks are shared out where nobody says: one a processor, up to four, as booting costs too;
/// one where a few checks are chosen, or somebody looks at the guest.
[[nodiscard]] unsigned usual_machines(const RunOptions& options, unsigned processors);

/// Runs the suite in a guest.
[[nodiscard]] int run_suite(const std::string& catalogue_file, const RunOptions& options);

}  // namespace devmap::vm
