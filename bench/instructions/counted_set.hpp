#pragma once

#include <bench/measure/benchmark.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace devmap::bench {

/// The benchmarks of the instruction layer, in the order in which they are told. Those that say why they are not
/// counted are among them where somebody would look for them.
[[nodiscard]] std::vector<std::string> counted_set();

/// What a benchmark's figure is about: "frame", "call" (of a helper, of the harness, of a system call that does
/// nothing) or "operation" on a map.
[[nodiscard]] std::string_view counted_per(const Benchmark& benchmark);

/// Whether it is a call by the harness, whose baseline is the same system call made directly.
[[nodiscard]] bool is_of_harness(const Benchmark& benchmark);

}  // namespace devmap::bench
