#include <vm/version_claims.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <algorithm>
#include <array>
#include <harness/bpf/features.hpp>
#include <harness/record/missing.hpp>
#include <map>

namespace devmap::vm {
namespace {

void add(std::vector<RuleOnKernels>& found, const std::string& rule, const std::string& kernel) {
  auto at = std::ranges::find(found, rule, &RuleOnKernels::rule);
  if (at == found.end()) at = found.insert(at, {.rule = rule, .kernels = {}});
  if (std::ranges::find(at->kernels, kernel) == at->kernels.end()) at->kernels.push_back(kernel);
}

/// What becomes of a rule over all kernels.
struct Checked {
  bool somewhere = false;
  /// Somewhere it was all that was missing; kernels of one architecture are alike in this.
  bool needs_another_architecture = false;
};

bool needs_another_architecture(const RecordedResult& result) {
  static const std::array kReasons = {for_want_of(features::kernel_of_32_bits().name),
                                      for_want_of(features::kernel_of_64_bits().name),
                                      for_want_of(features::x86_64().name)};
  return std::ranges::any_of(kReasons, [&](const std::string& reason) { return result.reason.starts_with(reason); });
}

}  // namespace

VersionClaims VersionClaims::of(const std::vector<RecordedRun>& runs) {
  VersionClaims claims;
  std::vector<std::string> rules;
  std::map<std::string, Checked> checked;
  for (const auto& run : runs) {
    const bool has_number_of_mainline = run.kernel_version().patch == 0;
    for (const auto& result : run.results) {
      const auto [rule, is_new] = checked.try_emplace(result.rule);
      if (is_new) rules.push_back(result.rule);
      // One that fails was begun; it is no rule that cannot be checked.
      if (result.verdict != Verdict::unmet) rule->second.somewhere = true;
      if (needs_another_architecture(result)) rule->second.needs_another_architecture = true;
      if (result.verdict != Verdict::backported) continue;
      add(has_number_of_mainline ? claims.earlier_in_mainline : claims.earlier_in_stable, result.rule, run.label);
    }
  }
  for (const auto& rule : rules) {
    const auto& known = checked.at(rule);
    if (known.somewhere) continue;
    (known.needs_another_architecture ? claims.of_other_architectures : claims.never_checked).push_back(rule);
  }
  return claims;
}

std::string VersionClaims::text(bool kernels_are_all) const {
  std::string text;
  if (!never_checked.empty()) {
    text += kernels_are_all ? "error of the suite: no kernel could check these rules:\n"
                            : "none of these kernels could check these rules:\n";
    for (const auto& rule : never_checked) text += fmt::format("  {}\n", rule);
  }
  if (!of_other_architectures.empty()) {
    text += "for kernels of another architecture than these:\n";
    for (const auto& rule : of_other_architectures) text += fmt::format("  {}\n", rule);
  }
  const auto list = [&text](const char* heading, const std::vector<RuleOnKernels>& found) {
    if (!found.empty()) text += heading;
    for (const auto& [rule, kernels] : found) text += fmt::format("  {}: {}\n", rule, fmt::join(kernels, ", "));
  };
  list("true of a kernel with mainline's number before the `since` of the rule:\n", earlier_in_mainline);
  list("true of stable kernels that the `backports` of the rule do not name:\n", earlier_in_stable);
  return text;
}

}  // namespace devmap::vm
