#pragma once

#include <bench/measure/workload.hpp>
#include <bench/statistics/canary_gate.hpp>
#include <harness/base/error.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace devmap::bench {

/// One sample, as the process that took it tells it.
struct TakenSample {
  std::string benchmark = {};
  /// Over all processes.
  std::uint32_t round = 0;
  /// Every benchmark is measured twice in a round, as if it were two; 0 or 1.
  std::uint32_t copy = 0;
  /// Nanoseconds an operation.
  double each = 0;
  /// Absent where what was measured itself tells when it was disturbed.
  std::optional<Canaries> canaries = {};
  /// Attempts before this one, which were disturbed.
  std::uint32_t discarded = 0;
  FrameCount frames = {};
  /// A neighbour disturbed too much of it, or something was found around this process for which nothing is to be
  /// measured.
  bool hindered = false;
  /// What it needs and is missing, or what went wrong; there is no figure then.
  std::string unmet = {};
  std::string fault = {};

  [[nodiscard]] std::string json_line() const;
  /// Fails where the line is no sample.
  [[nodiscard]] static Expected<TakenSample> from_json_line(std::string_view line);
};

}  // namespace devmap::bench
