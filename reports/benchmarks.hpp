#pragma once

#include <harness/base/error.hpp>
#include <reports/kernel.hpp>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace devmap::reports {

/// Where and how figures were taken, as the record says it.
using BenchmarkContext = std::map<std::string, std::string>;

/// A name such as "lookup/devmap/64" or "live/broadcast/devmap/devices:4/batch:16", taken apart.
struct BenchmarkName {
  /// "lookup", "live/broadcast".
  std::string operation;
  /// What is compared beside each other: the map type, with those parameters that are not the size; never empty.
  std::string series;
  /// What `size` counts: "entries", "keys", "devices", "slots", "bytes" or "batch"; empty where there is none.
  std::string axis;
  double size = 0;

  [[nodiscard]] static BenchmarkName of(std::string_view name);
};

/// Guest instructions, which are the same every time.
struct InstructionFigure {
  std::string name;
  /// "operation", "frame" or "call".
  std::string per;
  /// Absent where it was left out.
  std::optional<double> instructions;
  std::string left_out;
};

/// The instruction layer: one kernel.
struct InstructionCounts {
  std::string file;
  BenchmarkContext context;
  std::vector<InstructionFigure> figures;

  [[nodiscard]] Kernel kernel() const;
};

/// A ratio with its 95 % interval.
struct RatioFigure {
  double ratio = 0;
  double low = 0;
  double high = 0;
};

struct Spread {
  double median = 0;
  double p10 = 0;
  double p90 = 0;
};

/// CPU time, ns.
struct TimeFigure {
  std::string name;
  /// "reliable", "unreliable", "unmet" or "failed".
  std::string status;
  std::string reason;
  std::size_t kept = 0;
  std::size_t taken = 0;
  /// Of reliable figures alone.
  std::optional<Spread> spread;
  std::optional<RatioFigure> to_itself;
  std::string baseline;
  std::optional<RatioFigure> to_baseline;
};

/// The time layer: one run on one machine.
struct Times {
  std::string file;
  BenchmarkContext context;
  std::vector<TimeFigure> figures;
};

struct PeerComparison {
  std::string path;
  std::string unit;
  /// Absent where it is unreliable.
  std::optional<RatioFigure> ratio;
  std::string unreliable;
  std::optional<Spread> ours;
  std::optional<Spread> theirs;
  /// The interval of ours against itself.
  std::optional<RatioFigure> to_itself;
  /// The ratio of what frames alone take; absent where the record has none.
  std::optional<RatioFigure> without_start_up;
  std::size_t kept = 0;
  std::size_t taken = 0;
  double sent = 0;
  double delivered = 0;
};

/// The peer layer: ours and xdp-tools on the same paths.
struct PeerComparisons {
  std::string file;
  BenchmarkContext context;
  std::vector<PeerComparison> comparisons;
};

/// The records of benchmarks, by layer; layers are never mixed.
struct Benchmarks {
  /// By kernel version.
  std::vector<InstructionCounts> instructions;
  std::vector<Times> times;
  std::vector<PeerComparisons> peers;

  [[nodiscard]] bool empty() const { return instructions.empty() && times.empty() && peers.empty(); }

  /// Adds what a record holds. It fails, and adds nothing, where the text is no record of benchmarks that this program
  /// can show: cut off, of a newer schema, of an unknown layer, or with a figure that is none.
  [[nodiscard]] Expected<void> add(const std::string& file, std::string_view text);
  /// Puts kernels into their order; of two records of one kernel and machine the later is kept, with a line about it.
  [[nodiscard]] std::vector<std::string> settle();
};

/// Whether a text is JSON with a layer, as records of benchmarks have and result records do not.
[[nodiscard]] bool is_benchmark_record(std::string_view text);

}  // namespace devmap::reports
