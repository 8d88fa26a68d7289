#pragma once

#include <string>
#include <vector>

namespace devmap::bench {

/// `devmap-bench compare A B`. Gives the process's exit code: 1 where something has become slower.
[[nodiscard]] int run_compare_command(const std::vector<std::string>& arguments);

}  // namespace devmap::bench
