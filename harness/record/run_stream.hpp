#pragma once

#include <harness/base/error.hpp>
#include <harness/base/unique_fd.hpp>
#include <harness/record/record.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace devmap {

// A run as it goes on, so that whoever reads along has all that was found before a kernel panics: a JSON object a line
// (harness/record/run-stream.schema.json), each of one field that says what it is about.

/// {"run": ...}: first, with all that is known before anything has run. `checks` are the names of those that will run,
/// in the order that their results have in a record.
[[nodiscard]] std::string run_line(const RunRecord& begun, const std::vector<std::string>& checks, unsigned repeat);
/// {"begun": ...}: a check is about to begin.
[[nodiscard]] std::string begun_line(std::string_view rule, std::string_view variant, unsigned iteration);
/// {"result": ...}, as in the record.
[[nodiscard]] std::string result_line(const Result& result);
/// {"end": ...}: last, with what is known of the run as a whole.
[[nodiscard]] std::string end_line(const RunContext& context);

/// A file that a run is told to as it goes on.
class RunStream {
 public:
  /// "-" for standard output; what is in a regular file is replaced.
  [[nodiscard]] static Expected<RunStream> open(const std::string& file);

  /// Hands the line on at once. What cannot be written is lost, and the reason kept.
  void write(std::string_view line);
  /// Why lines were lost; nothing where none was.
  [[nodiscard]] const std::optional<Error>& lost() const { return lost_; }

 private:
  RunStream(std::string file, UniqueFd opened) : file_(std::move(file)), opened_(std::move(opened)) {}

  std::string file_;
  UniqueFd opened_;
  std::optional<Error> lost_ = {};
};

}  // namespace devmap
