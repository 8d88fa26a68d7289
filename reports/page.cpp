#include <reports/page.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include <reports/embedded.hpp>

namespace devmap::reports {

using kainjow::mustache::data;

kainjow::mustache::mustache page_template(std::string_view name) {
  kainjow::mustache::mustache parsed{std::string(embedded_template(name))};
  if (!parsed.is_valid()) throw std::logic_error(fmt::format("template {}: {}", name, parsed.error_message()));
  return parsed;
}

std::string in_layout(const std::string& title, const std::string& root, const std::string& here,
                      const std::string& body) {
  static kainjow::mustache::mustache layout = page_template("layout");
  data page{data::type::object};
  page.set("title", title);
  page.set("root", root);
  page.set("body", body);
  data links{data::type::list};
  const struct {
    const char* file;
    const char* name;
  } kPages[] = {{"index.html", "Matrix"},
                {"changes.html", "Changes"},
                {"documentation.html", "Documentation"},
                {"kernels.html", "Kernels"},
                {"benchmarks.html", "Benchmarks"}};
  for (const auto& entry : kPages) {
    data link{data::type::object};
    link.set("href", root + entry.file);
    link.set("name", entry.name);
    link.set("current", here == entry.file);
    links << link;
  }
  page.set("pages", links);
  return layout.render(page);
}

std::string escaped(const std::string& text) {
  return kainjow::mustache::html_escape(text);
}

std::string json_in_html(const nlohmann::ordered_json& document) {
  const std::string text = document.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace);
  std::string safe;
  safe.reserve(text.size());
  for (const char c : text) safe += c == '<' ? std::string("\\u003c") : std::string(1, c);
  return safe;
}

std::string table_cell(const Cell& cell) {
  if (!cell.verdict) return "<td>";
  const char letter = letter_of(*cell.verdict);
  const char small = static_cast<char>(letter - 'A' + 'a');
  // Closing tags of cells are left out, as HTML allows: there are many of them.
  return cell.mixed ? fmt::format("<td class=\"{} m\">{}", small, letter)
                    : fmt::format("<td class={}>{}", small, letter);
}

data texts(const std::vector<std::string>& lines) {
  data list{data::type::list};
  for (const auto& line : lines) {
    data entry{data::type::object};
    entry.set("text", line);
    list << entry;
  }
  return list;
}

data legend() {
  data verdicts{data::type::list};
  for (const Verdict verdict : kVerdicts) {
    data entry{data::type::object};
    const char letter = letter_of(verdict);
    entry.set("letter", std::string(1, letter));
    entry.set("class", std::string(1, static_cast<char>(letter - 'A' + 'a')));
    entry.set("name", std::string(name_of(verdict)));
    entry.set("meaning", meaning_of(verdict));
    verdicts << entry;
  }
  return verdicts;
}

}  // namespace devmap::reports
