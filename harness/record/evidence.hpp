#pragma once

#include <cstdint>
#include <string>

namespace devmap {

/// What a line of evidence is about: the thing under test, the control of a refusal, a fact worth knowing, or how often
/// something happened in a race.
enum class Role : std::uint8_t { act, control, note, rate };

/// Whether evidence of this role counts for the verdict.
[[nodiscard]] constexpr bool judged(Role role) {
  return role == Role::act || role == Role::control;
}

/// One observation: what was done, what the rule says comes of it, and what came of it. Notes and rates have only
/// `did`.
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
