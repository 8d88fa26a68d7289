#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <reports/page.hpp>

namespace devmap::reports {
namespace {

using kainjow::mustache::data;

bool about_the_kernel(const Cell& cell) {
  return cell.verdict && *cell.verdict != Verdict::unmet;
}

data side(const Cell& cell) {
  data entry{data::type::object};
  entry.set("cell", table_cell(cell));
  entry.set("name", std::string(name_of(*cell.verdict)));
  return entry;
}

data between(const Matrix& matrix, std::size_t before, std::size_t after) {
  data list{data::type::list};
  for (const auto& chapter : matrix.chapters) {
    for (const auto& row : chapter.rows) {
      const auto& was = row.cells[before];
      const auto& is = row.cells[after];
      if (!about_the_kernel(was) || !about_the_kernel(is) || *was.verdict == *is.verdict) continue;
      data entry{data::type::object};
      entry.set("id", row.rule.id);
      entry.set("states", row.rule.states);
      entry.set("was", side(was));
      entry.set("is", side(is));
      list << entry;
    }
  }
  return list;
}

/// Rules and letters, for pairs that a reader chooses.
std::string chosen_from(const Matrix& matrix) {
  nlohmann::ordered_json document;
  for (const auto& kernel : matrix.kernels) document["kernels"].push_back(kernel.name());
  document["rules"] = nlohmann::ordered_json::array();
  for (const auto& chapter : matrix.chapters) {
    for (const auto& row : chapter.rows) {
      if (!row.differs) continue;
      std::string letters;
      for (const auto& cell : row.cells) letters += cell.verdict ? letter_of(*cell.verdict) : '.';
      document["rules"].push_back({row.rule.id, row.rule.states, letters});
    }
  }
  return json_in_html(document);
}

}  // namespace

Page changes_page(const SiteInput& input) {
  const auto& matrix = *input.matrix;
  data steps{data::type::list};
  // From each kernel to the next of its kind: a real-time kernel is compared with the real-time kernel before it.
  for (std::size_t after = 0; after < matrix.kernels.size(); ++after) {
    for (std::size_t before = after; before-- > 0;) {
      if (matrix.kernels[before].kind() != matrix.kernels[after].kind()) continue;
      data step{data::type::object};
      const auto changes = between(matrix, before, after);
      step.set("before", matrix.kernels[before].name());
      step.set("after", matrix.kernels[after].name());
      step.set("from", std::to_string(before + 1));
      step.set("to", std::to_string(after + 1));
      step.set("none", changes.is_empty_list());
      step.set("any", changes.is_non_empty_list());
      step.set("changes", changes);
      steps << step;
      break;
    }
  }
  auto page = page_template("changes");
  data content{data::type::object};
  content.set("no_steps", steps.is_empty_list());
  content.set("steps", steps);
  content.set("data", chosen_from(matrix));
  content.set("legend", legend());
  return {"changes.html", in_layout("What changed between kernels", "", "changes.html", page.render(content))};
}

}  // namespace devmap::reports
