#include <gtest/gtest.h>
#include <harness/base/own_thread.hpp>

#include <cerrno>
#include <stdexcept>
#include <thread>

namespace devmap {
namespace {

Expected<void> succeed() {
  return {};
}

TEST(OwnThread, RunsBothOnOneThreadThatIsNotTheCallers) {
  std::thread::id prepared_on;
  std::thread::id ran_on;
  const auto outcome = on_own_thread(
      [&]() -> Expected<void> {
        prepared_on = std::this_thread::get_id();
        return {};
      },
      [&] { ran_on = std::this_thread::get_id(); });
  EXPECT_TRUE(outcome.has_value());
  EXPECT_EQ(prepared_on, ran_on);
  EXPECT_NE(ran_on, std::this_thread::get_id());
}

TEST(OwnThread, RunsNothingWhereItCannotBePrepared) {
  bool ran = false;
  const auto outcome =
      on_own_thread([]() -> Expected<void> { return failure("prepare", EPERM, "on purpose"); }, [&] { ran = true; });
  ASSERT_FALSE(outcome.has_value());
  EXPECT_EQ(outcome.error().code, EPERM);
  EXPECT_FALSE(ran);
}

TEST(OwnThread, LetsExceptionsOut) {
  EXPECT_THROW((void)on_own_thread(succeed, [] { throw std::runtime_error("on purpose"); }), std::runtime_error);
}

}  // namespace
}  // namespace devmap
