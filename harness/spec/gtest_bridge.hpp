#pragma once

#include <harness/spec/runner.hpp>

#include <span>
#include <string_view>

namespace devmap {

/// Runs the checks as GoogleTest tests, chapter by chapter, under GoogleTest's own flags. `argv` holds the program's
/// name and those flags. The exit code is one of the suite's.
[[nodiscard]] int run_as_google_tests(const std::vector<Check>& checks, const Runner::Options& options, KernelLog* log,
                                      int argc, char** argv);

/// Whether the flags only ask for the names of the tests, so that nothing runs.
[[nodiscard]] bool is_google_test_listing(std::span<char* const> flags);

/// Whether an argument is for GoogleTest.
[[nodiscard]] bool is_google_test_flag(std::string_view argument);

}  // namespace devmap
