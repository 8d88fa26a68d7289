#include <harness/spec/registry.hpp>

#include <fmt/format.h>
#include <algorithm>
#include <harness/base/edit_distance.hpp>
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

void Registry::add(Rule rule) {
  const bool has_slug = rule.id.size() > rule.chapter().size() + 1;
  if (chapters_.empty() || rule.chapter() != chapters_.back().name || !has_slug) {
    faults_.push_back(fmt::format("rule {} is outside its chapter", rule.id));
  }
  if (find(rule.id) != nullptr) faults_.push_back(fmt::format("rule {} is there twice", rule.id));
  if (rule.states.empty() || rule.source.empty() || !rule.check) {
    faults_.push_back(fmt::format("rule {} lacks a statement, a source or a check", rule.id));
  }
  rules_.push_back(std::move(rule));
}

const Rule* Registry::find(std::string_view id) const {
  const auto found = std::ranges::find(rules_, id, &Rule::id);
  return found == rules_.end() ? nullptr : &*found;
}

std::vector<Check> Registry::checks() const {
  std::vector<Check> checks;
  for (const auto& rule : rules_) {
    for (const auto& variant : rule.variants.all()) checks.push_back({&rule, variant});
  }
  return checks;
}

std::vector<std::string> Registry::nearest(std::string_view text, std::size_t count) const {
  std::vector<std::tuple<std::size_t, std::size_t>> ranked;  // distance, place
  ranked.reserve(rules_.size());
  for (const auto& rule : rules_) {
    // A part of an id is likelier meant than a whole one of the same length.
    const bool part = !text.empty() && rule.id.find(text) != std::string::npos;
    ranked.emplace_back(part ? 0 : edit_distance(text, rule.id), ranked.size());
  }
  std::ranges::sort(ranked);
  std::vector<std::string> ids;
  ids.reserve(count);
  for (const auto& [distance, place] : ranked) {
    if (ids.size() == count) break;
    ids.push_back(rules_.at(place).id);
  }
  return ids;
}

}  // namespace devmap
