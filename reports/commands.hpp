#pragma once

#include <reports/kcidb.hpp>

#include <string>
#include <vector>

namespace devmap::reports {

// What devmap-report ends with.
inline constexpr int kExitDone = 0;
/// `diff`: the records differ.
inline constexpr int kExitDiffers = 1;
/// No record could be read.
inline constexpr int kExitNothing = 4;
inline constexpr int kExitUsage = 64;
/// A record could not be read, and the report is of the others; or the report could not be written.
inline constexpr int kExitBroken = 70;

/// What every subcommand is told.
struct Request {
  std::vector<std::string> records = {};
  /// A file with another specification than the one built in.
  std::string specification = {};
  /// Where the report goes; "-" is standard output.
  std::string output = "-";
};

[[nodiscard]] int report_text(const Request& request, bool color);
[[nodiscard]] int report_markdown(const Request& request, bool all, const std::string& title);
[[nodiscard]] int report_junit(const Request& request);
[[nodiscard]] int report_ktap(const Request& request);
[[nodiscard]] int report_kcidb(const Request& request, const KcidbOptions& options);
/// Two records, one before and one after.
[[nodiscard]] int report_diff(const Request& request);
[[nodiscard]] int merge_records(const Request& request);
/// `output` is a directory, into which each record is written under the name of its file.
[[nodiscard]] int compact_records(const Request& request);
/// `output` is a directory. `findings` is a directory of pages, or empty for those that are built in.
[[nodiscard]] int report_html(const Request& request, const std::string& findings, const std::string& source_url);

}  // namespace devmap::reports
