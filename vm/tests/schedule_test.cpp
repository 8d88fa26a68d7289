#include <vm/schedule.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <mutex>

namespace devmap::vm {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

bool never() {
  return false;
}

TEST(Schedule, BeginsWithTheLongest) {
  EXPECT_THAT(longest_first({1, 5, 3, 5}), ElementsAre(1, 3, 2, 0));
  EXPECT_THAT(longest_first({}), IsEmpty());
}

TEST(Schedule, DoesEachJobOnceInOrder) {
  std::vector<std::size_t> done;
  do_in_parallel({2, 0, 1}, 1, [&](std::size_t at) { done.push_back(at); }, never);
  EXPECT_THAT(done, ElementsAre(2, 0, 1));
}

TEST(Schedule, DoesSoManyAtATime) {
  // Each waits for the other: with fewer threads this would not end.
  std::latch both(2);
  std::atomic<int> most = 0;
  std::atomic<int> now = 0;
  do_in_parallel(
      {0, 1, 2, 3}, 2,
      [&](std::size_t at) {
        const int here = ++now;
        int before = most;
        while (before < here && !most.compare_exchange_weak(before, here)) {
        }
        if (at < 2) both.arrive_and_wait();
        --now;
      },
      never);
  EXPECT_EQ(most, 2);
}

TEST(Schedule, BeginsNothingAfterTheEnd) {
  std::mutex mutex;
  std::vector<std::size_t> done;
  bool over = false;
  do_in_parallel(
      {0, 1, 2}, 1,
      [&](std::size_t at) {
        done.push_back(at);
        over = at == 1;
      },
      [&] { return over; });
  EXPECT_THAT(done, UnorderedElementsAre(0, 1));
}

}  // namespace
}  // namespace devmap::vm
