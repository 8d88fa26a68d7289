#pragma once

#include <harness/record/format.hpp>

// A run that never took place, fixed to the last digit: every verdict, every kind of evidence, and texts that are
// awkward in one format or another.
namespace devmap::testing_support {

[[nodiscard]] RunRecord sample_record();
/// What the rules it speaks of state.
[[nodiscard]] Statements sample_statements();

}  // namespace devmap::testing_support
