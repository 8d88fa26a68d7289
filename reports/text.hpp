#pragma once

#include <reports/matrix.hpp>

#include <string>

namespace devmap::reports {

/// The matrix for a terminal: the verdicts of every kernel counted, then the rules that kernels differ in, a letter a
/// kernel, with what the letters mean.
[[nodiscard]] std::string render_text(const Matrix& matrix);

}  // namespace devmap::reports
