#pragma once

#include <harness/record/format.hpp>

namespace devmap::vm {

/// The sentences of the specification that was published with this program (reports/specification.json), which result
/// records do not have.
[[nodiscard]] Statements published_statements();

}  // namespace devmap::vm
