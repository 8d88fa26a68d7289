#pragma once

#include <string>
#include <vector>

namespace devmap::bench {

/// `devmap-bench rounds`: the time layer. Gives the process's exit code.
[[nodiscard]] int run_rounds_command(const std::vector<std::string>& arguments);

/// What it starts several times, to take some of the samples.
[[nodiscard]] int run_worker_command(const std::vector<std::string>& arguments);

}  // namespace devmap::bench
