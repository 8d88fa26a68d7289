#pragma once

#include <reports/gather.hpp>
#include <reports/specification.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

// Records of runs that never took place, and a specification for them.
namespace devmap::reports::testing_support {

/// Two chapters and five rules, with everything that a rule can say.
[[nodiscard]] Specification sample_specification();

/// A record of one kernel. Each word is RULE/VARIANT=VERDICT.
[[nodiscard]] RunRecord record_of(const std::string& release, const std::vector<std::string_view>& results);

/// Three kernels that differ: one that lacks a change, one with a known deviation and one, real-time and of another
/// machine, with a plain one.
[[nodiscard]] std::vector<Source> sample_sources();

/// As many kernels with as many checks, with evidence as long as that of the suite.
[[nodiscard]] std::vector<Source> many_sources(std::size_t kernels, std::size_t checks);
/// The rules that they are of.
[[nodiscard]] Specification specification_of_many(std::size_t checks);

/// Strings that break what does not escape: HTML, Markdown, quotes, control characters.
inline constexpr std::string_view kHostile = "<script>alert(1)</script>\"'&|`*_\x01\x1b[31m";

}  // namespace devmap::reports::testing_support
