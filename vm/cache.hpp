#pragma once

#include <harness/base/error.hpp>
#include <harness/base/unique_fd.hpp>
#include <vm/catalogue.hpp>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace devmap::vm {

/// A kernel that can be booted.
struct Kernel {
  /// What reports call it.
  std::string name = {};
  /// As uname(2) has it; empty where that is not known before it runs.
  std::string release = {};
  /// The version of its package, if it is one.
  std::string version = {};
  std::filesystem::path image = {};
  /// The file with its configuration; empty where there is none.
  std::filesystem::path configuration = {};
  /// Where its modules are; empty where there are none.
  std::filesystem::path modules = {};
};

/// Unpacks what a guest needs from a kernel's packages into an empty directory: the image, the configuration, and the
/// modules with those they need.
[[nodiscard]] Expected<Kernel> unpack_kernel(const std::vector<std::filesystem::path>& debs, const GuestModules& guest,
                                             const std::filesystem::path& into);

/// The kernels that were fetched, in a directory of the user's.
class Cache {
 public:
  explicit Cache(std::filesystem::path root) : root_(std::move(root)) {}

  /// Below XDG_CACHE_HOME, or ~/.cache.
  [[nodiscard]] static Expected<Cache> of_this_user();

  [[nodiscard]] const std::filesystem::path& root() const { return root_; }

  /// Nothing where it is not there, or was put there by a version that kept other files.
  [[nodiscard]] std::optional<Kernel> find(const std::string& name) const;

  /// Takes the cache for this process alone; waits while another has it, and says so by `on_wait`.
  [[nodiscard]] Expected<UniqueFd> lock(const std::function<void()>& on_wait) const;

  /// Puts a kernel in place of what was there of this name, in one step. The lock must be held.
  [[nodiscard]] Expected<Kernel> place(const std::string& name, const std::string& version,
                                       const std::vector<std::filesystem::path>& debs, const GuestModules& guest) const;

 private:
  std::filesystem::path root_;
};

}  // namespace devmap::vm
