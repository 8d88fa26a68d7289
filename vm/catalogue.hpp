#pragma once

#include <harness/base/error.hpp>
#include <vm/architecture.hpp>

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace devmap::vm {

/// A kernel that is known by name, and how it is run.
struct KernelEntry {
  std::string name = {};
  /// What reports and files call it; its name, unless the catalogue says otherwise.
  std::string label = {};
  /// "6.12".
  std::string series = {};
  /// The end of its packages' names: "cloud-amd64".
  std::string flavour = {};
  /// A name of architectures().
  std::string architecture{usual_architecture().name};
  /// What the suite is built for: its own architecture, unless the catalogue names another that its kernels run.
  std::string suite_architecture{usual_architecture().name};
  std::vector<std::string> suites = {};
  /// The version to take, of the package ("6.12.95-1") or of the kernel ("6.12.95"); the newest that downloads, if
  /// empty.
  std::string version = {};
  /// Nothing is amiss where the suites no longer offer it.
  bool while_served = false;
  /// The entry whose packages these are, and under whose name they are kept: its own, unless it is a variation.
  std::string kept_as = {};
  /// "on", "off" or "harden"; as the kernel has it, if empty.
  std::string jit = {};
  /// Appended to the kernel's command line.
  std::string command_line = {};

  /// Whether this is another way to run the kernel of another entry.
  [[nodiscard]] bool is_variation() const { return kept_as != name; }
  /// Whether this is a kernel for machines like this one, as most run it.
  [[nodiscard]] bool is_plain() const { return flavour == "cloud-amd64" && !is_variation(); }
};

/// Whether an entry's `version` allows a package version: 6.12.95 allows 6.12.95-1 and 6.12.95-1~bpo12+1.
[[nodiscard]] bool version_allows(std::string_view wanted, std::string_view package_version);

/// Kernels that are run together.
struct KernelSet {
  std::string name = {};
  /// Names of entries.
  std::vector<std::string> kernels = {};
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
  std::vector<KernelSet> sets = {};
  GuestModules guest = {};

  /// `where` names the text in errors, which give line and reason.
  [[nodiscard]] static Expected<Catalogue> parse(const std::string& text, const std::string& where);
  /// The catalogue that was built in.
  [[nodiscard]] static Expected<Catalogue> built_in();

  /// Null where there is none of this name.
  [[nodiscard]] const KernelEntry* find(const std::string& name) const;
  [[nodiscard]] const KernelSet* find_set(const std::string& name) const;
};

/// The kernels of a set in a file of the user's: `kernels = ["6.1", "path/to/bzImage"]`.
[[nodiscard]] Expected<std::vector<std::string>> parse_set(const std::string& text, const std::string& where);

}  // namespace devmap::vm
