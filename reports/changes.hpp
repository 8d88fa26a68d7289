#pragma once

#include <harness/record/verdict.hpp>
#include <reports/matrix.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace devmap::reports {

/// Checks of one rule that went from one verdict to another.
struct Change {
  const Row* row = nullptr;
  /// Absent where that record does not have the check.
  std::optional<Verdict> before;
  std::optional<Verdict> after;
  std::vector<std::string> variants;

  /// Whether it says something of the kernels: both could be checked.
  [[nodiscard]] bool of_the_kernel() const;
};

/// Everything that two columns do not agree on, in the order of the rules. Of a check that was repeated the worst
/// counts.
[[nodiscard]] std::vector<Change> changes_between(const Matrix& matrix, std::size_t before, std::size_t after);

/// The same for a terminal: what changed in the kernel, with the sentence of each rule, and how many checks could be
/// carried out on one side alone.
[[nodiscard]] std::string render_changes(const Matrix& matrix, std::size_t before, std::size_t after);

}  // namespace devmap::reports
