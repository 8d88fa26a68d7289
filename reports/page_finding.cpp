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
    data kernels{data::type::list};
    for (std::size_t kernel = 0; kernel < input.matrix->kernels.size(); ++kernel) {
      const auto on = finding.on(*input.matrix, kernel);
      data entry{data::type::object};
      entry.set("name", input.matrix->kernels[kernel].name());
      entry.set("class", !on ? "unknown" : (*on ? "has" : "hasnot"));
      entry.set("words", !on ? (finding.race ? "not seen" : "not checked") : (*on ? "affected" : "not affected"));
      kernels << entry;
    }
    content.set("kernels", kernels);
    content.set("broken", rules(finding.broken, *input.matrix));
    content.set("shown", rules(finding.shown, *input.matrix));
    pages.emplace_back("findings/" + finding.name + ".html", in_layout(finding.title, "../", "", page.render(content)));
  }
  return pages;
}

}  // namespace devmap::reports
