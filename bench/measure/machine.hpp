#pragma once

#include <bench/preflight/obstacles.hpp>

#include <map>
#include <string>
#include <vector>

namespace devmap::bench {

/// What is recorded of the machine, the kernel and this build with every set of figures: "kernel", "configuration",
/// "mitigations", "jit", "cpu", "clock", "suite_version", "suite_commit", "started" and the obstacles.
[[nodiscard]] std::map<std::string, std::string> machine_context(const std::vector<Obstacle>& obstacles);

/// How fast the processor really goes, in GHz, by additions each of which waits for the one before.
[[nodiscard]] double measured_clock() noexcept;

}  // namespace devmap::bench
