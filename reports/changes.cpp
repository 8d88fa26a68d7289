#include <reports/changes.hpp>

#include <fmt/format.h>
#include <algorithm>
#include <map>
#include <set>

namespace devmap::reports {
namespace {

using ByVariant = std::map<std::string, Verdict>;

ByVariant by_variant(const Cell& cell) {
  ByVariant verdicts;
  for (const Result* result : cell.results) {
    auto& verdict = verdicts.try_emplace(result->variant, result->verdict).first->second;
    verdict = std::max(verdict, result->verdict);
  }
  return verdicts;
}

std::optional<Verdict> verdict_in(const ByVariant& verdicts, const std::string& variant) {
  const auto found = verdicts.find(variant);
  return found == verdicts.end() ? std::nullopt : std::optional(found->second);
}

std::string word(const std::optional<Verdict>& verdict) {
  return verdict ? std::string(name_of(*verdict)) : "not run";
}

}  // namespace

bool Change::of_the_kernel() const {
  return before && after && *before != Verdict::unmet && *after != Verdict::unmet;
}

std::vector<Change> changes_between(const Matrix& matrix, std::size_t before, std::size_t after) {
  std::vector<Change> changes;
  for (const auto& chapter : matrix.chapters) {
    for (const auto& row : chapter.rows) {
      const auto old_verdicts = by_variant(row.cells[before]);
      const auto new_verdicts = by_variant(row.cells[after]);
      std::set<std::string> variants;
      for (const auto& [variant, verdict] : old_verdicts) variants.insert(variant);
      for (const auto& [variant, verdict] : new_verdicts) variants.insert(variant);
      const std::size_t first_of_row = changes.size();
      for (const auto& variant : variants) {
        const auto was = verdict_in(old_verdicts, variant);
        const auto is = verdict_in(new_verdicts, variant);
        if (was == is) continue;
        const auto begin = changes.begin() + static_cast<std::ptrdiff_t>(first_of_row);
        auto same = std::find_if(begin, changes.end(),
                                 [&](const Change& change) { return change.before == was && change.after == is; });
        if (same == changes.end()) same = changes.insert(changes.end(), {&row, was, is, {}});
        same->variants.push_back(variant);
      }
    }
  }
  return changes;
}

std::string render_changes(const Matrix& matrix, std::size_t before, std::size_t after) {
  const auto changes = changes_between(matrix, before, after);
  const auto label = [&](std::size_t kernel) {
    return fmt::format("{}, {}", matrix.kernels[kernel].name(), matrix.sources[kernel]->file);
  };
  std::string text = fmt::format("- {}\n+ {}\n", label(before), label(after));
  std::set<const Row*> rules;
  std::size_t one_sided = 0;
  for (const auto& change : changes) {
    if (!change.of_the_kernel()) {
      one_sided += change.variants.size();
      continue;
    }
    if (rules.insert(change.row).second) {
      text += fmt::format("\n{}\n  {}\n", change.row->rule.id, change.row->rule.states);
    }
    text +=
        fmt::format("    {} -> {} [{}]\n", word(change.before), word(change.after), fmt::join(change.variants, ", "));
  }
  text += rules.empty() ? "\nno rule differs\n"
                        : fmt::format("\n{} rule{}\n", rules.size(), rules.size() == 1 ? " differs" : "s differ");
  if (one_sided != 0) {
    text +=
        fmt::format("{} check{} could be carried out on one of the two alone\n", one_sided, one_sided == 1 ? "" : "s");
  }
  return text;
}

}  // namespace devmap::reports
