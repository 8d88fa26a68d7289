#pragma once

#include <harness/base/error.hpp>
#include <harness/spec/registry.hpp>

#include <set>
#include <string>

namespace devmap {

/// The names of checks in a file: RULE/VARIANT, or RULE for all of its variants, a name a line; empty lines and those
/// that begin with '#' are passed over. Fails where the file cannot be read or a name is none of the registry's.
[[nodiscard]] Expected<std::set<std::string>> read_check_names(const std::string& file, const Registry& registry);

/// Whether the set has the check, or its rule.
[[nodiscard]] bool names_check(const std::set<std::string>& names, const Check& check);

}  // namespace devmap
