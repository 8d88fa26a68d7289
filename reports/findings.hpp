#pragma once

#include <harness/base/error.hpp>
#include <reports/matrix.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace devmap::reports {

/// A page about a defect of the kernel or its documentation (reports/findings/*.md). A comment names the rules that
/// show it:
///
///     <!-- broken: bcast.a, bcast.b -->    kernels that do not behave as these state have it
///     <!-- shown: egress.c -->             kernels that behave as these state have it
///     <!-- from: 5.14 -->                  older kernels cannot have it
///     <!-- rank: 1 -->                     where it stands among the others
///     <!-- race -->                        where it is not seen, it may be there all the same
struct Finding {
  /// The name of the file without ".md".
  std::string name;
  /// The first heading, and the first paragraph in plain words.
  std::string title;
  std::string summary;
  std::vector<std::string> broken;
  std::vector<std::string> shown;
  bool race = false;
  KernelVersion from = {};
  int rank = 0;
  /// The page as HTML, without the first heading.
  std::string html;

  [[nodiscard]] static Expected<Finding> parse(std::string name, const std::string& markdown);

  /// Whether a kernel has it, as far as its record tells; nothing where that cannot be told: none of the
  /// rules could be checked there, or a race was not seen.
  [[nodiscard]] std::optional<bool> on(const Matrix& matrix, std::size_t kernel) const;

  /// Whether a rule is among those that show it.
  [[nodiscard]] bool is_about(std::string_view rule) const;
};

/// Those that are part of the program.
[[nodiscard]] Expected<std::vector<Finding>> built_in_findings();

/// All of a directory, by rank. The error is one line and names the file.
[[nodiscard]] Expected<std::vector<Finding>> read_findings(const std::string& directory);

}  // namespace devmap::reports
