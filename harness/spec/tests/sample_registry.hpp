#pragma once

#include <harness/spec/registry.hpp>

namespace devmap::testing_support {

/// The rules that the sample record (harness/record/tests/sample_record.hpp) speaks of.
[[nodiscard]] Registry sample_registry();

}  // namespace devmap::testing_support
