#pragma once

#include <harness/record/record.hpp>

namespace devmap {

[[nodiscard]] SuiteIdentity suite_of_this_build();

/// Everything that is known of this machine before a run.
[[nodiscard]] RunContext context_of_this_machine();

}  // namespace devmap
