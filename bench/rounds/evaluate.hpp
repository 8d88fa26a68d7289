#pragma once

#include <bench/rounds/record.hpp>
#include <bench/rounds/taken.hpp>

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace devmap::bench {

/// Samples of each copy that there must be for a figure.
inline constexpr std::size_t kFewestPairs = 5;

/// What the samples of all processes say of these benchmarks. Samples are kept where the canary gate lets them through
/// and nothing hindered them, and told at one clock (canary_told_at); a figure is reliable where its ratio to itself is
/// (is_reliable).
[[nodiscard]] std::vector<Figure> evaluate(const std::vector<const Benchmark*>& benchmarks,
                                           const std::vector<TakenSample>& taken);

/// The canary, nanoseconds an instruction, of the clock that these samples are told at; nothing where none has one.
[[nodiscard]] std::optional<double> canary_told_at(const std::vector<TakenSample>& taken);

/// The same, as a record has it among its context: "canary", "0.0602 ns".
void add_canary(std::map<std::string, std::string>& context, const std::vector<TakenSample>& taken);

}  // namespace devmap::bench
