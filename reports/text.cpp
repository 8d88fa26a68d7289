#include <reports/text.hpp>

#include <fmt/format.h>
#include <algorithm>
#include <set>

namespace devmap::reports {
namespace {

/// Without characters that a terminal would act upon.
std::string harmless(std::string text) {
  std::ranges::replace_if(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
  return text;
}

std::set<Verdict> occurring(const Matrix& matrix) {
  std::set<Verdict> verdicts;
  for (const auto& chapter : matrix.chapters) {
    for (const auto& row : chapter.rows) {
      for (const auto& cell : row.cells) {
        if (cell.verdict) verdicts.insert(*cell.verdict);
      }
    }
  }
  return verdicts;
}

std::string kernel_table(const Matrix& matrix, const std::set<Verdict>& verdicts) {
  std::size_t widest = 6;
  for (const auto& kernel : matrix.kernels) widest = std::max(widest, harmless(kernel.name()).size());
  std::string text = fmt::format("     {:<{}}{:>8}", "kernel", widest, "rules");
  for (const Verdict verdict : verdicts) text += fmt::format("{:>12}", name_of(verdict));
  text += "\n";
  for (std::size_t kernel = 0; kernel < matrix.kernels.size(); ++kernel) {
    std::map<Verdict, std::size_t> counts;
    std::size_t rules = 0;
    for (const auto& chapter : matrix.chapters) {
      for (const auto& [verdict, count] : counts_of(chapter.rows, kernel)) {
        counts[verdict] += count;
        rules += count;
      }
    }
    text += fmt::format("{:>3}  {:<{}}{:>8}", kernel + 1, harmless(matrix.kernels[kernel].name()), widest, rules);
    for (const Verdict verdict : verdicts) {
      text += fmt::format("{:>12}", counts.contains(verdict) ? std::to_string(counts.at(verdict)) : "-");
    }
    text += "\n";
  }
  return text;
}

std::string differing_rows(const Matrix& matrix) {
  std::size_t widest = 0;
  std::size_t count = 0;
  for (const auto& chapter : matrix.chapters) {
    for (const auto& row : chapter.rows) {
      if (!row.differs) continue;
      widest = std::max(widest, row.rule.id.size());
      ++count;
    }
  }
  if (count == 0) return "\nno rule differs between these kernels\n";
  std::string text = fmt::format("\n{:<{}}", fmt::format("{} rules differ", count), widest);
  for (std::size_t kernel = 0; kernel < matrix.kernels.size(); ++kernel) text += fmt::format("{:>4}", kernel + 1);
  text += "\n";
  for (const auto& chapter : matrix.chapters) {
    for (const auto& row : chapter.rows) {
      if (!row.differs) continue;
      text += fmt::format("{:<{}}", row.rule.id, widest);
      for (const auto& cell : row.cells) text += fmt::format("{:>4}", cell.verdict ? letter_of(*cell.verdict) : '.');
      text += "\n";
    }
  }
  return text;
}

}  // namespace

std::string render_text(const Matrix& matrix) {
  const auto verdicts = occurring(matrix);
  std::string text = kernel_table(matrix, verdicts) + differing_rows(matrix) + "\n";
  for (const Verdict verdict : verdicts) {
    text += fmt::format("{}  {}: {}\n", letter_of(verdict), name_of(verdict), meaning_of(verdict));
  }
  return text;
}

}  // namespace devmap::reports
