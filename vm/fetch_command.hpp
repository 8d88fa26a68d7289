#pragma once

#include <string>
#include <vector>

namespace devmap::vm {

struct FetchOptions {
  /// Names of the catalogue.
  std::vector<std::string> names = {};
  /// A set of the catalogue, or a file with one; none if empty.
  std::string set = {};
  bool all = false;
  /// Instead of these: the newest plain kernel that downloads.
  bool newest = false;
  /// Leaves alone what is there, be it the newest or not; without the mirror if nothing is missing.
  bool only_missing = false;
};

/// Fetches kernels into the cache, and says how much that is before it begins. What an earlier time has downloaded
/// whole is not downloaded again. Without the mirror, what is cached is kept.
[[nodiscard]] int fetch_kernels(const std::string& catalogue_file, const FetchOptions& options);

}  // namespace devmap::vm
