#include <reports/matrix.hpp>

#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <unordered_map>

namespace devmap::reports {
namespace {

/// What of several verdicts is shown: the worst for the kernel first, and what could not be checked last.
constexpr std::array kByWeight = {Verdict::crash,    Verdict::splat, Verdict::deviates, Verdict::timeout,
                                  Verdict::broken,   Verdict::known, Verdict::absent,   Verdict::backported,
                                  Verdict::conforms, Verdict::unmet};

void judge(Cell& cell) {
  for (const Verdict verdict : kByWeight) {
    const auto is_it = [verdict](const Result* result) { return result->verdict == verdict; };
    if (!cell.verdict && std::ranges::any_of(cell.results, is_it)) cell.verdict = verdict;
  }
  cell.mixed = std::ranges::any_of(cell.results, [&](const Result* result) {
    return result->verdict != *cell.verdict && result->verdict != Verdict::unmet;
  });
}

/// Whether two kernels on which the rule was checked came to different verdicts.
bool differ(const std::vector<Cell>& cells) {
  std::optional<Verdict> first;
  for (const auto& cell : cells) {
    if (!cell.verdict || *cell.verdict == Verdict::unmet) continue;
    if (!first) first = cell.verdict;
    if (*first != *cell.verdict) return true;
  }
  return false;
}

}  // namespace

char letter_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::conforms:
      return 'C';
    case Verdict::backported:
      return 'B';
    case Verdict::absent:
      return 'A';
    case Verdict::known:
      return 'K';
    case Verdict::unmet:
      return 'U';
    case Verdict::deviates:
      return 'D';
    case Verdict::splat:
      return 'S';
    case Verdict::crash:
      return 'X';
    case Verdict::timeout:
      return 'T';
    case Verdict::broken:
      return 'E';
  }
  return '?';
}

const char* meaning_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::conforms:
      return "behaves as stated";
    case Verdict::backported:
      return "behaves as stated, although its version is outside those the rule names";
    case Verdict::absent:
      return "does not behave so; its version is outside those the rule names, so the change is not in it";
    case Verdict::known:
      return "does not behave as stated, and the reason is known";
    case Verdict::unmet:
      return "could not be checked: something that it needs is missing on that machine";
    case Verdict::deviates:
      return "does not behave as stated";
    case Verdict::splat:
      return "the kernel logged a warning during the check";
    case Verdict::crash:
      return "the process of the check died";
    case Verdict::timeout:
      return "the check did not end in time";
    case Verdict::broken:
      return "the set-up failed: the suite is at fault, not the kernel";
  }
  return "";
}

Matrix Matrix::of(const std::vector<Source>& sources, const Specification& specification) {
  Matrix matrix;
  for (const auto& source : sources) {
    matrix.kernels.push_back(Kernel::of(source.record.context));
    matrix.sources.push_back(&source);
  }
  tell_apart(matrix.kernels);
  for (const auto& chapter : specification.chapters) matrix.chapters.push_back({chapter, {}});
  const auto chapter_named = [&](const std::string& name) -> ChapterRows& {
    auto found = std::ranges::find(matrix.chapters, name, [](const ChapterRows& rows) { return rows.chapter.name; });
    if (found == matrix.chapters.end()) {
      found = matrix.chapters.insert(matrix.chapters.end(), ChapterRows{{name, "Not in this specification"}, {}});
    }
    return *found;
  };
  std::unordered_map<std::string, std::pair<std::string, std::size_t>> places;
  const auto add = [&](SpecifiedRule rule, bool specified) {
    auto& rows = chapter_named(rule.chapter()).rows;
    places.emplace(rule.id, std::pair(rule.chapter(), rows.size()));
    rows.push_back({std::move(rule), specified, std::vector<Cell>(sources.size()), false});
  };
  for (const auto& rule : specification.rules) add(rule, true);
  for (std::size_t kernel = 0; kernel < sources.size(); ++kernel) {
    for (const auto& result : sources[kernel].record.results) {
      if (!places.contains(result.rule)) {
        SpecifiedRule unknown;
        unknown.id = result.rule;
        unknown.states = "This rule is not in the specification that the report was made with.";
        add(std::move(unknown), false);
      }
      const auto& [chapter, row] = places.at(result.rule);
      chapter_named(chapter).rows[row].cells[kernel].results.push_back(&result);
    }
  }
  std::erase_if(matrix.chapters, [](const ChapterRows& chapter) { return chapter.rows.empty(); });
  for (auto& chapter : matrix.chapters) {
    for (auto& row : chapter.rows) {
      for (auto& cell : row.cells) judge(cell);
      row.differs = differ(row.cells);
    }
  }
  return matrix;
}

std::size_t Matrix::rules() const {
  std::size_t count = 0;
  for (const auto& chapter : chapters) count += chapter.rows.size();
  return count;
}

const Row* Matrix::find(std::string_view id) const {
  for (const auto& chapter : chapters) {
    const auto found =
        std::ranges::find(chapter.rows, id, [](const Row& row) -> const std::string& { return row.rule.id; });
    if (found != chapter.rows.end()) return &*found;
  }
  return nullptr;
}

std::map<Verdict, std::size_t> counts_of(const std::vector<Row>& rows, std::size_t kernel) {
  std::map<Verdict, std::size_t> counts;
  for (const auto& row : rows) {
    if (row.cells[kernel].verdict) ++counts[*row.cells[kernel].verdict];
  }
  return counts;
}

bool not_as_stated(Verdict verdict) {
  return verdict == Verdict::absent || verdict == Verdict::known || verdict == Verdict::deviates ||
         verdict == Verdict::splat || verdict == Verdict::crash;
}

std::optional<bool> as_stated(const Cell& cell) {
  std::optional<bool> stated;
  for (const Result* result : cell.results) {
    if (not_as_stated(result->verdict)) return false;
    if (result->verdict == Verdict::conforms || result->verdict == Verdict::backported) stated = true;
  }
  return stated;
}

std::string kernels_in_words(const Matrix& matrix, const std::vector<std::size_t>& kernels) {
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < kernels.size();) {
    std::size_t end = i + 1;
    while (end < kernels.size() && kernels[end] == kernels[end - 1] + 1) ++end;
    const auto name = [&](std::size_t at) { return matrix.kernels[kernels[at]].name(); };
    if (end - i < 3) {
      parts.push_back(name(i++));
    } else {
      parts.push_back(fmt::format("{} to {}", name(i), name(end - 1)));
      i = end;
    }
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

}  // namespace devmap::reports
