#pragma once

#include <harness/spec/record.hpp>
#include <harness/spec/registry.hpp>

// A run that never took place, fixed to the last digit: every verdict, every kind of evidence, and texts that are
// awkward in one format or another.
namespace devmap::testing_support {

[[nodiscard]] RunRecord sample_record();
/// The rules it speaks of.
[[nodiscard]] Registry sample_registry();

}  // namespace devmap::testing_support
