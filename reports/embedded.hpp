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
/// The plots of the benchmark page, with the library that draws them (reports/plots/bundle).
[[nodiscard]] std::string_view embedded_plots();
/// By name: "layout", "matrix", "rule", "changes", "documentation", "kernels", "finding", "benchmarks".
[[nodiscard]] std::string_view embedded_template(std::string_view name);

}  // namespace devmap::reports
