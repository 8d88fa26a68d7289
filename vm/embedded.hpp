#pragma once

#include <string_view>

namespace devmap::vm {

/// vm/kernels.toml as it was when this was built.
[[nodiscard]] std::string_view embedded_catalogue();
/// vm/known_issues.json likewise.
[[nodiscard]] std::string_view embedded_known_issues();
/// reports/specification.json likewise.
[[nodiscard]] std::string_view embedded_specification();
/// The guest's init, an executable for this machine's architecture.
[[nodiscard]] std::string_view embedded_init();

}  // namespace devmap::vm
