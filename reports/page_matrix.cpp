#include <fmt/format.h>
#include <algorithm>
#include <reports/page.hpp>

namespace devmap::reports {
namespace {

using kainjow::mustache::data;

data heads(const Matrix& matrix) {
  data columns{data::type::list};
  for (std::size_t kernel = 0; kernel < matrix.kernels.size(); ++kernel) {
    const auto& of = matrix.kernels[kernel];
    data column{data::type::object};
    column.set("number", std::to_string(kernel + 1));
    column.set("name", of.short_name());
    column.set("marks", of.marks());
    column.set("has_marks", !of.marks().empty());
    column.set("label", of.label);
    columns << column;
  }
  return columns;
}

/// What is searched besides the sentence and the id: whoever looks for a defect does not know the words of its rules.
std::string also_searched(const SpecifiedRule& rule, const std::vector<Finding>& findings) {
  std::string text = fmt::format("{} {}", fmt::join(rule.source, " "), fmt::join(rule.commits, " "));
  for (const auto& issue : rule.known) text += " " + issue.reason;
  for (const auto& finding : findings) {
    if (finding.is_about(rule.id)) text += " " + finding.title + " " + finding.summary;
  }
  return text;
}

std::string links_to_findings(const SpecifiedRule& rule, const std::vector<Finding>& findings) {
  std::string links;
  for (const auto& finding : findings) {
    if (!finding.is_about(rule.id)) continue;
    links += fmt::format(" <a class=why href=\"findings/{}.html\" title=\"{}\">finding</a>", escaped(finding.name),
                         escaped(finding.title));
  }
  return links;
}

/// Rows as text: there are tens of thousands of cells.
std::string rows_of(const ChapterRows& chapter, const std::vector<Finding>& findings) {
  std::string text;
  for (const auto& row : chapter.rows) {
    text += fmt::format(
        "<tr id={0}{1} data-t=\"{2}\"><th scope=row><a href=\"rules/{0}.html\">{3}</a><br>"
        "<a class=id href=#{0}>{0}</a>{4}",
        row.rule.id, row.differs ? " data-d" : "", escaped(also_searched(row.rule, findings)), escaped(row.rule.states),
        links_to_findings(row.rule, findings));
    for (const auto& cell : row.cells) text += table_cell(cell);
    text += "\n";
  }
  return text;
}

/// How many rules of a chapter each kernel does not keep.
std::string not_kept(const ChapterRows& chapter, std::size_t kernels) {
  std::string text;
  for (std::size_t kernel = 0; kernel < kernels; ++kernel) {
    std::size_t count = 0;
    for (const auto& [verdict, rules] : counts_of(chapter.rows, kernel)) {
      if (not_as_stated(verdict)) count += rules;
    }
    text += count == 0 ? "<td>" : fmt::format("<td>{}", count);
  }
  return text;
}

data chapters(const SiteInput& input) {
  const auto& matrix = *input.matrix;
  data list{data::type::list};
  for (const auto& chapter : matrix.chapters) {
    data entry{data::type::object};
    entry.set("name", chapter.chapter.name);
    entry.set("title", chapter.chapter.title);
    entry.set("count", std::to_string(chapter.rows.size()));
    entry.set("not_kept", not_kept(chapter, matrix.kernels.size()));
    entry.set("rows", rows_of(chapter, *input.findings));
    list << entry;
  }
  return list;
}

data findings(const SiteInput& input) {
  data list{data::type::list};
  for (const auto& finding : *input.findings) {
    data entry{data::type::object};
    entry.set("name", finding.name);
    entry.set("title", finding.title);
    entry.set("summary", finding.summary);
    std::vector<std::size_t> affected;
    for (std::size_t kernel = 0; kernel < input.matrix->kernels.size(); ++kernel) {
      if (finding.on(*input.matrix, kernel).value_or(false)) affected.push_back(kernel);
    }
    entry.set("affected", kernels_in_words(*input.matrix, affected));
    entry.set("any", !affected.empty());
    entry.set("none", affected.empty());
    entry.set("race", finding.race);
    list << entry;
  }
  return list;
}

}  // namespace

Page matrix_page(const SiteInput& input) {
  auto page = page_template("matrix");
  data content{data::type::object};
  content.set("rules", std::to_string(input.matrix->rules()));
  content.set("kernels", std::to_string(input.matrix->kernels.size()));
  content.set("one_kernel", input.matrix->kernels.size() == 1);
  content.set("legend", legend());
  content.set("heads", heads(*input.matrix));
  content.set("chapters", chapters(input));
  content.set("findings", findings(input));
  content.set("has_findings", !input.findings->empty());
  return {"index.html", in_layout("Device maps: rules by kernels", "", "index.html", page.render(content))};
}

}  // namespace devmap::reports
