#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace devmap {

/// What a probe found out.
enum class Presence : std::uint8_t { present, absent, could_not_tell };

/// A probed fact: the answer, and the observation it rests on, in words.
struct Fact {
  Presence presence = Presence::could_not_tell;
  std::string text = {};
};

/// Something a kernel, a machine or a user may lack. Probed by behaviour, never by version.
struct Feature {
  std::string name = {};
  /// What a person can do where it is missing.
  std::string remedy = {};
  std::function<Fact()> probe = {};
};

}  // namespace devmap
