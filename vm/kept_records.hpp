#pragma once

#include <harness/base/error.hpp>
#include <vm/recorded_run.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace devmap::vm {

/// What a record was made of: where all of it is the same again, so is the record.
struct RunIdentity {
  /// Of the suite; empty where it has none, and then no record is known to be of it.
  std::string build_id = {};
  std::vector<std::string> arguments = {};
  /// Which kernel, and how it was run.
  std::string kernel = {};
};

/// The records of a matrix in a directory: LABEL.json each, and below .state/ what each was made of.
class KeptRecords {
 public:
  /// Makes the directory, and sees whether it can be written to.
  [[nodiscard]] static Expected<KeptRecords> in(const std::filesystem::path& directory);

  /// Puts a record in place of the one that was, in one step.
  [[nodiscard]] Expected<void> keep(const std::string& label, const std::string& record, const RunIdentity& identity,
                                    int exit_code) const;

  /// A record that need not be made again.
  struct Complete {
    RecordedRun run = {};
    /// What its run ended with.
    int exit_code = 0;
  };
  /// The record of this label if it is complete and of this identity.
  [[nodiscard]] std::optional<Complete> complete(const std::string& label, const RunIdentity& identity) const;

  /// How long the run took that has left a record of this label, whatever it was made of.
  [[nodiscard]] std::optional<double> seconds_of(const std::string& label) const;

  [[nodiscard]] std::filesystem::path record_of(const std::string& label) const;
  [[nodiscard]] std::filesystem::path console_of(const std::string& label) const;

 private:
  explicit KeptRecords(std::filesystem::path directory) : directory_(std::move(directory)) {}
  [[nodiscard]] std::filesystem::path state_of(const std::string& label) const;

  std::filesystem::path directory_;
};

/// The build ID of an executable (NT_GNU_BUILD_ID), in hexadecimal; empty where it has none.
[[nodiscard]] std::string build_id_of(std::string_view executable);

}  // namespace devmap::vm
