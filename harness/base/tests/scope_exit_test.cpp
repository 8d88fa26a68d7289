#include <harness/base/scope_exit.hpp>

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

namespace devmap {
namespace {

TEST(ScopeExit, RunsOnceAtTheEndOfTheScope) {
  int runs = 0;
  {
    const ScopeExit guard([&runs] { ++runs; });
    EXPECT_EQ(runs, 0);
  }
  EXPECT_EQ(runs, 1);
}

TEST(ScopeExit, RunsWhenAnExceptionLeavesTheScope) {
  bool ran = false;
  try {
    const ScopeExit guard([&ran] { ran = true; });
    throw std::runtime_error("on the way out");
  } catch (const std::runtime_error&) {
    EXPECT_TRUE(ran);
  }
  EXPECT_TRUE(ran);
}

TEST(ScopeExit, RunsInReverseOrder) {
  std::string order;
  {
    const ScopeExit first([&order] { order += "first "; });
    const ScopeExit second([&order] { order += "second "; });
  }
  EXPECT_EQ(order, "second first ");
}

}  // namespace
}  // namespace devmap
