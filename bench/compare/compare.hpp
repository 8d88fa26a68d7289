#pragma once

#include <bench/statistics/bootstrap.hpp>
#include <harness/base/error.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace devmap::bench {

/// What two records are compared by: the samples of each benchmark, or why there are none to be believed.
struct Comparable {
  std::map<std::string, std::vector<double>> samples = {};
  std::map<std::string, std::string> without = {};
  /// The facts that should be the same for a comparison of anything but them.
  std::map<std::string, std::string> context = {};
};

/// Reads a record of `devmap-bench rounds`, or what Google Benchmark wrote with --benchmark_out and repetitions. Fails
/// where the text is neither.
[[nodiscard]] Expected<Comparable> read_comparable(std::string_view json);

/// How one benchmark changed.
struct Difference {
  enum class Verdict : std::uint8_t {
    same,    ///< no difference that is both significant and as large as the threshold
    slower,  ///< a regression
    faster,
    undecided,  ///< there are no samples of one of them, or too few for any difference to be significant
  };
  std::string benchmark = {};
  Verdict verdict = Verdict::undecided;
  /// Of the second to the first; absent where undecided for want of samples.
  std::optional<RatioInterval> ratio = {};
  double p = 1;
  /// Why it is undecided.
  std::string reason = {};
};

struct CompareOptions {
  /// By how much the medians must differ: 0.02 is 2 %.
  double threshold = 0.02;
  /// The greatest p of the Mann-Whitney test, of all benchmarks together (Holm's method).
  double significance = 0.01;
};

/// Every benchmark of either, in the order of their names.
[[nodiscard]] std::vector<Difference> compare(const Comparable& before, const Comparable& after,
                                              const CompareOptions& options = {});

}  // namespace devmap::bench
