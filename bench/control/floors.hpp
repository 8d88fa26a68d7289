#pragma once

#include <bench/measure/workload.hpp>

#include <memory>

// What calls cost that do nothing, and what the harness adds to a call.
namespace devmap::bench {

/// getppid(2), the shortest of system calls.
[[nodiscard]] Expected<std::unique_ptr<Workload>> shortest_call();
/// bpf(2) with a command there is not: all that comes before a command.
[[nodiscard]] Expected<std::unique_ptr<Workload>> unknown_command();
/// DevMap::lookup and DevMap::update of the harness, on a map of 64 entries.
[[nodiscard]] Expected<std::unique_ptr<Workload>> harness_lookup();
[[nodiscard]] Expected<std::unique_ptr<Workload>> harness_update();

}  // namespace devmap::bench
