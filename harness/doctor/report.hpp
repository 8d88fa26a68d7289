#pragma once

#include <harness/doctor/finding.hpp>
#include <harness/doctor/probe.hpp>

#include <optional>
#include <string>
#include <vector>

namespace devmap::doctor {

/// All that is said of one mode.
struct ModeReport {
  Mode mode = Mode::native;
  std::vector<Finding> findings = {};
  std::optional<Probe> probe = {};
};

struct Report {
  Situation situation = {};
  std::vector<ModeReport> modes = {};
};

/// For a person.
[[nodiscard]] std::string as_text(const Report& report, bool color);
/// For a program, with the facts that the findings rest on.
[[nodiscard]] std::string as_json(const Report& report);

/// 0 where every mode delivers, 1 where one does not, 4 where it cannot be told.
[[nodiscard]] int exit_code(const Report& report);

}  // namespace devmap::doctor
