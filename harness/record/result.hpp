#pragma once

#include <harness/record/evidence.hpp>
#include <harness/record/verdict.hpp>

#include <string>
#include <vector>

namespace devmap {

/// What one check came to.
struct Result {
  std::string rule = {};
  std::string variant = {};
  Verdict verdict = Verdict::broken;
  double duration_ms = 0;
  /// The expectation that decided: the first one not met, or else the first one.
  std::string expected = {};
  std::string observed = {};
  std::vector<Evidence> evidence = {};
  /// Why it is what it is, where that is not plain from the evidence: the missing fact, the failed set-up step, the
  /// known issue, the signal.
  std::string reason = {};
  /// What a person can do about it; empty for conforms.
  std::string advice = {};
  /// Counts from 1 where a run repeats its checks.
  unsigned iteration = 1;

  [[nodiscard]] std::string name() const { return rule + "/" + variant; }
};

}  // namespace devmap
