#pragma once

#include <sys/wait.h>
#include <harness/spec/preflight.hpp>
#include <harness/spec/tests/support.hpp>

#include <array>
#include <cstdio>
#include <string>

namespace devmap::testing_support {

/// Tests that run the program trial-suite; skipped where its checks could not run.
class TrialSuiteTest : public testing::Test {
 protected:
  struct Ended {
    int code;
    std::string out;
  };

  void SetUp() override {
    if (const Fact fact = preflight(); fact.presence != Presence::present) GTEST_SKIP() << fact.text;
  }

  /// Runs it with arguments as a shell takes them; what it prints on standard error comes with the rest where
  /// `redirection` says so.
  static Ended run(const std::string& arguments, const std::string& redirection = "2>&1",
                   const std::string& wrapper = "exec") {
    FILE* const pipe = popen((wrapper + " " DEVMAP_TRIAL_SUITE " " + arguments + " " + redirection).c_str(), "re");
    if (pipe == nullptr) return {-1, "popen"};
    std::string out;
    std::array<char, 4096> block;
    for (std::size_t got = 0; (got = fread(block.data(), 1, block.size(), pipe)) > 0;) out.append(block.data(), got);
    const int status = pclose(pipe);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), out};
  }
};

}  // namespace devmap::testing_support
