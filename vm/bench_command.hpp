#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace devmap::vm {

struct BenchOptions {
  /// A set of the catalogue, or a file with one.
  std::string set = "quick";
  /// Names of the catalogue, or paths; instead of the set, unless empty.
  std::vector<std::string> kernels = {};
  /// Where the records go: bench-instructions-LABEL.json.
  std::string directory = "bench";
  /// Kernels at a time, two guests each; as many as suit this machine, if 0.
  unsigned jobs = 0;
  /// Fetches what is not here.
  bool fetch = false;
  /// A regular expression for names of benchmarks; all that are counted, if empty.
  std::string filter = {};
  /// The benchmarks to run; the ones beside this program, if empty.
  std::string benchmarks = {};
  /// For each boot.
  std::chrono::seconds limit{300};
};

/// Counts the instructions of each kernel twice, and keeps the figures that both runs agree upon. Gives the process's
/// exit code: 1 where they disagree about one.
[[nodiscard]] int run_bench(const std::string& catalogue_file, const BenchOptions& options);

}  // namespace devmap::vm
