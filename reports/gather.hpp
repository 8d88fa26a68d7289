#pragma once

#include <harness/record/record.hpp>
#include <reports/benchmarks.hpp>

#include <string>
#include <vector>

namespace devmap::reports {

/// A record and where it came from.
struct Source {
  std::string file;
  RunRecord record;
};

/// What reading a number of files came to.
struct Gathered {
  /// By kernel version.
  std::vector<Source> sources;
  /// Those of the files that are records of benchmarks, as their content says.
  Benchmarks benchmarks;
  /// A line for each file that could not be read: what, where and what to do.
  std::vector<std::string> unreadable;
  /// A line for whatever a reader of the report should know of the rest: records left out because they were given
  /// twice, runs that were not complete, runs of different suites.
  std::vector<std::string> notes;
};

/// Reads records, several at a time. A directory stands for the *.json in it. A file that cannot be read costs a line
/// and nothing else. Of one run that is given twice one is kept, and of two runs on one kernel the later.
[[nodiscard]] Gathered gather(const std::vector<std::string>& files);

}  // namespace devmap::reports
