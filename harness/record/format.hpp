#pragma once

#include <harness/record/record.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace devmap {

/// The forms a record can take.
enum class Format : std::uint8_t { console, json, ktap, junit, stream };

[[nodiscard]] std::optional<Format> format_named(std::string_view name);

/// The sentence of each rule, by its id.
using Statements = std::map<std::string, std::string, std::less<>>;

/// How the console form looks.
struct ConsoleStyle {
  bool color = false;
  /// The summary line alone.
  bool quiet = false;
};

/// The summary of a run in one line: "312 checks on 6.18.44 in 1.9 s: 309 conforms, 2 known, 1 unmet".
[[nodiscard]] std::string summary_line(const RunRecord& record);

/// A table by chapter, then every result that is not "conforms" with its rule, its evidence and what to do, then the
/// summary line.
[[nodiscard]] std::string render_console(const RunRecord& record, const Statements& statements,
                                         const ConsoleStyle& style);
/// The result record (harness/record/result-record.schema.json).
[[nodiscard]] std::string render_json(const RunRecord& record);
/// The same with a result a line, for records that are kept under version control.
[[nodiscard]] std::string render_json_by_line(const RunRecord& record);
/// KTAP version 1 (Documentation/dev-tools/ktap.rst): a subtest a chapter.
[[nodiscard]] std::string render_ktap(const RunRecord& record);
/// JUnit XML: a test suite a chapter, a test case a check.
[[nodiscard]] std::string render_junit(const RunRecord& record);
/// What a stream of the run would have had (harness/record/run_stream.hpp), had it run one check at a time.
[[nodiscard]] std::string render_stream(const RunRecord& record);

[[nodiscard]] std::string render(Format format, const RunRecord& record, const Statements& statements,
                                 const ConsoleStyle& style);

}  // namespace devmap
