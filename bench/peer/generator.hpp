#pragma once

#include <string>
#include <vector>

namespace devmap::bench {

/// `devmap-bench generate`: the counterpart of xdp-trafficgen, a process that does nothing but send frames through a
/// device by live runs of a program. `devmap-bench peer` starts it.
[[nodiscard]] int run_generate_command(const std::vector<std::string>& arguments);

}  // namespace devmap::bench
