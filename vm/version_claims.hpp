#pragma once

#include <vm/recorded_run.hpp>

#include <string>
#include <vector>

namespace devmap::vm {

/// A rule, and kernels that say something of it.
struct RuleOnKernels {
  std::string rule = {};
  /// Labels.
  std::vector<std::string> kernels = {};

  friend bool operator==(const RuleOnKernels&, const RuleOnKernels&) = default;
};

/// What runs on many kernels say of the versions that rules are said to be true of. That a rule is absent where it
/// should be is no part of this: the suite itself calls it a deviation.
struct VersionClaims {
  /// Rules that no kernel could check.
  std::vector<std::string> never_checked = {};
  /// Those that none could, being of another architecture than the rule is about, whatever else some of them lack.
  std::vector<std::string> of_other_architectures = {};
  /// Rules that behave as stated on a kernel with mainline's number, though they are said to come later: `since` is
  /// wrong.
  std::vector<RuleOnKernels> earlier_in_mainline = {};
  /// The same on stable kernels: a release that `backports` does not name.
  std::vector<RuleOnKernels> earlier_in_stable = {};

  [[nodiscard]] static VersionClaims of(const std::vector<RecordedRun>& runs);

  /// For a person; empty where there is nothing to say. That rules were never checked is an error only where the
  /// kernels are all that there are.
  [[nodiscard]] std::string text(bool kernels_are_all) const;
};

}  // namespace devmap::vm
