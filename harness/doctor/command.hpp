#pragma once

#include <harness/spec/suite.hpp>

namespace devmap::doctor {

/// `doctor IN OUT`: says whether a redirect from IN to OUT delivers, and if not, why and what to do.
[[nodiscard]] Command command();

}  // namespace devmap::doctor
