#include <vm/instruction_table.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <algorithm>
#include <cmath>
#include <map>

namespace devmap::vm {
namespace {

struct Row {
  std::string name;
  std::string per;
  /// By kernel.
  std::vector<const CountedFigure*> figures;
};

std::vector<Row> rows_of(const std::vector<InstructionRecord>& records) {
  std::vector<Row> rows;
  for (std::size_t at = 0; at < records.size(); ++at) {
    for (const auto& figure : records[at].figures) {
      auto row = std::ranges::find(rows, figure.name, &Row::name);
      if (row == rows.end()) {
        row = rows.insert(rows.end(), {.name = figure.name, .per = figure.per, .figures = {}});
        row->figures.resize(records.size());
      }
      row->figures[at] = &figure;
    }
  }
  return rows;
}

std::string text_of(const CountedFigure* figure) {
  if (figure == nullptr || !figure->instructions) return "-";
  constexpr double kSmall = 1000;
  const double value = *figure->instructions;
  return fmt::format("{:.{}f}", value, std::abs(value) < kSmall && value != std::floor(value) ? 1 : 0);
}

std::string label_of(const InstructionRecord& record) {
  const auto label = record.context.find("label");
  return label == record.context.end() ? "?" : label->second;
}

/// "live/drop (5.10): needs ...", the kernels with one reason together.
std::string reasons(const std::vector<Row>& rows, const std::vector<InstructionRecord>& records) {
  // By reason and kernels: often many benchmarks share both.
  std::vector<std::pair<std::string, std::vector<std::string>>> said;
  for (const auto& row : rows) {
    std::map<std::string, std::vector<std::string>> kernels;
    for (std::size_t at = 0; at < records.size(); ++at) {
      const auto* const figure = row.figures[at];
      if (figure != nullptr && !figure->instructions) kernels[figure->left_out].push_back(label_of(records[at]));
    }
    for (const auto& [reason, labels] : kernels) {
      const auto text = fmt::format("{}: {}", fmt::join(labels, ", "), reason);
      auto found = std::ranges::find(said, text, [](const auto& one) { return one.first; });
      if (found == said.end()) found = said.insert(said.end(), {text, {}});
      found->second.push_back(row.name);
    }
  }
  std::string text;
  for (const auto& [reason, names] : said) {
    text += fmt::format("  {}\n", reason);
    for (const auto& name : names) text += fmt::format("    {}\n", name);
  }
  return text.empty() ? text : "\nleft out:\n" + text;
}

}  // namespace

std::string render(const std::vector<InstructionRecord>& records) {
  const auto rows = rows_of(records);
  std::size_t width = std::string_view("guest instructions").size();
  std::vector<std::size_t> widths;
  for (const auto& row : rows) width = std::max(width, row.name.size());
  auto text = fmt::format("{:<{}}  {:<9}", "guest instructions", width, "per");
  for (std::size_t at = 0; at < records.size(); ++at) {
    auto widest = label_of(records[at]).size();
    for (const auto& row : rows) widest = std::max(widest, text_of(row.figures[at]).size());
    widths.push_back(widest);
    text += fmt::format("  {:>{}}", label_of(records[at]), widest);
  }
  text += "\n";
  for (const auto& row : rows) {
    text += fmt::format("{:<{}}  {:<9}", row.name, width, row.per);
    for (std::size_t at = 0; at < records.size(); ++at) {
      text += fmt::format("  {:>{}}", text_of(row.figures[at]), widths[at]);
    }
    text += "\n";
  }
  return text + reasons(rows, records);
}

}  // namespace devmap::vm
