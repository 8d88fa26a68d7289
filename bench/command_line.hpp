#pragma once

#include <bench/preflight/obstacles.hpp>

#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

// What the commands of devmap-bench have in common.
namespace devmap::bench {

/// Reads the command line; an exit code where that was all.
[[nodiscard]] std::optional<int> parse(CLI::App& app, const std::vector<std::string>& arguments);

/// Tells what there is on standard error. False where nothing is to be measured for it.
[[nodiscard]] bool may_measure(const std::vector<Obstacle>& found, bool despite_obstacles);

/// Whether this process may make namespaces and maps; where not, says why on standard error.
[[nodiscard]] bool has_privileges();

}  // namespace devmap::bench
