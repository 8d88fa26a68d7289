#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace devmap::vm {

struct MatrixOptions {
  /// A set of the catalogue, or a file with one.
  std::string set = "quick";
  /// Names of the catalogue, or paths; instead of the set, unless empty.
  std::vector<std::string> kernels = {};
  /// Where the records go.
  std::string directory = "matrix";
  /// Guests at a time; as many as suit this machine, if 0.
  unsigned jobs = 0;
  /// Fetches first the kernels that are not here.
  bool fetch = false;
  bool resume = false;
  bool all_rows = false;
  /// Prints the plan for GitHub Actions, and does nothing.
  bool github = false;
  std::string suite = {};
  /// A list of deviations that are known, instead of the one that was built in.
  std::string known = {};
  /// 0 for what the architecture's guests get.
  unsigned memory_mib = 0;
  /// For each boot.
  std::chrono::seconds limit{1800};
  /// Of the suite.
  std::vector<std::string> arguments = {};
};

/// Runs the suite on many kernels, and compares what they do.
[[nodiscard]] int run_matrix(const std::string& catalogue_file, const MatrixOptions& options);

/// Compares what records of earlier runs say.
[[nodiscard]] int merge_records(const std::vector<std::string>& files, bool all_rows);

}  // namespace devmap::vm
