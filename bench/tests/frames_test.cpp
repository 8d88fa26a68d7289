#include <bench/frames/forwarding.hpp>
#include <bench/measure/prepared.hpp>

#include <harness/bpf/tests/kernel_fixture.hpp>

#include <net/if.h>
#include <sched.h>

#include <gmock/gmock.h>
#include <harness/bpf/features.hpp>
#include <harness/net/link.hpp>

namespace devmap::bench {
namespace {

using testing::ElementsAre;
using testing_support::fault;
using Way = RouteSpec::Way;

TEST(RouteSpec, TellsHowManyCopiesArriveWhere) {
  EXPECT_THAT((RouteSpec{.way = Way::drop}.copies()), ElementsAre(0));
  EXPECT_THAT((RouteSpec{.way = Way::miss}.copies()), ElementsAre(0));
  EXPECT_THAT((RouteSpec{.way = Way::map, .devices = 2}.copies()), ElementsAre(1, 0));
  EXPECT_THAT((RouteSpec{.way = Way::broadcast, .devices = 3}.copies()), ElementsAre(1, 1, 1));
  EXPECT_THAT((RouteSpec{.way = Way::broadcast, .devices = 2, .egress = Egress::drop}.copies()), ElementsAre(0, 0));
}

TEST(RouteSpec, SpreadsDevicesOverASparseMap) {
  EXPECT_EQ((RouteSpec{.devices = 4, .slots = 64}.spacing()), 16U);
  EXPECT_EQ((RouteSpec{.devices = 4}.max_entries()), 4U);
}

TEST(FrameCount, IsVoidWhereAFrameIsMissingOrTooMany) {
  EXPECT_FALSE((FrameCount{.sent = 2, .expected = 4, .delivered = 4}.is_void()));
  EXPECT_TRUE((FrameCount{.sent = 2, .expected = 4, .delivered = 3}.is_void()));
  EXPECT_TRUE((FrameCount{.sent = 2, .expected = 4, .delivered = 5}.is_void()));
}

class ForwardingTest : public testing_support::BpfTest {
 protected:
  void SetUp() override {
    BpfTest::SetUp();
    if (IsSkipped()) return;
    ASSERT_EQ(unshare(CLONE_NEWNET), 0);
    if (const auto live = features::live_frames().probe(); live.presence != Presence::present)
      GTEST_SKIP() << live.text;
  }
  static std::uint32_t device(const char* name) { return if_nametoindex(name); }
};

TEST_F(ForwardingTest, CountsEveryCopy) {
  const auto made = Forwarding::create({.route = {.way = Way::broadcast, .devices = 3}});
  ASSERT_EQ(fault(made), "");
  ASSERT_EQ(fault((*made)->verify()), "");
  const auto sample = (*made)->run(128, Clock::thread_time);
  ASSERT_EQ(fault(sample), "");
  EXPECT_EQ(sample->operations, 128U);
  EXPECT_GT(sample->spent, 0);
  EXPECT_EQ(sample->frames.sent, 128U);
  EXPECT_EQ(sample->frames.expected, 384U);
  EXPECT_EQ(sample->frames.delivered, 384U);
}

TEST_F(ForwardingTest, IsNotVerifiedWhereASinkIsDead) {
  const auto made = Forwarding::create({.route = {.way = Way::broadcast, .devices = 2}});
  ASSERT_EQ(fault(made), "");
  ASSERT_EQ(fault(set_up(device("s1"), false)), "");
  const auto verified = (*made)->verify();
  ASSERT_FALSE(verified.has_value());
  EXPECT_THAT(verified.error().text(), testing::HasSubstr("sink 1 received 0 of 64"));
}

TEST_F(ForwardingTest, IsVoidWhereASinkDiesLater) {
  const auto made = Forwarding::create({.route = {.way = Way::map}});
  ASSERT_EQ(fault(made), "");
  ASSERT_EQ(fault((*made)->verify()), "");
  ASSERT_EQ(fault(set_up(device("s0"), false)), "");
  const auto sample = (*made)->run(64, Clock::thread_time);
  ASSERT_EQ(fault(sample), "");
  EXPECT_TRUE(sample->frames.is_void());
}

TEST_F(ForwardingTest, LooksAtTheBytesOfARewrittenHeader) {
  const auto made = Forwarding::create({.route = {.egress = Egress::rewrite}});
  ASSERT_EQ(fault(made), "");
  EXPECT_EQ(fault((*made)->verify()), "");
}

}  // namespace
}  // namespace devmap::bench
