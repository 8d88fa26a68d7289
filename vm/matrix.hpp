#pragma once

#include <harness/base/error.hpp>
#include <vm/kept_records.hpp>
#include <vm/kernel_run.hpp>
#include <vm/live_table.hpp>
#include <vm/recorded_run.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace devmap::vm {

/// A kernel of a matrix.
struct MatrixKernel {
  std::string label = {};
  /// What its record is made of.
  RunIdentity identity = {};
  /// Why it cannot be run; empty where it can.
  std::string missing = {};
  /// How long it will take, roughly.
  double seconds = 0;
};

/// What came of a kernel of a matrix.
struct MatrixResult {
  enum class Kind : std::uint8_t {
    ran,
    resumed,  ///< its complete record was there
    missing,  ///< it could not be run
    left,     ///< the matrix was told to end before its turn
  };

  std::string label = {};
  Kind kind = Kind::left;
  /// What its record says, if it has one.
  std::optional<RecordedRun> run = {};
  /// What its run ended with.
  int exit_code = 0;
  /// What a person should be told of it, line by line.
  std::vector<std::string> remarks = {};
};

struct MatrixRules {
  /// Guests at a time.
  unsigned at_a_time = 1;
  /// Takes records that are complete for what their runs would come to.
  bool resume = false;
};

/// Runs the kernel at a place.
using RunKernelAt =
    std::function<Expected<KernelRun>(std::size_t at, const std::function<void(const KernelProgress&)>& on_progress)>;

/// Runs every kernel, the longest first, and keeps the record of each as soon as it ends. Begins none any more once
/// `is_over` says so. The results are in the order of the kernels.
[[nodiscard]] std::vector<MatrixResult> run_matrix(const std::vector<MatrixKernel>& kernels, const KeptRecords& records,
                                                   const MatrixRules& rules, const RunKernelAt& run_at,
                                                   const std::function<bool()>& is_over, LiveTable& table);

/// The worst decides: a deviation, a timeout, what is broken, then whether a kernel could not be run.
[[nodiscard]] int exit_code(const std::vector<MatrixResult>& results);

/// "4 kernels: 2 conform, 1 deviates, 1 could not be run".
[[nodiscard]] std::string summary(const std::vector<MatrixResult>& results);

}  // namespace devmap::vm
