#include <harness/base/wait.hpp>

#include <gtest/gtest.h>

namespace devmap {
namespace {

using namespace std::chrono_literals;

TEST(WaitUntil, AsksAtLeastOnce) {
  EXPECT_TRUE(wait_until([] { return true; }, 0ms));
  EXPECT_FALSE(wait_until([] { return false; }, 0ms));
}

TEST(WaitUntil, AsksAgainUntilTheAnswerIsYes) {
  int asked = 0;
  EXPECT_TRUE(wait_until([&asked] { return ++asked == 5; }, 10s));
  EXPECT_EQ(asked, 5);
}

TEST(WaitUntil, GivesUpWhenTheLimitHasPassed) {
  const auto began = std::chrono::steady_clock::now();
  EXPECT_FALSE(wait_until([] { return false; }, 20ms));
  EXPECT_GE(std::chrono::steady_clock::now() - began, 20ms);
}

}  // namespace
}  // namespace devmap
