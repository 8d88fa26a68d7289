#include <bench/measure/processors.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <harness/base/own_thread.hpp>
#include <harness/base/processor.hpp>
#include <vector>

namespace devmap::bench {
namespace {

TEST(Quietest, IsTheProcessorOnWhichACanaryIsFastestAndTheFirstOfThose) {
  const std::vector<unsigned> processors = {4, 2, 7, 3};
  const std::vector<double> canary_on = {0, 0, 0.10, 0.11, 0.15, 0, 0, 0.10};
  const auto best = quietest(processors, [&](unsigned processor) { return canary_on.at(processor); });
  ASSERT_TRUE(best.has_value()) << best.error().text();
  EXPECT_EQ(*best, 2U);
}

TEST(Quietest, OfOneIsNotLookedFor) {
  const auto best = quietest(std::vector<unsigned>{5}, [](unsigned) { return failure("run a canary", EPERM); });
  ASSERT_TRUE(best.has_value()) << best.error().text();
  EXPECT_EQ(*best, 5U);
}

TEST(Quietest, IsNotKnownWhereACanaryCannotRun) {
  const auto best = quietest(std::vector<unsigned>{5, 6}, [](unsigned) { return failure("run a canary", EPERM); });
  ASSERT_FALSE(best.has_value());
  EXPECT_EQ(best.error().code, EPERM);
}

TEST(QuietestProcessor, IsTheOnlyOneTheThreadMayRunOnThen) {
  const auto all = own_processors();
  ASSERT_TRUE(all.has_value()) << all.error().text();
  Expected<std::vector<unsigned>> then;
  const auto stayed = on_own_thread(stay_on_quietest_processor, [&then] { then = allowed_processors(); });
  ASSERT_TRUE(stayed.has_value()) << stayed.error().text();
  ASSERT_TRUE(then.has_value()) << then.error().text();
  ASSERT_EQ(then->size(), 1U);
  EXPECT_NE(std::ranges::find(*all, then->front()), all->end());
}

}  // namespace
}  // namespace devmap::bench
