#include <harness/spec/specification.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <algorithm>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

namespace devmap {
namespace {

using nlohmann::ordered_json;

std::vector<std::string> texts(const std::vector<KernelVersion>& versions) {
  std::vector<std::string> texts;
  texts.reserve(versions.size());
  for (const auto& version : versions) texts.push_back(version.text());
  return texts;
}

std::vector<std::string> names_of(const std::vector<int>& errnos) {
  std::vector<std::string> names;
  names.reserve(errnos.size());
  std::ranges::transform(errnos, std::back_inserter(names), errno_name);
  return names;
}

ordered_json version_or_null(const KernelVersion& version) {
  return version == KernelVersion{} ? ordered_json(nullptr) : ordered_json(version.text());
}

ordered_json version_or_null(const std::optional<KernelVersion>& version) {
  return version ? ordered_json(version->text()) : ordered_json(nullptr);
}

ordered_json rule_json(const Rule& rule) {
  ordered_json object = {{"id", rule.id},
                         {"states", rule.states},
                         {"refuses", names_of(rule.refuses)},
                         {"since", version_or_null(rule.since)},
                         {"until", version_or_null(rule.until)},
                         {"backports", texts(rule.backports)},
                         {"until_backports", texts(rule.until_backports)},
                         {"source", rule.source},
                         {"commits", rule.commits},
                         {"file", rule.file}};
  for (const char* list : {"needs", "variants", "documentation", "known"}) object[list] = ordered_json::array();
  for (const auto& need : rule.needs) object["needs"].push_back(need.name);
  for (const auto& variant : rule.variants.all()) object["variants"].push_back(variant.name());
  object["catalogue"] = rule.catalogue;
  for (const auto& entry : rule.documentation) {
    object["documentation"].push_back(
        {{"where", entry.where}, {"statement", entry.statement}, {"agrees", entry.agrees}});
  }
  for (const auto& issue : rule.known) {
    object["known"].push_back({{"reason", issue.reason},
                               {"link", issue.link},
                               {"since", version_or_null(issue.since)},
                               {"until", version_or_null(issue.until)}});
  }
  object["danger"] = rule.danger.empty() ? ordered_json(nullptr) : ordered_json(rule.danger);
  return object;
}

/// A text in lines for people, with a margin.
std::string wrapped(std::string_view text, std::size_t margin) {
  constexpr std::size_t kColumns = 100;
  std::string lines;
  std::string line;
  while (!text.empty()) {
    const auto word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    if (!line.empty() && margin + line.size() + 1 + word.size() > kColumns) {
      lines += fmt::format("{:{}}{}\n", "", margin, std::exchange(line, {}));
    }
    line += (line.empty() ? "" : " ") + std::string(word);
  }
  return lines + fmt::format("{:{}}{}\n", "", margin, line);
}

/// Rules in their order, under their chapters.
std::string by_chapter(const Registry& registry, const std::vector<const Rule*>& rules) {
  std::string text;
  for (const auto& chapter : registry.chapters()) {
    bool first = true;
    for (const auto* rule : rules) {
      if (rule->chapter() != chapter.name) continue;
      if (std::exchange(first, false)) text += fmt::format("\n{}: {}\n", chapter.name, chapter.title);
      const bool always = rule->since == KernelVersion{} && !rule->until && rule->until_backports.empty();
      text += fmt::format("  {}\n{}      in {}{}\n", rule->id, wrapped(rule->states, 6), rule->source.front(),
                          always ? "" : ", " + versions_in_words(*rule));
    }
  }
  return text;
}

std::string joined_variants(const Rule& rule) {
  std::vector<std::string> names;
  for (const auto& variant : rule.variants.all()) names.push_back(variant.name());
  return fmt::format("{}", fmt::join(names, ", "));
}

/// The facts about a rule, each with its heading; what there is nothing to say of is left out.
std::vector<std::pair<std::string, std::string>> facts(const Rule& rule) {
  std::vector<std::pair<std::string, std::string>> facts;
  const auto add = [&facts](const char* heading, std::string text) {
    if (!text.empty()) facts.emplace_back(heading, std::move(text));
  };
  add("ends in", fmt::format("{}", fmt::join(names_of(rule.refuses), ", ")));
  add("true", versions_in_words(rule));
  add("source", fmt::format("{}", fmt::join(rule.source, "; ")));
  add("checked by", rule.file);
  add("commits", fmt::format("{}", fmt::join(rule.commits, ", ")));
  add("checked in", joined_variants(rule));
  for (const auto& need : rule.needs) add("needs", need.name);
  add("dangerous", rule.danger);
  for (const auto& issue : rule.known) {
    add("known issue", issue.link.empty() ? issue.reason : issue.reason + " (" + issue.link + ")");
  }
  for (const auto& entry : rule.documentation) {
    add(entry.agrees ? "documented" : "documented wrongly", fmt::format("{}: \"{}\"", entry.where, entry.statement));
  }
  add("catalogue", fmt::format("{}", fmt::join(rule.catalogue, ", ")));
  return facts;
}

}  // namespace

std::string versions_in_words(const Rule& rule) {
  const auto with_backports = [](std::string text, const std::vector<KernelVersion>& backports) {
    if (backports.empty()) return text;
    return fmt::format("{} (and from {})", text, fmt::join(texts(backports), ", "));
  };
  std::vector<std::string> parts;
  if (rule.since != KernelVersion{}) parts.push_back(with_backports("since " + rule.since.text(), rule.backports));
  if (rule.until) parts.push_back(with_backports("until " + rule.until->text(), rule.until_backports));
  if (!rule.until && !rule.until_backports.empty()) {
    parts.push_back(fmt::format("but not from {}", fmt::join(texts(rule.until_backports), ", ")));
  }
  return parts.empty() ? "as long as the map type exists" : fmt::format("{}", fmt::join(parts, ", "));
}

std::string specification_json(const Registry& registry) {
  ordered_json object = {{"schema_version", kSpecificationSchemaVersion}};
  object["chapters"] = ordered_json::array();
  for (const auto& chapter : registry.chapters()) {
    object["chapters"].push_back({{"name", chapter.name}, {"title", chapter.title}});
  }
  object["rules"] = ordered_json::array();
  for (const auto& rule : registry.rules()) object["rules"].push_back(rule_json(rule));
  return object.dump(2) + "\n";
}

std::string specification_markdown(const Registry& registry) {
  std::string text = fmt::format(
      "# BPF device maps: the specification\n\n{} rules about `BPF_MAP_TYPE_DEVMAP` and `BPF_MAP_TYPE_DEVMAP_HASH`.\n",
      registry.rules().size());
  for (const auto& chapter : registry.chapters()) {
    text += fmt::format("\n## {}: {}\n", chapter.name, chapter.title);
    for (const auto& rule : registry.rules()) {
      if (rule.chapter() != chapter.name) continue;
      text += fmt::format("\n### {}\n\n{}\n\n", rule.id, rule.states);
      for (const auto& [heading, fact] : facts(rule)) text += fmt::format("- {}: {}\n", heading, fact);
    }
  }
  return text;
}

std::string list_rules(const Registry& registry, const std::vector<Check>& checks) {
  std::map<const Rule*, std::size_t> counts;
  std::size_t widest = 0;
  for (const auto& check : checks) {
    ++counts[check.rule];
    widest = std::max(widest, check.rule->id.size());
  }
  std::string text;
  for (const auto& rule : registry.rules()) {
    const auto count = counts.find(&rule);
    if (count == counts.end()) continue;
    text += fmt::format("{:<{}}  {:>2}  {}\n", rule.id, widest, count->second, rule.states);
  }
  return text;
}

std::string explain_errno(const Registry& registry, const std::vector<Check>& checks, int code) {
  std::vector<const Rule*> stating;
  std::vector<const Rule*> meeting;
  const Rule* before = nullptr;
  for (const auto& check : checks) {
    const Rule* rule = std::exchange(before, check.rule);
    if (rule == check.rule || std::ranges::find(check.rule->refuses, code) == check.rule->refuses.end()) continue;
    const auto stated = check.rule->stated_errnos();
    const bool states_it = std::ranges::find(stated, code) != stated.end();
    (states_it ? stating : meeting).push_back(check.rule);
  }
  if (stating.empty() && meeting.empty()) return {};
  std::string text = fmt::format("{}: {}\n", errno_name(code), errno_description(code));
  if (!stating.empty()) {
    const auto count = stating.size() == 1 ? "1 rule names it" : fmt::format("{} rules name it", stating.size());
    text += wrapped(count +
                        ". Those about the same call stand in the order in which the kernel checks: the first that "
                        "applies is the reason. Narrow down with --chapter and --filter.",
                    2);
    text += by_chapter(registry, stating);
  }
  if (!meeting.empty()) {
    text += fmt::format(
        "\nThe {} it too, on the way to something else:\n",
        meeting.size() == 1 ? "check of 1 rule meets" : fmt::format("checks of {} rules meet", meeting.size()));
    for (const auto* rule : meeting) text += fmt::format("  {}\n{}", rule->id, wrapped(rule->states, 6));
  }
  return text;
}

std::string explain_rule(const Rule& rule) {
  std::string text = fmt::format("{}\n  {}\n\n", rule.id, rule.states);
  for (const auto& [heading, fact] : facts(rule)) text += fmt::format("  {:<19} {}\n", heading + ":", fact);
  return text;
}

}  // namespace devmap
