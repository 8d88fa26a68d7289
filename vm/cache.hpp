#pragma once

#include <harness/base/error.hpp>
#include <harness/base/unique_fd.hpp>
#include <vm/catalogue.hpp>

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <set>
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
  /// What it is for, and what the suite is built for.
  const Architecture* architecture = &usual_architecture();
  const Architecture* suite_architecture = &usual_architecture();
  /// Where its modules are; empty where there are none.
  std::filesystem::path modules = {};
  /// While this is there, a kernel of the cache is not replaced.
  std::shared_ptr<const UniqueFd> in_use = {};
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

  /// Called where something has to be waited for.
  using OnWait = std::function<void()>;

  /// Takes the right to fetch kernels for this process alone; waits while another has it. What processes that were
  /// killed have left is cleared away.
  [[nodiscard]] Expected<UniqueFd> lock(const OnWait& on_wait) const;

  /// Where packages are kept until their kernel is placed.
  [[nodiscard]] std::filesystem::path downloads() const { return root_ / "downloads"; }

  /// Removes the downloads that are none of these files.
  void keep_downloads(const std::set<std::string>& file_names) const;

  /// Puts a kernel in place of what was there of this name, in one step, and waits while a guest still runs that. The
  /// lock must be held, and no Kernel of this name by the calling thread.
  [[nodiscard]] Expected<Kernel> place(const std::string& name, const std::string& version,
                                       const std::vector<std::filesystem::path>& debs, const GuestModules& guest,
                                       const OnWait& on_wait) const;

 private:
  std::filesystem::path root_;
};

}  // namespace devmap::vm
