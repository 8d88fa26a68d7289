#pragma once

#include <harness/bpf/feature.hpp>

namespace devmap {

/// Whether this process may do what every check does: make a network namespace and a device map. Where not, the fact
/// names the first thing that is missing. Looked at in a process of its own, so that nothing changes here.
[[nodiscard]] Fact preflight();

}  // namespace devmap
