#include <harness/net/xdp_features.hpp>

#include <harness/net/counting_sink.hpp>
#include <harness/net/features.hpp>
#include <harness/net/link.hpp>
#include <harness/net/tests/netns_fixture.hpp>

namespace devmap {
namespace {

using testing_support::fault;

class XdpFeaturesTest : public testing_support::NetNsTest {
 protected:
  void SetUp() override {
    NetNsTest::SetUp();
    const auto fact = features::xdp_feature_bits().probe();
    if (fact.presence == Presence::absent) GTEST_SKIP() << fact.text;
  }
};

TEST_F(XdpFeaturesTest, OfLoopbackAreNone) {
  inside([] { EXPECT_EQ(xdp_features(kLoopback).value(), XdpFeatures{}); });
}

TEST_F(XdpFeaturesTest, OfVethFollowThePeer) {
  inside([] {
    const auto pair = create_veth();
    ASSERT_EQ(fault(pair), "");
    EXPECT_TRUE(xdp_features(pair->first).value().has(XdpFeature::basic));
    EXPECT_FALSE(xdp_features(pair->first).value().has(XdpFeature::transmit));
    const auto sink = CountingSink::attach(pair->second);
    ASSERT_EQ(fault(sink), "");
    EXPECT_TRUE(xdp_features(pair->first).value().has(XdpFeature::transmit));
    EXPECT_FALSE(xdp_features(pair->second).value().has(XdpFeature::transmit));
  });
}

TEST_F(XdpFeaturesTest, OfNoDevice) {
  inside([] { EXPECT_THAT(xdp_features(999), testing_support::IsRefusedWith(ENODEV)); });
}

}  // namespace
}  // namespace devmap
