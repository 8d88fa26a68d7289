#pragma once

#include <harness/record/result.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace devmap {

/// Which suite ran.
struct SuiteIdentity {
  std::string version = {};
  /// The commit it was built from, with "-dirty" where the tree had changes; "unknown" outside a checkout.
  std::string commit = {};
};

/// Where and how a run took place.
struct RunContext {
  /// uname(2).
  std::string release = {};
  std::string version = {};
  std::string machine = {};
  /// What a report calls this kernel; the release unless somebody says otherwise.
  std::string kernel_label = {};
  /// "on", "off", "hardened", or "unknown".
  std::string jit = {};
  unsigned cpus = 0;
  long page_size = 0;
  /// Configuration options the rules depend on, as the kernel's own configuration file says; empty where it has none.
  std::map<std::string, std::string> config = {};
  /// /sys/devices/system/cpu/vulnerabilities, those that are mitigated.
  std::map<std::string, std::string> mitigations = {};
  /// "watched", or why the kernel log was not.
  std::string kernel_log = {};
  /// How XDP programs were attached where that is not the subject: "dispatcher", "directly", or why no dispatcher could
  /// be had.
  std::string attachment = "directly";
  std::vector<std::string> foreign_warnings = {};
  /// The seed of the random order in which the checks were begun; absent where they were begun in their own.
  std::optional<std::uint32_t> shuffle_seed = {};
  /// How long races ran; absent where each ran as long as it is worth in a plain run.
  std::optional<std::chrono::milliseconds> soak = {};
  /// How often a virtual machine was booted for the run; absent outside one.
  std::optional<unsigned> boots = {};
  /// UTC, RFC 3339.
  std::string started = {};
  double duration_ms = 0;
  bool partial = false;
};

/// One run of the suite on one kernel: the contract between running and reporting.
struct RunRecord {
  static constexpr int kSchemaVersion = 1;

  SuiteIdentity suite = {};
  RunContext context = {};
  std::vector<Result> results = {};

  [[nodiscard]] std::map<Verdict, std::size_t> summary() const;
};

// What a run ends with.
inline constexpr int kExitConforms = 0;
inline constexpr int kExitDeviates = 1;
inline constexpr int kExitNothingRan = 4;
inline constexpr int kExitUsage = 64;
inline constexpr int kExitBroken = 70;
inline constexpr int kExitTimedOut = 124;

/// The worst that happened decides: deviates, splat and crash before timeout before broken; then whether any check was
/// carried out at all.
[[nodiscard]] int exit_code(const RunRecord& record);

}  // namespace devmap
