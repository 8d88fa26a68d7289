#pragma once

#include <harness/base/error.hpp>

#include <string>

namespace devmap::vm {

/// The suite as a guest takes it: the file that is asked for, or else the one beside this program. Fails where there is
/// none, or it is none that a guest can run.
[[nodiscard]] Expected<std::string> read_suite(const std::string& asked);

}  // namespace devmap::vm
