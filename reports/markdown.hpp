#pragma once

#include <reports/matrix.hpp>

#include <string>

namespace devmap::reports {

/// Text that Markdown and HTML take as it is, in one line.
[[nodiscard]] std::string markdown_text(std::string_view text);

struct MarkdownOptions {
  /// Every rule, and not only those that do not conform everywhere.
  bool all = false;
  /// The heading; a general one where it is empty.
  std::string title = {};
};

/// The matrix as tables for a pull request or a page: verdicts by kernel, then rules by kernels.
[[nodiscard]] std::string render_markdown(const Matrix& matrix, const MarkdownOptions& options);

}  // namespace devmap::reports
