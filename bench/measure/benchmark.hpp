#pragma once

#include <bench/measure/workload.hpp>
#include <harness/bpf/feature.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace devmap::bench {

/// What a figure is about, to be recorded with it. 0 and an empty word: of no meaning there.
struct Facts {
  std::string map_type = {};
  std::uint32_t max_entries = 0;
  /// Bytes of a frame, its Ethernet header included.
  std::uint32_t frame_length = 0;
  /// Frames that share one poll, or one system call.
  std::uint32_t batch = 0;
  /// What the device does that frames arrive at.
  std::string peer = {};
  std::uint32_t processors = 1;

  /// "map devmap, max_entries 64, batch 64".
  [[nodiscard]] std::string text() const;
};

/// One of the things that can be measured.
struct Benchmark {
  /// "lookup/devmap/64": what, on which map, with how many entries.
  std::string name;
  Facts facts = {};
  /// Operations that are measured as one piece: few enough that most pieces are not disturbed, and enough that reading
  /// the clock does not count.
  std::uint64_t chunk = 256;
  /// Operations of a piece of the time layer where a chunk takes longer than nobody disturbs; 0: a chunk.
  std::uint64_t piece = 0;
  /// Pieces that make one sample of the time layer, which is what a tenth of those are faster than that nobody
  /// disturbed.
  std::uint32_t pieces = 1;
  /// The benchmark a ratio is told to; empty for none.
  std::string baseline = {};
  /// One of the set that scripts/bench runs.
  bool standard = false;
  /// Its workload itself divides what many operations take more than few by their number.
  bool by_slope = false;
  /// Counts the same number of instructions every time: one of the set that is counted. Otherwise why not.
  std::string not_counted = {};
  std::vector<Feature> needs = {};
  std::function<Expected<std::unique_ptr<Workload>>()> prepare = {};

  /// What is missing here for it, in words; empty where nothing is.
  [[nodiscard]] std::string unmet() const;
};

/// All of them, in the order in which they are told.
[[nodiscard]] const std::vector<Benchmark>& all_benchmarks();

/// The one of this name; null where there is none.
[[nodiscard]] const Benchmark* find_benchmark(std::string_view name);

// Filled in by the folders of the same names.
void add_control_plane(std::vector<Benchmark>& all);
void add_helpers(std::vector<Benchmark>& all);
void add_data_path(std::vector<Benchmark>& all);

}  // namespace devmap::bench
