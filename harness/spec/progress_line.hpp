#pragma once

#include <harness/record/result.hpp>

#include <cstddef>

namespace devmap {

/// A line on the terminal that is written over again and again, and gone in the end; silent where standard error is no
/// terminal.
class ProgressLine {
 public:
  explicit ProgressLine(bool wanted);
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  ProgressLine(ProgressLine&&) = delete;
  ProgressLine& operator=(ProgressLine&&) = delete;
  ~ProgressLine();

  /// The result that has come, the number of those that are through, and of all.
  void show(const Result& result, std::size_t through, std::size_t all);

 private:
  bool shown_;
  std::size_t failed_ = 0;
};

}  // namespace devmap
