#include <harness/base/processor.hpp>

#include <sched.h>
#include <harness/base/capabilities.hpp>
#include <harness/base/tests/support.hpp>
#include <harness/base/wait.hpp>

#include <atomic>
#include <cerrno>
#include <optional>
#include <thread>

namespace devmap {
namespace {

using namespace std::chrono_literals;
using testing_support::FailsWith;
using testing_support::fault;

TEST(AllowedProcessors, AreThoseOfTheThread) {
  const auto processors = allowed_processors();
  ASSERT_EQ(fault(processors), "");
  ASSERT_FALSE(processors->empty());
  std::thread([only = processors->back()] {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(only, &set);
    ASSERT_EQ(sched_setaffinity(0, sizeof set, &set), 0);
    EXPECT_THAT(allowed_processors().value(), testing::ElementsAre(only));
  }).join();
}

TEST(ClaimProcessor, FailsForOneThatThereIsNot) {
  EXPECT_THAT(claim_processor(CPU_SETSIZE - 1), FailsWith(EINVAL));
}

TEST(ClaimProcessor, NeedsACapability) {
  const auto processors = allowed_processors();
  ASSERT_EQ(fault(processors), "");
  Expected<void> claimed;
  ASSERT_EQ(fault(with_capabilities({}, [&] { claimed = claim_processor(processors->front()); })), "");
  EXPECT_THAT(claimed, FailsWith(EPERM));
}

TEST(ClaimProcessor, KeepsTheThreadThereAheadOfOthers) {
  const auto processors = allowed_processors();
  ASSERT_EQ(fault(processors), "");
  Expected<void> claimed;
  int policy = -1;
  int count = 0;
  std::thread([&] {
    claimed = claim_processor(processors->back());
    policy = sched_getscheduler(0);
    cpu_set_t allowed;
    sched_getaffinity(0, sizeof allowed, &allowed);
    count = CPU_COUNT(&allowed);
  }).join();
  if (!claimed && claimed.error().code == EPERM) GTEST_SKIP() << "may not: " << claimed.error().text();
  EXPECT_EQ(fault(claimed), "");
  EXPECT_EQ(policy & ~SCHED_RESET_ON_FORK, SCHED_FIFO);
  EXPECT_EQ(count, 1);
}

TEST(MachineTurn, IsHeldByOneAtATime) {
  std::optional<Expected<MachineTurn>> mine(MachineTurn::take());
  ASSERT_EQ(fault(*mine), "");
  std::atomic<bool> begun = false;
  std::atomic<bool> taken = false;
  std::thread other([&] {
    begun = true;
    EXPECT_EQ(fault(MachineTurn::take()), "");
    taken = true;
  });
  EXPECT_TRUE(wait_until([&] { return begun.load(); }, 10s));
  EXPECT_FALSE(wait_until([&] { return taken.load(); }, 50ms));
  mine.reset();
  other.join();
  EXPECT_TRUE(taken);
}

}  // namespace
}  // namespace devmap
