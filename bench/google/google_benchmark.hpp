#pragma once

#include <map>
#include <string>
#include <vector>

namespace devmap::bench {

/// Takes Google Benchmark's flags. False where there is one it does not have, which it then tells. Prints the flags and
/// ends the process where --help is among them.
[[nodiscard]] bool take_google_flags(std::vector<std::string> arguments);

/// Registers all benchmarks with Google Benchmark and runs what its flags select; they and its JSON are its own, and
/// the context is added to both. Time is that of the benchmarks' own clock, an iteration one operation. False where a
/// benchmark's path was not what it is said to be, or could not be set up.
[[nodiscard]] bool run_google_benchmark(const std::map<std::string, std::string>& context);

}  // namespace devmap::bench
