#pragma once

#include <harness/base/error.hpp>
#include <harness/base/unique_fd.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace devmap {

/// One record of /dev/kmsg.
struct LogRecord {
  /// Whether the kernel wrote it; a process may write records as well.
  bool from_kernel = true;
  std::string text = {};

  /// Parses "priority,sequence,time,flags;text"; nothing where it is not of that form. Continuation lines are dropped.
  [[nodiscard]] static std::optional<LogRecord> parse(std::string_view record);
};

/// A kernel warning, with the task it names.
struct KernelWarning {
  /// The first line and what follows it up to the end of the trace.
  std::vector<std::string> lines = {};
  /// The task's name and number as the kernel printed them; empty and 0 where it printed none.
  std::string task_name = {};
  std::int64_t task_id = 0;

  /// The first line, and the line that names the place where there is one: enough for a report.
  [[nodiscard]] std::string summary() const;
};

/// Finds warnings in a stream of log records.
class WarningFinder {
 public:
  /// Takes the next record; gives a warning as soon as it is complete.
  [[nodiscard]] std::optional<KernelWarning> feed(const LogRecord& record);
  /// The warning that is still open, if any.
  [[nodiscard]] std::optional<KernelWarning> flush();

 private:
  std::optional<KernelWarning> open_;
};

/// Watches /dev/kmsg from now on.
class KernelLog {
 public:
  /// Which writers are believed. The calibration group writes to the log itself, as no real check does.
  enum class Writers : std::uint8_t { kernel, anybody };

  [[nodiscard]] static Expected<KernelLog> watch(Writers believed);

  /// The warnings since the last call, complete or not.
  [[nodiscard]] std::vector<KernelWarning> drain();

 private:
  KernelLog(UniqueFd log, Writers believed) : log_(std::move(log)), believed_(believed) {}
  UniqueFd log_;
  Writers believed_;
  WarningFinder finder_;
};

}  // namespace devmap
