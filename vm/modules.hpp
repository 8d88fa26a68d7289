#pragma once

#include <harness/base/error.hpp>

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace devmap::vm {

/// A module's name as the kernel has it, for a file name or a path: "virtio_net" for "drivers/net/virtio-net.ko.xz".
/// Empty where the file is no module.
[[nodiscard]] std::string module_name(std::string_view path);

/// The modules that a module says it needs first (its .modinfo section), by name. Fails where the content is no ELF
/// file; the class and the byte order may be any.
[[nodiscard]] Expected<std::vector<std::string>> needed_modules(const std::string& content, const std::string& name);

/// A module, decompressed.
struct Module {
  std::string name = {};
  std::string content = {};
};

/// Modules in an order in which they can be loaded, and what could not be found.
struct LoadOrder {
  std::vector<Module> modules = {};
  /// Wanted, or needed by one that is wanted, but not there: built into the kernel, or not built at all.
  std::vector<std::string> missing = {};
};

/// The modules below a directory, by name.
class ModuleTree {
 public:
  /// An empty path stands for a kernel without modules.
  [[nodiscard]] static Expected<ModuleTree> scan(const std::filesystem::path& directory);

  /// The wanted ones that `already` does not have, each after what it needs; adds them to `already`.
  [[nodiscard]] Expected<LoadOrder> load_order(const std::vector<std::string>& wanted,
                                               std::set<std::string>& already) const;

 private:
  Expected<void> add(const std::string& name, std::set<std::string>& already, LoadOrder& order) const;

  std::map<std::string, std::filesystem::path> files_ = {};
};

}  // namespace devmap::vm
