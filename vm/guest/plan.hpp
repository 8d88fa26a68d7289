#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace devmap::vm {

/// What the guest's init is to do, in this order.
struct Plan {
  struct Module {
    /// Where it lies in the guest.
    std::string file = {};
    std::string parameters = {};

    friend bool operator==(const Module&, const Module&) = default;
  };
  struct Setting {
    std::string file = {};
    std::string value = {};

    friend bool operator==(const Setting&, const Setting&) = default;
  };

  /// What the port to the host needs, each after what it depends on.
  std::vector<Module> transport_modules = {};
  std::vector<Module> modules = {};
  std::vector<Setting> settings = {};
  /// Seconds the program may take; 0 for as long as it likes.
  unsigned limit_s = 0;
  /// Run the program on the console, for a person, and say nothing to the host.
  bool on_console = false;
  /// The program and its arguments.
  std::vector<std::string> command = {};

  friend bool operator==(const Plan&, const Plan&) = default;
};

/// The plan as the file that the guest reads: records of fields that end in NUL, so that any argument can be in them.
[[nodiscard]] std::string render_plan(const Plan& plan);
[[nodiscard]] Plan parse_plan(std::string_view text);

}  // namespace devmap::vm
