#pragma once

#include <kainjow/mustache.hpp>
#include <nlohmann/json_fwd.hpp>
#include <reports/benchmarks.hpp>
#include <reports/findings.hpp>
#include <reports/matrix.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace devmap::reports {

/// What all pages are made of.
struct SiteInput {
  const Matrix* matrix = nullptr;
  const std::vector<Finding>* findings = nullptr;
  /// What a reader should know of the records.
  const std::vector<std::string>* notes = nullptr;
  /// Where the suite's source is: a file's name is appended. No links where it is empty.
  std::string source_url = {};
  /// None where it is null.
  const Benchmarks* benchmarks = nullptr;
};

/// A template of ours. Whatever is put into {{a}} is escaped.
[[nodiscard]] kainjow::mustache::mustache page_template(std::string_view name);

/// The whole page round a body. `root` leads to the directory of the site: "" or "../".
[[nodiscard]] std::string in_layout(const std::string& title, const std::string& root, const std::string& here,
                                    const std::string& body);

/// Text with < > & and quotes escaped.
[[nodiscard]] std::string escaped(const std::string& text);

/// JSON that can stand in a script element, whatever is in it.
[[nodiscard]] std::string json_in_html(const nlohmann::ordered_json& document);

/// "<td class=k>K": the cell of a verdict, or an empty one.
[[nodiscard]] std::string table_cell(const Cell& cell);

/// A list whose items have a "text".
[[nodiscard]] kainjow::mustache::data texts(const std::vector<std::string>& lines);

/// The verdicts with letter, name and meaning, for the legend; of `counts` where there are any.
[[nodiscard]] kainjow::mustache::data legend();

// The pages: file name and content.
using Page = std::pair<std::string, std::string>;
[[nodiscard]] Page matrix_page(const SiteInput& input);
[[nodiscard]] Page changes_page(const SiteInput& input);
[[nodiscard]] Page documentation_page(const SiteInput& input);
[[nodiscard]] Page kernels_page(const SiteInput& input);
[[nodiscard]] Page benchmarks_page(const SiteInput& input);
[[nodiscard]] std::vector<Page> rule_pages(const SiteInput& input);
[[nodiscard]] std::vector<Page> finding_pages(const SiteInput& input);

}  // namespace devmap::reports
