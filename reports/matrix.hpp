#pragma once

#include <harness/record/record.hpp>
#include <reports/gather.hpp>
#include <reports/kernel.hpp>
#include <reports/specification.hpp>

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace devmap::reports {

/// The letter that stands for a verdict in a cell: C conforms, B backported, A absent, K known, U unmet, D deviates,
/// S splat, X crash, T timeout, E broken ("error of the suite").
[[nodiscard]] char letter_of(Verdict verdict);
/// What a verdict means, in a few words.
[[nodiscard]] const char* meaning_of(Verdict verdict);

/// What one rule came to on one kernel.
struct Cell {
  /// Of every variant, and of every iteration.
  std::vector<const Result*> results;
  /// The one that matters most; absent where the record has no check of the rule.
  std::optional<Verdict> verdict;
  /// Whether the checks did not all come to it, those that could not be carried out aside.
  bool mixed = false;
};

struct Row {
  SpecifiedRule rule;
  /// Whether the specification has the rule; if not, `rule` has its id alone.
  bool specified = true;
  /// A cell a kernel.
  std::vector<Cell> cells;
  /// Whether kernels on which it could be checked differ.
  bool differs = false;
};

struct ChapterRows {
  Chapter chapter;
  std::vector<Row> rows;
};

/// Rules by kernels.
struct Matrix {
  std::vector<Kernel> kernels;
  /// Where each kernel's column is from; they live as long as what the matrix was made of.
  std::vector<const Source*> sources;
  /// In the order of the specification; rules that it does not have stand at the end of their chapter.
  std::vector<ChapterRows> chapters;

  [[nodiscard]] static Matrix of(const std::vector<Source>& sources, const Specification& specification);

  [[nodiscard]] std::size_t rules() const;
  [[nodiscard]] const Row* find(std::string_view id) const;
};

/// How many cells of a kernel have each verdict.
[[nodiscard]] std::map<Verdict, std::size_t> counts_of(const std::vector<Row>& rows, std::size_t kernel);

/// Whether a verdict says that the kernel does not do as stated: absent, known, deviates, splat, crash.
[[nodiscard]] bool not_as_stated(Verdict verdict);

/// Whether a kernel does as the rule states: not where any check says that it does not, and nothing where no check
/// could tell.
[[nodiscard]] std::optional<bool> as_stated(const Cell& cell);

/// The kernels by name; three or more that stand side by side are "A to B".
[[nodiscard]] std::string kernels_in_words(const Matrix& matrix, const std::vector<std::size_t>& kernels);

}  // namespace devmap::reports
