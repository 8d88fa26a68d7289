#include <fmt/format.h>
#include <algorithm>
#include <map>
#include <reports/compact.hpp>
#include <reports/page.hpp>
#include <set>
#include <unordered_map>

namespace devmap::reports {
namespace {

using kainjow::mustache::data;

/// Of one result; lines that were not as expected are worth more.
constexpr std::size_t kMostLines = 60;
constexpr std::size_t kMostWrongLines = 300;
constexpr std::size_t kMostLineBytes = 2000;

/// "kernel/bpf/devmap.c:dev_map_enqueue" with where to read it.
data sources(const SpecifiedRule& rule) {
  data list{data::type::list};
  for (const auto& source : rule.source) {
    const auto colon = source.find(':');
    data entry{data::type::object};
    entry.set("text", source);
    entry.set("file", source.substr(0, colon));
    list << entry;
  }
  return list;
}

std::string shortened(const std::string& text) {
  if (text.size() <= kMostLineBytes) return text;
  std::size_t end = kMostLineBytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end) + " [...]";
}

data evidence_of(const Result& result) {
  data lines{data::type::list};
  std::size_t shown = 0;
  for (const auto& evidence : result.evidence) {
    if (shown >= (evidence.as_expected ? kMostLines : kMostWrongLines)) continue;
    ++shown;
    data line{data::type::object};
    const bool is_judged = judged(evidence.role);
    line.set("did", shortened(evidence.did));
    line.set("judged", is_judged);
    line.set("control", evidence.role == Role::control);
    line.set("observed", shortened(evidence.observed));
    line.set("expected", shortened(evidence.expected));
    line.set("wrong", is_judged && !evidence.as_expected);
    lines << line;
  }
  if (shown < result.evidence.size()) {
    data line{data::type::object};
    line.set("did", fmt::format("{} more lines; the record has them all", result.evidence.size() - shown));
    lines << line;
  }
  return lines;
}

/// What two results must have in common to be told once.
std::string told_as(const Result& result) {
  std::string key = fmt::format("{}\x1f{}\x1f{}", letter_of(result.verdict), result.reason, result.advice);
  for (const auto& evidence : result.evidence) {
    if (evidence.role == Role::rate) continue;
    key += fmt::format("\x1f{}{}\x1e{}\x1e{}\x1e{}", static_cast<int>(evidence.role), evidence.as_expected,
                       evidence.did, evidence.expected, evidence.observed);
  }
  return key;
}

/// Results that were told in the same words, and where they are from.
struct Telling {
  const Result* result = nullptr;
  /// Kernels by number, with their variants.
  std::map<std::size_t, std::set<std::string>> where;
};

std::vector<Telling> tellings_of(const Row& row) {
  std::vector<Telling> tellings;
  std::unordered_map<std::string, std::size_t> known;
  for (std::size_t kernel = 0; kernel < row.cells.size(); ++kernel) {
    for (const Result* result : row.cells[kernel].results) {
      const auto [place, is_new] = known.emplace(told_as(*result), tellings.size());
      if (is_new) tellings.push_back({result, {}});
      tellings[place->second].where[kernel].insert(result->variant);
    }
  }
  // Failures first, then what the kernel does not do, then the rest.
  const auto weight = [](const Telling& telling) {
    if (fails(telling.result->verdict)) return 0;
    if (not_as_stated(telling.result->verdict)) return 1;
    if (telling.result->verdict == Verdict::unmet) return 4;
    return is_compacted(*telling.result) ? 3 : 2;
  };
  std::ranges::stable_sort(tellings, {}, weight);
  return tellings;
}

/// "6.1.192, 7.3.4: devmap/v4, devmap/v8": kernels with the same variants together.
std::string where_in_words(const Telling& telling, const Matrix& matrix) {
  std::vector<std::pair<std::set<std::string>, std::vector<std::size_t>>> groups;
  for (const auto& [kernel, variants] : telling.where) {
    auto group = std::ranges::find(groups, variants, [](const auto& entry) { return entry.first; });
    if (group == groups.end()) group = groups.insert(groups.end(), {variants, {}});
    group->second.push_back(kernel);
  }
  std::vector<std::string> parts;
  for (const auto& [variants, kernels] : groups) {
    const auto where = kernels_in_words(matrix, kernels);
    const bool once = variants == std::set<std::string>{"once"};
    parts.push_back(once ? where : fmt::format("{}: {}", where, fmt::join(variants, ", ")));
  }
  return fmt::format("{}", fmt::join(parts, "; "));
}

data evidence(const Row& row, const Matrix& matrix) {
  data list{data::type::list};
  std::set<Verdict> told;
  for (const auto& telling : tellings_of(row)) {
    const auto& result = *telling.result;
    data entry{data::type::object};
    const char letter = letter_of(result.verdict);
    entry.set("letter", std::string(1, letter));
    entry.set("class", std::string(1, static_cast<char>(letter - 'A' + 'a')));
    entry.set("verdict", std::string(name_of(result.verdict)));
    entry.set("where", where_in_words(telling, matrix));
    // Of many that differ in a number alone, one is enough to begin with.
    entry.set("open", !is_compacted(result) && result.verdict != Verdict::unmet && told.insert(result.verdict).second);
    entry.set("reason", result.reason);
    entry.set("has_reason", !result.reason.empty());
    entry.set("advice", result.advice);
    entry.set("has_advice", !result.advice.empty());
    entry.set("lines", evidence_of(result));
    entry.set("left_out", is_compacted(result));
    list << entry;
  }
  return list;
}

/// Kernels by variants.
void set_verdicts(data& content, const Row& row, const Matrix& matrix) {
  std::vector<std::string> variants = row.rule.variants;
  for (const auto& cell : row.cells) {
    for (const Result* result : cell.results) {
      if (std::ranges::find(variants, result->variant) == variants.end()) variants.push_back(result->variant);
    }
  }
  content.set("variants", texts(variants));
  data rows{data::type::list};
  for (std::size_t kernel = 0; kernel < row.cells.size(); ++kernel) {
    std::string cells;
    for (const auto& variant : variants) {
      Cell one;
      for (const Result* result : row.cells[kernel].results) {
        if (result->variant != variant) continue;
        one.mixed = one.mixed || (one.verdict && *one.verdict != result->verdict);
        one.verdict = std::max(one.verdict.value_or(result->verdict), result->verdict);
      }
      cells += table_cell(one);
    }
    data entry{data::type::object};
    entry.set("number", std::to_string(kernel + 1));
    entry.set("kernel", matrix.kernels[kernel].name());
    entry.set("cells", cells);
    const auto& verdict = row.cells[kernel].verdict;
    entry.set("verdict", verdict ? std::string(name_of(*verdict)) : "not run");
    rows << entry;
  }
  content.set("verdicts", rows);
}

/// On how many kernels it holds, in a sentence with their names.
void set_summary(data& content, const Row& row, const Matrix& matrix) {
  std::vector<std::size_t> holds;
  std::vector<std::size_t> does_not;
  std::vector<std::size_t> unknown;
  for (std::size_t kernel = 0; kernel < row.cells.size(); ++kernel) {
    const auto stated = as_stated(row.cells[kernel]);
    (!stated ? unknown : (*stated ? holds : does_not)).push_back(kernel);
  }
  const auto set = [&](const char* name, const std::vector<std::size_t>& kernels) {
    content.set(name, kernels_in_words(matrix, kernels));
    content.set(fmt::format("any_{}", name), !kernels.empty());
  };
  set("holds", holds);
  set("fails", does_not);
  set("unknown", unknown);
}

data known_issues(const SpecifiedRule& rule) {
  data list{data::type::list};
  for (const auto& issue : rule.known) {
    data entry{data::type::object};
    entry.set("reason", issue.reason);
    entry.set("link", issue.link);
    // A link is one of the web, whatever the specification holds.
    entry.set("has_link", issue.link.starts_with("https://") || issue.link.starts_with("http://"));
    std::string kernels = issue.since.empty() ? "" : "since " + issue.since;
    if (!issue.until.empty()) kernels += (kernels.empty() ? "until " : ", until ") + issue.until;
    entry.set("kernels", kernels);
    entry.set("has_kernels", !kernels.empty());
    list << entry;
  }
  return list;
}

data documentation(const SpecifiedRule& rule) {
  data list{data::type::list};
  for (const auto& said : rule.documentation) {
    data entry{data::type::object};
    entry.set("where", said.where);
    entry.set("statement", said.statement);
    entry.set("wrong", !said.agrees);
    list << entry;
  }
  return list;
}

data findings_about(const std::string& id, const std::vector<Finding>& findings) {
  data list{data::type::list};
  for (const auto& finding : findings) {
    if (!finding.is_about(id)) continue;
    data entry{data::type::object};
    entry.set("name", finding.name);
    entry.set("title", finding.title);
    list << entry;
  }
  return list;
}

void set_neighbour(data& content, const char* name, const Row* row) {
  content.set(fmt::format("has_{}", name), row != nullptr);
  if (row != nullptr) content.set(name, row->rule.id);
}

}  // namespace

