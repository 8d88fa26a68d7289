#pragma once

#include <string>
#include <vector>

namespace devmap::bench {

/// `devmap-bench instructions`, which devmap-vm bench starts in a guest: counts the benchmarks of the counted set, and
/// tells of each as it comes, a JSON object a line (instruction-stream.schema.json).
[[nodiscard]] int run_instructions_command(const std::vector<std::string>& arguments);

}  // namespace devmap::bench
