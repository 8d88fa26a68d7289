#pragma once

#include <harness/spec/registry.hpp>

#include <string>

namespace devmap {

/// A suite as a program: its name, its rules, and the rules that fail on purpose to show that failures are seen.
struct Suite {
  std::string name = {};
  Registry rules = {};
  Registry calibration = {};
};

/// The main function of a suite: reads the command line, runs, prints, and gives the exit code.
[[nodiscard]] int suite_main(const Suite& suite, int argc, char** argv);

}  // namespace devmap
