#include <vm/merged_table.hpp>

#include <fmt/color.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <algorithm>
#include <map>
#include <set>
#include <tuple>

namespace devmap::vm {
namespace {

using Cells = std::vector<std::optional<Verdict>>;

bool says_something(const std::optional<Verdict>& cell) {
  return cell && *cell != Verdict::unmet;
}

/// Of a check that was repeated, the worst counts.
std::optional<Verdict> worse(const std::optional<Verdict>& one, Verdict other) {
  return one ? std::max(*one, other) : other;
}

/// Whether nothing that the one says contradicts the other.
bool agree(const Cells& one, const Cells& other) {
  for (std::size_t i = 0; i < one.size(); ++i) {
    if (says_something(one[i]) && says_something(other[i]) && one[i] != other[i]) return false;
  }
  return true;
}

/// One cell for what agrees: what was checked says more than what was not.
void take_in(Cells& cells, const Cells& others) {
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (!says_something(cells[i]) && others[i]) cells[i] = others[i];
  }
}

/// The variants of a rule, in the order in which they first appear.
struct RuleCells {
  std::string rule;
  std::vector<std::pair<std::string, Cells>> variants = {};
};

std::vector<RuleCells> cells_by_rule(const std::vector<RecordedRun>& runs) {
  std::vector<RuleCells> rules;
  std::map<std::string, std::size_t> rule_at;
  std::map<std::pair<std::size_t, std::string>, std::size_t> variant_at;
  for (std::size_t kernel = 0; kernel < runs.size(); ++kernel) {
    for (const auto& result : runs[kernel].results) {
      const auto [rule, is_new_rule] = rule_at.try_emplace(result.rule, rules.size());
      if (is_new_rule) rules.push_back({.rule = result.rule});
      auto& variants = rules[rule->second].variants;
      const auto [variant, is_new] = variant_at.try_emplace({rule->second, result.variant}, variants.size());
      if (is_new) variants.emplace_back(result.variant, Cells(runs.size()));
      auto& cell = variants[variant->second].second[kernel];
      cell = worse(cell, result.verdict);
    }
  }
  return rules;
}

std::vector<MergedRow> rows_of(const RuleCells& rule) {
  std::vector<MergedRow> rows;
  for (const auto& [variant, cells] : rule.variants) {
    const auto alike = std::ranges::find_if(rows, [&](const MergedRow& row) { return agree(row.cells, cells); });
    if (alike == rows.end()) {
      rows.push_back({.rule = rule.rule, .variants = {variant}, .cells = cells});
    } else {
      alike->variants.push_back(variant);
      take_in(alike->cells, cells);
    }
  }
  if (rows.size() == 1) rows.front().variants.clear();
  return rows;
}

struct Sign {
  Verdict verdict;
  char sign;
};

constexpr std::array kSigns = {
    Sign{Verdict::conforms, '.'}, Sign{Verdict::backported, 'b'}, Sign{Verdict::absent, 'a'}, Sign{Verdict::known, 'k'},
    Sign{Verdict::unmet, '-'},    Sign{Verdict::deviates, 'D'},   Sign{Verdict::splat, 'S'},  Sign{Verdict::crash, 'C'},
    Sign{Verdict::timeout, 'T'},  Sign{Verdict::broken, 'B'}};

char sign_of(Verdict verdict) {
  return std::ranges::find(kSigns, verdict, &Sign::verdict)->sign;
}

std::string painted(char sign, Verdict verdict, bool color) {
  if (!color || verdict == Verdict::conforms || verdict == Verdict::unmet) return std::string(1, sign);
  const auto style =
      fails(verdict) ? fg(fmt::terminal_color::red) | fmt::emphasis::bold : fg(fmt::terminal_color::yellow);
  return fmt::format(style, "{}", sign);
}

std::string name_of(const MergedRow& row) {
  return row.variants.empty() ? row.rule : fmt::format("{} [{}]", row.rule, fmt::join(row.variants, ", "));
}

/// The labels, downwards, each ending in the last line.
std::string heading(const std::vector<std::string>& labels, std::size_t indent) {
  std::size_t height = 0;
  for (const auto& label : labels) height = std::max(height, label.size());
  std::string text;
  for (std::size_t line = 0; line < height; ++line) {
    std::string row(indent, ' ');
    for (const auto& label : labels) {
      const auto above = height - label.size();
      row += ' ';
      row += line < above ? ' ' : label[line - above];
    }
    text += row.substr(0, row.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

}  // namespace

bool MergedRow::is_telling() const {
  std::set<Verdict> said;
  for (const auto& cell : cells) {
    if (cell && fails(*cell)) return true;
    if (says_something(cell)) said.insert(*cell);
  }
  return said.size() > 1;
}

MergedTable merge(const std::vector<RecordedRun>& runs) {
  MergedTable table;
  for (const auto& run : runs) table.kernels.push_back(run.label);
  for (const auto& rule : cells_by_rule(runs)) std::ranges::move(rows_of(rule), std::back_inserter(table.rows));
  return table;
}

std::string render(const MergedTable& table, const TableStyle& style) {
  std::vector<const MergedRow*> shown;
  std::size_t widest = 0;
  for (const auto& row : table.rows) {
    if (!style.all_rows && !row.is_telling()) continue;
    shown.push_back(&row);
    widest = std::max(widest, name_of(row).size());
  }
  const auto alike = table.rows.size() - shown.size();
  if (shown.empty()) return fmt::format("all kernels treat all {} rules alike\n", alike);
  std::string text = heading(table.kernels, widest);
  std::set<Verdict> used;
  for (const auto* const row : shown) {
    text += fmt::format("{:<{}}", name_of(*row), widest);
    std::string blanks;
    for (const auto& cell : row->cells) {
      if (!cell) {
        blanks += "  ";
        continue;
      }
      used.insert(*cell);
      text += blanks + " " + painted(sign_of(*cell), *cell, style.color);
      blanks.clear();
    }
    text += "\n";
  }
  std::vector<std::string> legend;
  for (const auto& [verdict, sign] : kSigns) {
    if (used.contains(verdict)) legend.push_back(fmt::format("{} {}", sign, devmap::name_of(verdict)));
  }
  text += fmt::format("\n{}\n", fmt::join(legend, "  "));
  if (alike != 0)
    text += fmt::format("and {} more, which all kernels that could check them treat alike (--all-rows)\n", alike);
  return text;
}

std::string render_failures(const std::vector<RecordedRun>& runs) {
  using What = std::tuple<std::string, Verdict, std::string, std::string, std::string>;
  struct Where {
    std::vector<std::string> variants;
    std::vector<std::string> kernels;
  };
  const auto add = [](std::vector<std::string>& names, const std::string& name) {
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  };
  std::map<What, Where> failures;
  for (const auto& run : runs) {
    for (const auto& result : run.results) {
      if (!fails(result.verdict)) continue;
      auto& where = failures[{result.rule, result.verdict, result.expected, result.observed, result.reason}];
      add(where.variants, result.variant);
      add(where.kernels, run.label);
    }
  }
  std::string text;
  for (const auto& [what, where] : failures) {
    const auto& [rule, verdict, expected, observed, reason] = what;
    text += fmt::format("{} {} [{}] on {}\n", devmap::name_of(verdict), rule, fmt::join(where.variants, ", "),
                        fmt::join(where.kernels, ", "));
    if (!expected.empty()) text += fmt::format("  expected: {}\n", expected);
    if (!observed.empty()) text += fmt::format("  observed: {}\n", observed);
    if (!reason.empty()) text += fmt::format("  because: {}\n", reason);
  }
  return text;
}

}  // namespace devmap::vm
