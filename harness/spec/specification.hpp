#pragma once

#include <harness/spec/registry.hpp>

#include <string>

namespace devmap {

inline constexpr int kSpecificationSchemaVersion = 1;

/// The whole specification as data (harness/spec/specification.schema.json).
[[nodiscard]] std::string specification_json(const Registry& registry);
/// The same for people, chapter by chapter.
[[nodiscard]] std::string specification_markdown(const Registry& registry);

/// A line a rule: id, number of checks, statement.
[[nodiscard]] std::string list_rules(const Registry& registry, const std::vector<Check>& checks);
/// All that is known of a rule.
[[nodiscard]] std::string explain_rule(const Rule& rule);
/// The rules of these checks that state this errno, in the order in which the kernel checks, and those whose checks
/// meet it without its being what they state; empty where there is none of either.
[[nodiscard]] std::string explain_errno(const Registry& registry, const std::vector<Check>& checks, int code);
/// "since 5.14 (and from 5.10.99), until 6.17", or "as long as the map type exists".
[[nodiscard]] std::string versions_in_words(const Rule& rule);

}  // namespace devmap
