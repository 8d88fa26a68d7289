#pragma once

#include <harness/base/error.hpp>
#include <vm/cache.hpp>
#include <vm/catalogue.hpp>
#include <vm/guest/plan.hpp>

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace devmap::vm {

/// What a guest is made of besides its kernel.
struct GuestParts {
  /// The guest's init, an executable.
  std::string_view init = {};
  /// The suite, a static executable.
  std::string_view suite = {};
  /// The suite's arguments.
  std::vector<std::string> arguments = {};
  /// A program and its arguments to run on the console in place of the suite, for a person; none if empty.
  std::vector<std::string> on_console = {};
  /// Whether the suite is told to stream what it does to its port.
  bool streams = true;
  /// Further files, by path without the leading "/", which can be executed too.
  std::map<std::string, std::string> files = {};
  /// Written before the suite starts.
  std::vector<Plan::Setting> settings = {};
  /// Seconds the suite may take; 0 for as long as it likes.
  unsigned limit_s = 0;
};

/// A guest's root file system.
struct Guest {
  std::string root_image = {};
  /// Wanted modules that were not found; without them in the kernel itself, their devices are missing.
  std::vector<std::string> missing_modules = {};
};

[[nodiscard]] Expected<Guest> make_guest(const Kernel& kernel, const GuestModules& wanted, const GuestParts& parts);

/// A static executable for this machine without what is not loaded: symbols, debugging information. Fails where the
/// content is none.
[[nodiscard]] Expected<std::string> loaded_part(std::string executable, const std::string& name);

}  // namespace devmap::vm
