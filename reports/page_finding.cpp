#include <fmt/format.h>
#include <reports/page.hpp>

namespace devmap::reports {
namespace {

using kainjow::mustache::data;

data rules(const std::vector<std::string>& ids, const Matrix& matrix) {
  data list{data::type::list};
  for (const auto& id : ids) {
    const Row* row = matrix.find(id);
    if (row == nullptr) continue;
    data entry{data::type::object};
    entry.set("id", id);
    entry.set("states", row->rule.states);
    std::string cells;
    for (const auto& cell : row->cells) cells += table_cell(cell);
    entry.set("cells", cells);
    list << entry;
  }
  return list;
}

}  // namespace

std::vector<Page> finding_pages(const SiteInput& input) {
  auto page = page_template("finding");
  std::vector<Page> pages;
  for (const auto& finding : *input.findings) {
    data content{data::type::object};
    content.set("title", finding.title);
    content.set("html", finding.html);
    std::vector<std::size_t> affected;
    std::vector<std::size_t> unaffected;
    std::vector<std::size_t> unknown;
    data kernels{data::type::list};
    for (std::size_t kernel = 0; kernel < input.matrix->kernels.size(); ++kernel) {
      const auto on = finding.on(*input.matrix, kernel);
      (!on ? unknown : (*on ? affected : unaffected)).push_back(kernel);
      data entry{data::type::object};
      entry.set("name", input.matrix->kernels[kernel].name());
      kernels << entry;
    }
    content.set("kernels", kernels);
    const auto set = [&](const char* name, const std::vector<std::size_t>& those) {
      content.set(name, kernels_in_words(*input.matrix, those));
      content.set(fmt::format("any_{}", name), !those.empty());
    };
    set("affected", affected);
    set("unaffected", unaffected);
    set("unknown", unknown);
    content.set("race", finding.race);
    content.set("broken", rules(finding.broken, *input.matrix));
    content.set("shown", rules(finding.shown, *input.matrix));
    pages.emplace_back("findings/" + finding.name + ".html", in_layout(finding.title, "../", "", page.render(content)));
  }
  return pages;
}

}  // namespace devmap::reports
