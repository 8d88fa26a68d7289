#pragma once

#include <harness/base/error.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace devmap::bench {

/// What two records of the instruction layer are compared by: a count of each benchmark, or why there is none.
struct Counts {
  std::map<std::string, double> instructions = {};
  std::map<std::string, std::string> left_out = {};
  /// The facts that should be the same for a comparison of anything but them.
  std::map<std::string, std::string> context = {};
};

/// Whether the text is a JSON object that says it is a record of the instruction layer, in whatever state.
[[nodiscard]] bool is_of_instructions(std::string_view json);

/// Reads a record of `devmap-vm bench` (bench/instructions/instruction-record.schema.json). Fails where it is none.
[[nodiscard]] Expected<Counts> read_counts(std::string_view json);

/// How the count of one benchmark changed.
struct CountChange {
  enum class Verdict : std::uint8_t {
    same,  ///< by no more than the threshold
    more,  ///< a regression
    less,
    undecided,  ///< one record has no figure
  };
  std::string benchmark = {};
  Verdict verdict = Verdict::undecided;
  double before = 0;
  double after = 0;
  /// Why it is undecided.
  std::string reason = {};
};

/// By how much a count may change: 0.01 is 1 %. Where something else of the machine was changed on purpose, such as its
/// memory or addresses, counts about device maps changed by 0.25 % at most, and those of others by 0.8 %.
[[nodiscard]] double usual_threshold(std::string_view benchmark);

/// Every benchmark of either, in the order of their names. `threshold` is for all of them; the usual one of each, if
/// there is none. What was nothing before is more by any amount.
[[nodiscard]] std::vector<CountChange> compare(const Counts& before, const Counts& after,
                                               std::optional<double> threshold = {});

}  // namespace devmap::bench
