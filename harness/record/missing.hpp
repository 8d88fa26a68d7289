#pragma once

#include <string>
#include <string_view>

namespace devmap {

/// What the reason of a check that is unmet for want of a feature begins with; the fact that shows it follows.
[[nodiscard]] inline std::string for_want_of(std::string_view feature) {
  return "needs " + std::string(feature) + ": ";
}

}  // namespace devmap
