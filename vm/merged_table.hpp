#pragma once

#include <harness/record/verdict.hpp>
#include <vm/recorded_run.hpp>

#include <optional>
#include <string>
#include <vector>

namespace devmap::vm {

/// What several kernels make of a rule, or of those of its variants that they all treat alike.
struct MergedRow {
  std::string rule = {};
  /// Empty where the row is about all variants of the rule.
  std::vector<std::string> variants = {};
  /// For each kernel; nothing where it has no result.
  std::vector<std::optional<Verdict>> cells = {};

  /// Whether it says that kernels differ, or that something is wrong. What could not be checked says neither.
  [[nodiscard]] bool is_telling() const;
};

/// Rules by kernels.
struct MergedTable {
  /// Labels, in the order of the runs.
  std::vector<std::string> kernels = {};
  /// Rules in the order in which they first appear.
  std::vector<MergedRow> rows = {};
};

[[nodiscard]] MergedTable merge(const std::vector<RecordedRun>& runs);

struct TableStyle {
  bool all_rows = false;
  bool color = false;
};

/// A character a cell, with the kernels' labels written downwards above them and a legend below.
[[nodiscard]] std::string render(const MergedTable& table, const TableStyle& style);

/// What failed, each thing once, with the kernels that it failed on: for a person to read below the table.
[[nodiscard]] std::string render_failures(const std::vector<RecordedRun>& runs);

}  // namespace devmap::vm
