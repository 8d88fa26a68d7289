#pragma once

#include <string>
#include <utility>
#include <vector>

namespace devmap::manual {

/// What help says below the options, taken apart.
struct Notes {
  /// Each in one line. What lists the commands is not among them.
  std::vector<std::string> paragraphs = {};
  /// Of the paragraph "Exit codes: 0 all conform, 1 a deviation, 128 + N ended by signal N.": "128 + N" and its
  /// meaning.
  std::vector<std::pair<std::string, std::string>> exit_codes = {};
  /// A paragraph that tells of exit codes in sentences ("Ends with 0; 1 if ...").
  std::string exit_prose = {};
  /// Of the paragraph "Examples:", below which a command line stands by itself and what it does in the lines that
  /// follow it, further in: the command lines, and what they do.
  std::vector<std::pair<std::string, std::string>> examples = {};
};

[[nodiscard]] Notes read_notes(const std::string& notes);

}  // namespace devmap::manual
