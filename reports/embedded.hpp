#pragma once

#include <string_view>

namespace devmap::reports {

/// Files that are part of the program: the templates of the pages, what they look like and how they move, and the
/// specification that records are read with where no other is given.
[[nodiscard]] std::string_view embedded_specification();
/// The pages about findings, one after the other.
[[nodiscard]] std::string_view embedded_findings();
[[nodiscard]] std::string_view embedded_style();
[[nodiscard]] std::string_view embedded_script();
/// By name: "layout", "matrix", "rule", "changes", "documentation", "kernels", "finding".
[[nodiscard]] std::string_view embedded_template(std::string_view name);

}  // namespace devmap::reports
