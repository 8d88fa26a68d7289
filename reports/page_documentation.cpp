#include <fmt/format.h>
#include <algorithm>
#include <map>
#include <reports/page.hpp>

namespace devmap::reports {
namespace {

using kainjow::mustache::data;

/// The kernels for which something is so, in words.
template <class IsSo>
std::string kernels_where(const Row& row, const Matrix& matrix, IsSo is_so) {
  std::vector<std::size_t> kernels;
  for (std::size_t kernel = 0; kernel < row.cells.size(); ++kernel) {
    if (is_so(row.cells[kernel])) kernels.push_back(kernel);
  }
  if (kernels.size() == matrix.kernels.size() && kernels.size() > 1) return "all of these kernels";
  return kernels_in_words(matrix, kernels);
}

bool keeps(const Cell& cell) {
  return as_stated(cell).value_or(false);
}

/// Whether a kernel does not keep a rule that it should keep: one whose change it does not have is right not to.
bool breaks(const Cell& cell) {
  return std::ranges::any_of(cell.results, [](const Result* result) {
    return result->verdict != Verdict::absent && not_as_stated(result->verdict);
  });
}

}  // namespace

Page documentation_page(const SiteInput& input) {
  struct Said {
    const Row* row;
    const Documented* entry;
    /// Where the kernel does otherwise.
    std::string kernels;
  };
  std::map<std::string, std::vector<Said>> by_place;
  std::size_t right = 0;
  std::size_t wrong = 0;
  for (const auto& chapter : input.matrix->chapters) {
    for (const auto& row : chapter.rows) {
      for (const auto& entry : row.rule.documentation) {
        // A rule may say the same as the documentation, and kernels not keep it.
        auto kernels = kernels_where(row, *input.matrix, entry.agrees ? breaks : keeps);
        if (entry.agrees && kernels.empty()) {
          ++right;
          continue;
        }
        ++wrong;
        if (kernels.empty()) kernels = "none of these kernels";
        by_place[entry.where].push_back({&row, &entry, std::move(kernels)});
      }
    }
  }
  data places{data::type::list};
  for (const auto& [where, all] : by_place) {
    data place{data::type::object};
    place.set("where", where);
    data statements{data::type::list};
    for (const auto& said : all) {
      data statement{data::type::object};
      statement.set("statement", said.entry->statement);
      statement.set("id", said.row->rule.id);
      statement.set("states", said.row->rule.states);
      statement.set("kernels", said.kernels);
      statement.set("broken", said.entry->agrees);
      statements << statement;
    }
    place.set("statements", statements);
    places << place;
  }
  auto page = page_template("documentation");
  data content{data::type::object};
  content.set("places", places);
  content.set("right", std::to_string(right));
  content.set("wrong", std::to_string(wrong));
  content.set("none", wrong == 0);
  return {"documentation.html",
          in_layout("Documentation versus kernel", "", "documentation.html", page.render(content))};
}

}  // namespace devmap::reports
