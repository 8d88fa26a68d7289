#pragma once

#include <harness/spec/options.hpp>
#include <harness/spec/registry.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace devmap {

/// Runs the checks as the options say, and writes the results to all outputs; gives the exit code. The arguments are
/// GoogleTest's, program name first: with any of its flags the checks run as its tests.
[[nodiscard]] int run_checks(const std::string& program, const Registry& registry, const std::vector<Check>& checks,
                             Options options, std::vector<char*> google_test_arguments);

/// One line on standard error for a person; gives back the exit code.
int complain(const std::string& program, std::string_view what, int code);

}  // namespace devmap
