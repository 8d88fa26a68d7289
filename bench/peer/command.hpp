#pragma once

#include <string>
#include <vector>

namespace devmap::bench {

/// `devmap-bench peer`: the peer layer. Gives the process's exit code.
[[nodiscard]] int run_peer_command(const std::vector<std::string>& arguments);

}  // namespace devmap::bench
