#include <reports/specification.hpp>

#include <fmt/format.h>
#include <algorithm>
#include <harness/base/file.hpp>
#include <harness/record/read.hpp>
#include <nlohmann/json.hpp>

namespace devmap::reports {
namespace {

using nlohmann::json;

constexpr int kSchemaVersion = 1;

std::string text_or_empty(const json& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() || found->is_null() ? std::string() : found->get<std::string>();
}

SpecifiedRule rule_of(const json& object) {
  const auto texts = [&](const char* name) { return object.at(name).get<std::vector<std::string>>(); };
  SpecifiedRule rule{.id = object.at("id").get<std::string>(),
                     .states = object.at("states").get<std::string>(),
                     .refuses = texts("refuses"),
                     .since = text_or_empty(object, "since"),
                     .until = text_or_empty(object, "until"),
                     .backports = texts("backports"),
                     .until_backports = texts("until_backports"),
                     .source = texts("source"),
                     .commits = texts("commits"),
                     .file = text_or_empty(object, "file"),
                     .needs = texts("needs"),
                     .variants = texts("variants"),
                     .documentation = {},
                     .known = {},
                     .danger = text_or_empty(object, "danger")};
  for (const auto& entry : object.at("documentation")) {
    rule.documentation.push_back({entry.at("where").get<std::string>(), entry.at("statement").get<std::string>(),
                                  entry.at("agrees").get<bool>()});
  }
  for (const auto& issue : object.at("known")) {
    rule.known.push_back({issue.at("reason").get<std::string>(), text_or_empty(issue, "link"),
                          text_or_empty(issue, "since"), text_or_empty(issue, "until")});
  }
  return rule;
}

std::string with_backports(std::string text, const std::vector<std::string>& backports) {
  if (backports.empty()) return text;
  return fmt::format("{} (and from {})", text, fmt::join(backports, ", "));
}

}  // namespace

std::string SpecifiedRule::versions_in_words() const {
  std::vector<std::string> parts;
  if (!since.empty()) parts.push_back(with_backports("since " + since, backports));
  if (!until.empty()) parts.push_back(with_backports("until " + until, until_backports));
  if (until.empty() && !until_backports.empty()) {
    parts.push_back(fmt::format("but not from {}", fmt::join(until_backports, ", ")));
  }
  return parts.empty() ? "as long as the map type exists" : fmt::format("{}", fmt::join(parts, ", "));
}

Expected<Specification> Specification::parse(std::string_view text) {
  constexpr const char* kCall = "read specification";
  const auto document = json::parse(text, nullptr, false);
  if (document.is_discarded()) return failure(kCall, 0, "no JSON, or cut off");
  if (!document.is_object() || !document.contains("rules") || !document.contains("chapters")) {
    return failure(kCall, 0, "this is JSON, but not what `devmap-conformance --spec json` writes");
  }
  Specification specification;
  try {
    if (const auto version = document.at("schema_version").get<int>(); version != kSchemaVersion) {
      return failure(
          kCall, 0,
          fmt::format("it has schema version {}, and this program reads version {}", version, kSchemaVersion));
    }
    for (const auto& chapter : document.at("chapters")) {
      specification.chapters.push_back({chapter.at("name").get<std::string>(), chapter.at("title").get<std::string>()});
    }
    for (const auto& rule : document.at("rules")) specification.rules.push_back(rule_of(rule));
  } catch (const json::exception& fault) {
    const std::string what = fault.what();
    return failure(kCall, 0, fmt::format("rule {}: {}", specification.rules.size(), what.substr(what.find("] ") + 2)));
  }
  for (const auto& rule : specification.rules) {
    if (!is_rule_id(rule.id)) return failure(kCall, 0, fmt::format("{:?} is no id of a rule", rule.id));
  }
  return specification;
}

Expected<Specification> Specification::read(const std::string& file) {
  const auto text = read_file(file);
  if (!text) return std::unexpected(text.error());
  auto specification = parse(*text);
  if (!specification) specification.error().context = file + ": " + specification.error().context;
  return specification;
}

const SpecifiedRule* Specification::find(std::string_view id) const {
  const auto found = std::ranges::find(rules, id, &SpecifiedRule::id);
  return found == rules.end() ? nullptr : &*found;
}

}  // namespace devmap::reports
