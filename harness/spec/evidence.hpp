#pragma once

#include <cstdint>
#include <string>

namespace devmap {

/// What a line of evidence is about: the thing under test, the control of a refusal, or a fact worth knowing.
enum class Role : std::uint8_t { act, control, note };

/// One observation: what was done, what the rule says comes of it, and what came of it. A note has only `did`.
struct Evidence {
  Role role = Role::act;
  std::string did = {};
  std::string expected = {};
  std::string observed = {};
  bool as_expected = true;

  /// One line for a person.
  [[nodiscard]] std::string text() const;

  friend bool operator==(const Evidence&, const Evidence&) = default;
};

}  // namespace devmap
