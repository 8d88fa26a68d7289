#include <reports/findings.hpp>

#include <cmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <harness/base/file.hpp>
#include <harness/record/read.hpp>
#include <memory>
#include <reports/embedded.hpp>
#include <sstream>

namespace devmap::reports {
namespace {

using Node = std::unique_ptr<cmark_node, decltype(&cmark_node_free)>;

/// The words of the comment "<!-- what: words -->".
std::vector<std::string> words_of(const std::string& markdown, const std::string& what) {
  const auto mark = "<!-- " + what + ":";
  const auto begin = markdown.find(mark);
  if (begin == std::string::npos) return {};
  const auto end = markdown.find("-->", begin);
  std::string list = markdown.substr(begin + mark.size(), end == std::string::npos ? end : end - begin - mark.size());
  std::ranges::replace(list, ',', ' ');
  std::istringstream words(list);
  std::vector<std::string> list_of_words;
  for (std::string word; words >> word;) list_of_words.push_back(word);
  return list_of_words;
}

/// The text below a node without its marks.
std::string plain_text(cmark_node* node) {
  std::string text;
  const std::unique_ptr<cmark_iter, decltype(&cmark_iter_free)> iter(cmark_iter_new(node), cmark_iter_free);
  for (auto event = cmark_iter_next(iter.get()); event != CMARK_EVENT_DONE; event = cmark_iter_next(iter.get())) {
    if (event != CMARK_EVENT_ENTER) continue;
    cmark_node* const at = cmark_iter_get_node(iter.get());
    const auto type = cmark_node_get_type(at);
    if (type == CMARK_NODE_TEXT || type == CMARK_NODE_CODE) text += cmark_node_get_literal(at);
    if (type == CMARK_NODE_SOFTBREAK || type == CMARK_NODE_LINEBREAK) text += ' ';
  }
  return text;
}

void by_rank(std::vector<Finding>& findings) {
  std::ranges::stable_sort(findings, {}, &Finding::rank);
}

}  // namespace

Expected<Finding> Finding::parse(std::string name, const std::string& markdown) {
  Finding finding{.name = std::move(name),
                  .title = {},
                  .summary = {},
                  .broken = words_of(markdown, "broken"),
                  .shown = words_of(markdown, "shown"),
                  .race = markdown.find("<!-- race -->") != std::string::npos,
                  .from = {},
                  .rank = 0,
                  .html = {}};
  if (const auto from = words_of(markdown, "from"); !from.empty()) {
    finding.from = KernelVersion::parse(from.front()).value_or(KernelVersion{});
  }
  if (const auto rank = words_of(markdown, "rank"); !rank.empty()) finding.rank = std::atoi(rank.front().c_str());
  const Node document(cmark_parse_document(markdown.data(), markdown.size(), CMARK_OPT_DEFAULT), cmark_node_free);
  for (cmark_node* node = cmark_node_first_child(document.get()); node != nullptr; node = cmark_node_next(node)) {
    const auto type = cmark_node_get_type(node);
    if (type == CMARK_NODE_HEADING && finding.title.empty()) {
      finding.title = plain_text(node);
    } else if (type == CMARK_NODE_PARAGRAPH && finding.summary.empty()) {
      finding.summary = plain_text(node);
    }
  }
  if (finding.title.empty() || finding.summary.empty()) {
    return failure("read finding", 0, "needs a heading and a first paragraph");
  }
  for (const auto* list : {&finding.broken, &finding.shown}) {
    for (const auto& id : *list) {
      if (!is_rule_id(id)) return failure("read finding", 0, fmt::format("'{}' is no id of a rule", id));
    }
  }
  cmark_node* const heading = cmark_node_first_child(document.get());
  if (cmark_node_get_type(heading) == CMARK_NODE_HEADING) {
    cmark_node_unlink(heading);
    cmark_node_free(heading);
  }
  // Without CMARK_OPT_UNSAFE, HTML in the text is left out.
  const std::unique_ptr<char, decltype(&std::free)> html(cmark_render_html(document.get(), CMARK_OPT_DEFAULT),
                                                         std::free);
  finding.html = html.get();
  return finding;
}

bool Finding::is_about(std::string_view rule) const {
  return std::ranges::find(broken, rule) != broken.end() || std::ranges::find(shown, rule) != shown.end();
}

std::optional<bool> Finding::on(const Matrix& matrix, std::size_t kernel) const {
  const auto& version = matrix.kernels[kernel].version;
  if (version != KernelVersion{} && version < from) return false;
  std::optional<bool> has_it;
  const auto look_at = [&](const std::vector<std::string>& ids, bool stated_means_has_it) {
    for (const auto& id : ids) {
      const Row* row = matrix.find(id);
      if (row == nullptr) continue;
      const auto stated = as_stated(row->cells[kernel]);
      if (stated) has_it = has_it.value_or(false) || *stated == stated_means_has_it;
    }
  };
  look_at(broken, false);
  look_at(shown, true);
  return race && has_it == false ? std::nullopt : has_it;
}

Expected<std::vector<Finding>> built_in_findings() {
  // Each is a line with its name and its text up to a form feed (reports/CMakeLists.txt).
  std::istringstream all{std::string(embedded_findings())};
  std::vector<Finding> findings;
  for (std::string name, text; std::getline(all, name) && std::getline(all, text, '\f');) {
    auto finding = Finding::parse(name, text);
    if (!finding) {
      finding.error().context = name + ": " + finding.error().context;
      return std::unexpected(finding.error());
    }
    findings.push_back(std::move(*finding));
  }
  by_rank(findings);
  return findings;
}

Expected<std::vector<Finding>> read_findings(const std::string& directory) {
  std::vector<std::filesystem::path> files;
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(directory, failed)) {
    if (entry.path().extension() == ".md") files.push_back(entry.path());
  }
  if (failed) return failure("read findings", failed.value(), directory);
  std::ranges::sort(files);
  std::vector<Finding> findings;
  for (const auto& file : files) {
    const auto text = read_file(file);
    if (!text) return std::unexpected(text.error());
    auto finding = Finding::parse(file.stem(), *text);
    if (!finding) {
      finding.error().context = file.string() + ": " + finding.error().context;
      return std::unexpected(finding.error());
    }
    findings.push_back(std::move(*finding));
  }
  by_rank(findings);
  return findings;
}

}  // namespace devmap::reports
