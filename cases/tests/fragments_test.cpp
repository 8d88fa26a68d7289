#include <cases/fragments.hpp>

#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace devmap::cases {
namespace {

TEST(SmallPages, AreThoseThatAFrameInSeveralBuffersDoesNotFitIn) {
  const Fact large = small_pages_of(65536);
  EXPECT_EQ(large.presence, Presence::absent);
  EXPECT_THAT(large.text, testing::HasSubstr("65536 bytes"));
  EXPECT_EQ(small_pages_of(16384).presence, Presence::absent);
  EXPECT_EQ(small_pages_of(4096).presence, Presence::present);
}

TEST(SmallPages, AreLookedForOnThisKernel) {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  EXPECT_EQ(small_pages().probe().presence, small_pages_of(page).presence);
}

}  // namespace
}  // namespace devmap::cases
