#pragma once

#include <harness/record/format.hpp>

#include <map>
#include <string>

namespace devmap::test {

/// Verdicts by check ("rule/variant"), as the suite names them.
using Verdicts = std::map<std::string, std::string>;

/// The verdicts that a text in one of the formats tells of. The console does not name the checks that conform.
[[nodiscard]] Verdicts verdicts_in(Format format, const std::string& text);

/// Whether a text in one of the formats says that the run was cut short.
[[nodiscard]] bool says_partial(Format format, const std::string& text);

}  // namespace devmap::test
