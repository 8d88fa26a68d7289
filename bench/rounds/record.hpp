#pragma once

#include <bench/measure/benchmark.hpp>
#include <bench/statistics/bootstrap.hpp>
#include <bench/statistics/quantiles.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace devmap::bench {

/// What is known of one benchmark after a run.
struct Figure {
  enum class Status : std::uint8_t {
    reliable,
    unreliable,  ///< measured, but not to be believed; the reason says why
    unmet,       ///< something it needs is missing here
    failed,      ///< its path was not what it is said to be, or could not be set up, or its frames got lost
  };
  std::string benchmark = {};
  Facts facts = {};
  Status status = Status::failed;
  /// Why it is not reliable.
  std::string reason = {};
  /// Nanoseconds of CPU time an operation, of the samples that were kept.
  std::vector<double> samples = {};
  std::size_t taken = 0;
  /// Of a reliable one.
  std::optional<Quantiles> quantiles = {};
  /// To itself: one half of the samples to the other.
  std::optional<RatioInterval> to_itself = {};
  /// To its baseline, where both are reliable.
  std::string baseline = {};
  std::optional<RatioInterval> to_baseline = {};
  FrameCount frames = {};
};

/// "reliable", "unreliable", "unmet", "failed".
[[nodiscard]] std::string_view name_of(Figure::Status status);

/// A run of the time layer.
struct TimeRecord {
  static constexpr int kSchemaVersion = 1;
  std::map<std::string, std::string> context = {};
  std::vector<Figure> figures = {};

  [[nodiscard]] std::string json() const;
};

}  // namespace devmap::bench
