#pragma once

#include <harness/base/error.hpp>

#include <map>
#include <string>
#include <vector>

namespace devmap::vm {

/// A kernel that is known by name.
struct KernelEntry {
  std::string name = {};
  /// "6.12".
  std::string series = {};
  /// The end of its packages' names: "cloud-amd64".
  std::string flavour = {};
  std::vector<std::string> suites = {};
  /// The package version to take; the newest that downloads, if empty.
  std::string version = {};
};

/// What is loaded in the guest.
struct GuestModules {
  /// What the port to the host needs.
  std::vector<std::string> transport = {};
  std::vector<std::string> modules = {};
  /// Parameters by module.
  std::map<std::string, std::string> parameters = {};
};

/// The kernels that are known by name (vm/kernels.toml).
struct Catalogue {
  std::vector<KernelEntry> kernels = {};
  GuestModules guest = {};

  /// `where` names the text in errors, which give line and reason.
  [[nodiscard]] static Expected<Catalogue> parse(const std::string& text, const std::string& where);
  /// The catalogue that was built in.
  [[nodiscard]] static Expected<Catalogue> built_in();

  /// Null where there is none of this name.
  [[nodiscard]] const KernelEntry* find(const std::string& name) const;
};

}  // namespace devmap::vm
