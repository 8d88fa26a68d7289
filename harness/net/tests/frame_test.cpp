#include <harness/net/frame.hpp>

#include <gtest/gtest.h>

#include <algorithm>

namespace devmap {
namespace {

unsigned at(const std::vector<std::byte>& frame, std::size_t index) {
  return std::to_integer<unsigned>(frame.at(index));
}

TEST(MakeFrame, HasTheAskedSizeButNeverLessThanAHeader) {
  EXPECT_EQ(make_frame().size(), 60U);
  EXPECT_EQ(make_frame(1514).size(), 1514U);
  EXPECT_EQ(make_frame(14).size(), 14U);
  EXPECT_EQ(make_frame(0).size(), 14U);
}

TEST(MakeFrame, IsLocalAndExperimental) {
  const auto frame = make_frame();
  EXPECT_EQ(at(frame, 0) & 3, 2U) << "destination: locally administered, one receiver";
  EXPECT_EQ(at(frame, 6) & 3, 2U) << "source: locally administered, one sender";
  EXPECT_FALSE(std::equal(frame.begin(), frame.begin() + 6, frame.begin() + 6)) << "one address for both ends";
  EXPECT_EQ(at(frame, 12) << 8 | at(frame, 13), 0x88b5U);
}

TEST(MakeFrame, PayloadCountsUpFromTheTag) {
  const auto frame = make_frame(300, 250);
  EXPECT_EQ(at(frame, 14), 250U);
  EXPECT_EQ(at(frame, 19), 255U);
  EXPECT_EQ(at(frame, 20), 0U);
  EXPECT_NE(make_frame(60, 1), make_frame(60, 2));
  EXPECT_EQ(make_frame(60, 1), make_frame(60, 1));
}

}  // namespace
}  // namespace devmap
