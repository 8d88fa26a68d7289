#include <harness/spec/registry.hpp>

#include <fmt/format.h>
#include <algorithm>
#include <filesystem>
#include <harness/base/edit_distance.hpp>
#include <harness/base/error.hpp>
#include <iterator>
#include <set>
#include <tuple>
#include <utility>

namespace devmap {

std::string Check::name() const {
  return rule->id + "/" + variant.name();
}

void Registry::chapter(std::string name, std::string title) {
  if (std::ranges::find(chapters_, name, &Chapter::name) != chapters_.end()) {
    faults_.push_back(fmt::format("chapter {} is there twice", name));
  }
  chapters_.push_back({std::move(name), std::move(title)});
}

void Registry::add(Rule rule, std::source_location where) {
  const std::filesystem::path file = where.file_name();
  rule.file = file.parent_path().filename() / file.filename();
  const bool has_slug = rule.id.size() > rule.chapter().size() + 1;
  if (chapters_.empty() || rule.chapter() != chapters_.back().name || !has_slug) {
    faults_.push_back(fmt::format("rule {} is outside its chapter", rule.id));
  }
  if (find(rule.id) != nullptr) faults_.push_back(fmt::format("rule {} is there twice", rule.id));
  if (rule.states.empty() || rule.source.empty() || !rule.check) {
    faults_.push_back(fmt::format("rule {} lacks a statement, a source or a check", rule.id));
  }
  for (const int code : rule.stated_errnos()) {
    if (std::ranges::find(rule.refuses, code) != rule.refuses.end()) continue;
    faults_.push_back(fmt::format("rule {} states {}, which its .refuses does not name", rule.id, errno_name(code)));
  }
  rules_.push_back(std::move(rule));
}

const Rule* Registry::find(std::string_view id) const {
  const auto found = std::ranges::find(rules_, id, &Rule::id);
  return found == rules_.end() ? nullptr : &*found;
}

std::map<std::string, std::string, std::less<>> Registry::statements() const {
  std::map<std::string, std::string, std::less<>> statements;
  for (const auto& rule : rules_) statements.emplace(rule.id, rule.states);
  return statements;
}

std::vector<std::string> Registry::errnos() const {
  std::set<std::string> names;
  for (const auto& rule : rules_) {
    for (const int code : rule.refuses) names.insert(errno_name(code));
  }
  return {names.begin(), names.end()};
}

std::vector<Check> Registry::checks() const {
  std::vector<Check> checks;
  for (const auto& rule : rules_) {
    for (const auto& variant : rule.variants.all()) checks.push_back({&rule, variant});
  }
  return checks;
}

std::vector<std::string> Registry::nearest(std::string_view text, std::size_t count) const {
  std::vector<std::string> ids;
  ids.reserve(rules_.size());
  std::ranges::transform(rules_, std::back_inserter(ids), &Rule::id);
  return nearest_of(ids, text, count);
}

std::vector<std::string> nearest_of(const std::vector<std::string>& names, std::string_view text, std::size_t count) {
  std::vector<std::tuple<std::size_t, std::size_t>> ranked;  // distance, place
  ranked.reserve(names.size());
  for (const auto& name : names) {
    // A part of a name is likelier meant than a whole one of the same length.
    const bool part = !text.empty() && name.find(text) != std::string::npos;
    ranked.emplace_back(part ? 0 : edit_distance(text, name), ranked.size());
  }
  std::ranges::sort(ranked);
  std::vector<std::string> nearest;
  nearest.reserve(std::min(count, names.size()));
  for (const auto& [distance, place] : ranked) {
    if (nearest.size() == count) break;
    nearest.push_back(names.at(place));
  }
  return nearest;
}

}  // namespace devmap
