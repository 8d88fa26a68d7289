#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace CLI {
class App;
}

namespace devmap::bench {

/// What each command that measures in rounds can be told.
struct RunOptions {
  std::optional<std::uint64_t> seed = {};
  std::string output = {};
  bool despite = false;
  /// Seconds.
  double patience = 600;
  bool quiet = false;
};

void add_run_options(CLI::App& app, RunOptions& options);

/// Whether a record can be written where it is to go; says on standard error why not.
[[nodiscard]] bool can_keep_record(const RunOptions& options);

/// Writes the record where it is to go, if anywhere; says on standard error why it cannot, and is false then.
[[nodiscard]] bool keep_record(const RunOptions& options, const std::string& json);

}  // namespace devmap::bench
