#include <reports/markdown.hpp>

#include <fmt/format.h>
#include <algorithm>
#include <array>

namespace devmap::reports {
namespace {

/// Conforming cells are left almost empty, so that the others are seen.
std::string cell_text(const Cell& cell) {
  if (!cell.verdict) return " ";
  const char letter = letter_of(*cell.verdict);
  const bool loud = not_as_stated(*cell.verdict) || fails(*cell.verdict);
  const std::string text = loud ? fmt::format("**{}**", letter) : std::string(1, letter);
  return cell.mixed ? text + "\\*" : text;
}

bool worth_showing(const Row& row) {
  return row.differs || std::ranges::any_of(row.cells, [](const Cell& cell) {
           return cell.verdict && (not_as_stated(*cell.verdict) || fails(*cell.verdict));
         });
}

std::string kernel_heads(const Matrix& matrix) {
  std::string head;
  std::string line;
  for (const auto& kernel : matrix.kernels) {
    head += fmt::format(" {} |", markdown_text(kernel.name()));
    line += ":-:|";
  }
  return fmt::format("| rule |{}\n|---|{}\n", head, line);
}

std::string kernel_table(const Matrix& matrix) {
  std::string text = "| kernel | machine | JIT |";
  std::string line = "|---|---|---|";
  for (const Verdict verdict : kVerdicts) {
    text += fmt::format(" {} ({}) |", name_of(verdict), letter_of(verdict));
    line += "--:|";
  }
  text += "\n" + line + "\n";
  for (std::size_t kernel = 0; kernel < matrix.kernels.size(); ++kernel) {
    const auto& of = matrix.kernels[kernel];
    text += fmt::format("| {}{} | {} | {} |", markdown_text(of.label), of.real_time ? " (RT)" : "",
                        markdown_text(of.machine), markdown_text(of.jit));
    std::map<Verdict, std::size_t> counts;
    for (const auto& chapter : matrix.chapters) {
      for (const auto& [verdict, count] : counts_of(chapter.rows, kernel)) counts[verdict] += count;
    }
    for (const Verdict verdict : kVerdicts) {
      text += fmt::format(" {} |", counts.contains(verdict) ? std::to_string(counts.at(verdict)) : "");
    }
    text += "\n";
  }
  return text;
}

}  // namespace

std::string markdown_text(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    if (c == '<') {
      safe += "&lt;";
    } else if (c == '>') {
      safe += "&gt;";
    } else if (c == '&') {
      safe += "&amp;";
    } else if (std::string_view("\\`*_[]|#~").find(c) != std::string_view::npos) {
      safe += '\\';
      safe += c;
    } else {
      safe += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
  }
  return safe;
}

std::string render_markdown(const Matrix& matrix, const MarkdownOptions& options) {
  std::string text = fmt::format("# {}\n\n{} rules on {} kernel{}.\n\n",
                                 options.title.empty() ? "Device maps: rules by kernels" : options.title,
                                 matrix.rules(), matrix.kernels.size(), matrix.kernels.size() == 1 ? "" : "s");
  text += kernel_table(matrix) + "\n";
  std::size_t shown = 0;
  for (const auto& chapter : matrix.chapters) {
    std::string rows;
    for (const auto& row : chapter.rows) {
      if (!options.all && !worth_showing(row)) continue;
      ++shown;
      rows += fmt::format("| `{}`<br>{} |", row.rule.id, markdown_text(row.rule.states));
      for (const auto& cell : row.cells) rows += fmt::format(" {} |", cell_text(cell));
      rows += "\n";
    }
    if (rows.empty()) continue;
    text += fmt::format("## {}: {}\n\n{}{}\n", chapter.chapter.name, markdown_text(chapter.chapter.title),
                        kernel_heads(matrix), rows);
  }
  if (shown < matrix.rules()) {
    text += fmt::format("{} rule{} and conform{} on every kernel that could be asked.\n\n", matrix.rules() - shown,
                        matrix.rules() - shown == 1 ? " is not shown" : "s are not shown",
                        matrix.rules() - shown == 1 ? "s" : "");
  }
  text += "| | verdict | meaning |\n|---|---|---|\n";
  for (const Verdict verdict : kVerdicts) {
    text += fmt::format("| {} | {} | {} |\n", letter_of(verdict), name_of(verdict), meaning_of(verdict));
  }
  return text + "\nA letter with a star: not every variant of the rule came to it.\n";
}

}  // namespace devmap::reports
