#pragma once

#include <harness/base/error.hpp>
#include <harness/spec/options.hpp>
#include <harness/spec/registry.hpp>

#include <string>
#include <vector>

namespace devmap {

/// That no rule ends in an errno of this name, with the names that were perhaps meant.
[[nodiscard]] std::string no_rule_ends_in(const Registry& registry, const std::string& name);

/// The checks that the options ask for, in the registry's order. A filter is a glob over "rule", or "rule/variant", or
/// "*/part" of a variant. Fails where a chapter, a filter or a line of a file names nothing, with what is nearest to
/// it.
[[nodiscard]] Expected<std::vector<Check>> select_checks(const Registry& registry, const Options& options);

/// "; did you mean a, b or c?", or nothing where nothing is near.
[[nodiscard]] std::string did_you_mean(const Registry& registry, const std::string& text);

}  // namespace devmap
