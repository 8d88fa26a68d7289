#pragma once

#include <bench/peer/path.hpp>
#include <bench/peer/side_facts.hpp>
#include <bench/rounds/record.hpp>
#include <bench/rounds/taken.hpp>
#include <bench/statistics/bootstrap.hpp>
#include <bench/statistics/quantiles.hpp>

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace devmap::bench {

/// Ours and theirs in one unit; more is better.
struct Rates {
  /// Of reliable samples only.
  std::optional<Quantiles> ours = {};
  std::optional<Quantiles> theirs = {};
  /// Ours to theirs, where both are reliable.
  std::optional<RatioInterval> ratio = {};
  /// Of the two ratios of a side to itself, the one that is further from 1.
  std::optional<RatioInterval> to_itself = {};
  /// Why there is no ratio.
  std::string unreliable = {};
};

/// What is known of a path after a run.
struct Comparison {
  std::string path = {};
  /// As PeerNames (turn.hpp) has them.
  Rates whole = {};
  Rates without_start_up = {};
  /// CPU seconds of a run for few frames; absent where nothing was measured.
  std::optional<double> our_start_up = {};
  std::optional<double> their_start_up = {};
  SideFacts ours = {};
  SideFacts theirs = {};
  /// Samples of both sides that nothing hindered, and all.
  std::size_t kept = 0;
  std::size_t taken = 0;
  FrameCount frames = {};
  /// A tool did not do what it should, or frames were lost; `whole.unreliable` says what.
  bool failed = false;
};

/// Of each side of each path, by PeerNames::whole.
using AllSideFacts = std::map<std::string, SideFacts>;

/// What the samples of all turns say (turn.hpp), by the same rules as the time layer's (rounds/evaluate.hpp).
[[nodiscard]] std::vector<Comparison> compare_sides(std::span<const PeerPath> paths,
                                                    const std::vector<TakenSample>& taken, const AllSideFacts& facts);

/// A run of the peer layer; peer-record.schema.json describes its JSON.
struct PeerRecord {
  static constexpr int kSchemaVersion = 1;
  std::map<std::string, std::string> context = {};
  std::vector<Comparison> comparisons = {};

  [[nodiscard]] std::string json() const;
  /// As a person reads it.
  [[nodiscard]] std::string table() const;
};

}  // namespace devmap::bench