std::vector<Page> rule_pages(const SiteInput& input) {
  auto page = page_template("rule");
  std::vector<const Row*> rows;
  for (const auto& chapter : input.matrix->chapters) {
    for (const auto& row : chapter.rows) rows.push_back(&row);
  }
  std::vector<Page> pages;
  pages.reserve(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto& row = *rows[i];
    const auto& rule = row.rule;
    data content{data::type::object};
    content.set("id", rule.id);
    content.set("chapter", rule.chapter());
    content.set("states", rule.states);
    content.set("specified", row.specified);
    content.set("versions", rule.versions_in_words());
    content.set("sources", sources(rule));
    content.set("commits", texts(rule.commits));
    content.set("has_commits", !rule.commits.empty());
    content.set("errnos", fmt::format("{}", fmt::join(rule.refuses, ", ")));
    content.set("has_errnos", !rule.refuses.empty());
    content.set("needs", fmt::format("{}", fmt::join(rule.needs, ", ")));
    content.set("has_needs", !rule.needs.empty());
    content.set("danger", rule.danger);
    content.set("has_danger", !rule.danger.empty());
    content.set("file", rule.file);
    content.set("has_file", !rule.file.empty());
    content.set("source_url", input.source_url);
    content.set("has_source_url", !input.source_url.empty());
    content.set("known", known_issues(rule));
    content.set("has_known", !rule.known.empty());
    content.set("documentation", documentation(rule));
    content.set("has_documentation", !rule.documentation.empty());
    content.set("findings", findings_about(rule.id, *input.findings));
    set_summary(content, row, *input.matrix);
    set_verdicts(content, row, *input.matrix);
    content.set("evidence", evidence(row, *input.matrix));
    set_neighbour(content, "previous", i > 0 ? rows[i - 1] : nullptr);
    set_neighbour(content, "next", i + 1 < rows.size() ? rows[i + 1] : nullptr);
    pages.emplace_back("rules/" + rule.id + ".html", in_layout(rule.id, "../", "", page.render(content)));
  }
  return pages;
}

}  // namespace devmap::reports
