#pragma once

#include <harness/base/error.hpp>
#include <harness/base/kernel_version.hpp>
#include <harness/record/verdict.hpp>

#include <map>
#include <string>
#include <vector>

namespace devmap::vm {

/// What a result record (harness/record/result-record.schema.json) says of one check.
struct RecordedResult {
  std::string rule = {};
  std::string variant = {};
  Verdict verdict = Verdict::broken;
  std::string expected = {};
  std::string observed = {};
  std::string reason = {};
};

/// What a result record says of a run, as far as runs are compared.
struct RecordedRun {
  /// What reports call the kernel.
  std::string label = {};
  /// As uname(2) has it.
  std::string release = {};
  /// uname(2)'s version, in which Debian's kernels have that of their package.
  std::string version = {};
  double duration_ms = 0;
  /// Whether checks that were asked for are missing.
  bool partial = false;
  std::vector<RecordedResult> results = {};

  /// `where` names the text in errors.
  [[nodiscard]] static Expected<RecordedRun> parse(const std::string& text, const std::string& where);

  /// How many results have each verdict; only those that occur.
  [[nodiscard]] std::map<Verdict, std::size_t> counts() const;

  /// The kernel's own number: 6.1.192 of "6.1.0-56-cloud-amd64" where the version names the package 6.1.192-2, and 7.3
  /// of a release candidate. 0.0.0 where there is none.
  [[nodiscard]] KernelVersion kernel_version() const;
};

}  // namespace devmap::vm
