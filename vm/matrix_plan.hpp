#pragma once

#include <harness/base/error.hpp>
#include <vm/catalogue.hpp>

#include <string>
#include <vector>

namespace devmap::vm {

/// A kernel that a matrix is to run.
struct PlannedKernel {
  /// As find_kernel takes it.
  std::string asked = {};
  /// What reports and files call it; no two of a plan are the same.
  std::string label = {};
  /// As in the catalogue; empty where it has none of this name.
  KernelEntry entry = {};
  bool is_path = false;
};

/// The kernels of a set, or those that are named, as find_kernel takes them.
[[nodiscard]] Expected<std::vector<PlannedKernel>> plan_matrix(const Catalogue& catalogue, const std::string& set,
                                                               const std::vector<std::string>& kernels);

/// Whether the plan has all kernels of the catalogue's set `full`: what none of them can run, no kernel can.
[[nodiscard]] bool has_all_kernels(const Catalogue& catalogue, const std::vector<PlannedKernel>& plan);

/// Roughly how many seconds the suite takes on this kernel, for the longest to begin first.
[[nodiscard]] double expected_seconds(const PlannedKernel& kernel, bool has_modules);

/// The plan as a GitHub Actions matrix, one line of JSON: {"include": [{"kernel": ..., "label": ..., "series": ...,
/// "architecture": ...}, ...]}.
[[nodiscard]] std::string github_matrix(const std::vector<PlannedKernel>& plan);

}  // namespace devmap::vm
