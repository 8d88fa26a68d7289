#pragma once

#include <vm/kernel_run.hpp>

#include <chrono>
#include <string>

namespace devmap::vm {

/// A line on the terminal about one run that is written over again and again, and gone in the end; silent where
/// standard error is no terminal.
class ProgressLine {
 public:
  explicit ProgressLine(std::string kernel);
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  ProgressLine(ProgressLine&&) = delete;
  ProgressLine& operator=(ProgressLine&&) = delete;
  ~ProgressLine() { clear(); }

  void show(const KernelProgress& progress);
  /// Takes the line away, before something else is written.
  void clear();

 private:
  std::string kernel_;
  bool wanted_;
  bool shown_ = false;
  std::chrono::duration<double> told_{-1};
};

/// "6.12: running, 512 of 1467 (34 %), 480 conforms, 32 unmet, 3.2 s".
[[nodiscard]] std::string progress_text(const std::string& kernel, const KernelProgress& progress);

}  // namespace devmap::vm
