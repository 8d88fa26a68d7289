#pragma once

#include <harness/base/error.hpp>

#include <time.h>

#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace devmap::bench {

/// How a side went a path, beyond how fast: what a reader must know to compare the two.
struct SideFacts {
  /// The device maps that what forwards has open, as device_map_in_words() has them.
  std::set<std::string> maps = {};
  /// CPU seconds of what generates the frames.
  double cpu_seconds = 0;
  /// CPU seconds of the kernel's thread for softirqs on the same processor meanwhile, which takes over from the
  /// generator.
  double ksoftirqd_seconds = 0;

  SideFacts& operator+=(const SideFacts& more);
  /// Its time for each second of the generator's; nothing where nothing was generated.
  [[nodiscard]] std::optional<double> ksoftirqd_share() const;
};

/// "devmap_hash, 32 entries, 8-byte values", from the text of a /proc/PID/fdinfo file; nothing where it is of something
/// else.
[[nodiscard]] std::optional<std::string> device_map_in_words(std::string_view fdinfo);

/// Those of all descriptors of a process.
[[nodiscard]] Expected<std::set<std::string>> device_maps_of(int pid);

/// The clock of the CPU time that ksoftirqd takes on a processor; nothing where this process does not see it, as in a
/// PID namespace of its own.
[[nodiscard]] std::optional<clockid_t> ksoftirqd_clock(unsigned processor);

/// The clock of the CPU time of a process; nothing where there is none.
[[nodiscard]] std::optional<clockid_t> clock_of(int pid);

/// What such a clock shows; 0 where there is none.
[[nodiscard]] double seconds_of(std::optional<clockid_t> clock);

}  // namespace devmap::bench
