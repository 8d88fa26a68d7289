#pragma once

#include <harness/base/kernel_version.hpp>
#include <harness/record/result.hpp>
#include <harness/spec/case.hpp>
#include <harness/spec/known_issues.hpp>
#include <harness/spec/rule.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace devmap {

/// What is known of a check's process when it has ended.
struct ChildReport {
  std::vector<Evidence> evidence = {};
  /// The outcome, where the check came to its end.
  std::optional<Case::Outcome> outcome = {};
  /// The need that is missing, where the check was not begun for that.
  struct Missing {
    std::string feature = {};
    std::string fact = {};
    std::string remedy = {};
  };
  std::optional<Missing> missing = {};
  /// How to enter the namespace that was left standing, where one was.
  std::string kept = {};
  /// The signal that ended the process; 0 where none did.
  int signal = 0;
  int exit_code = 0;
  bool timed_out = false;
  /// Warnings the kernel logged meanwhile.
  std::vector<std::string> kernel_warnings = {};
  std::chrono::duration<double, std::milli> duration{};
};

// A child's report travels as one JSON object a line, each written as soon as it is known, so that a child that crashes
// or hangs has already said what it found.
[[nodiscard]] std::string evidence_line(const Evidence& evidence);
[[nodiscard]] std::string missing_line(const ChildReport::Missing& missing);
[[nodiscard]] std::string outcome_line(const Case::Outcome& outcome);
[[nodiscard]] std::string kept_line(std::string_view how_to_enter);
/// Takes one such line into the report; false where it is none.
[[nodiscard]] bool take_line(ChildReport& report, std::string_view line);

/// Whether nothing can be said but that the check should be run again.
[[nodiscard]] bool is_inexact(const ChildReport& report);

/// Whether the kernel is to behave as the rule states, given all that is known: it is one that the rule holds on, and
/// no known issue says otherwise.
[[nodiscard]] bool is_to_hold(const Rule& rule, const Variant& variant, const KernelVersion& kernel,
                              const KnownIssues& listed);

/// The verdict on a rule, given all that is known. `listed` are known issues from outside the suite.
[[nodiscard]] Result judge(const Rule& rule, const Variant& variant, const KernelVersion& kernel, ChildReport report,
                           const KnownIssues& listed);

}  // namespace devmap
