#include <harness/net/features.hpp>

#include <net/if.h>
#include <harness/base/capabilities.hpp>
#include <harness/net/tests/netns_fixture.hpp>

namespace devmap {
namespace {

using testing_support::fault;
using NetFeaturesTest = testing_support::NetNsTest;

TEST_F(NetFeaturesTest, SayWhatTheyFound) {
  for (const auto& feature : {features::veth(), features::device_bound_programs(), features::wide_values_in_skb_mode(),
                              features::redirect_trace(), features::dummy(), features::ifb(), features::bridge(),
                              features::macvlan(), features::vlan(), features::vxlan(), features::bond(),
                              features::native_bond(), features::tun(), features::xdp_feature_bits()}) {
    const Fact fact = feature.probe();
    EXPECT_NE(fact.presence, Presence::could_not_tell) << feature.name << ": " << fact.text;
    EXPECT_FALSE(fact.text.empty()) << feature.name;
    EXPECT_FALSE(feature.remedy.empty()) << feature.name;
  }
}

TEST_F(NetFeaturesTest, LeaveNoDeviceBehind) {
  inside([] {
    (void)features::veth().probe();
    EXPECT_EQ(if_nametoindex("a0"), 0U);
  });
}

TEST_F(NetFeaturesTest, KnowKindsByTryingAndMakeNothing) {
  inside([] {
    for (const auto& feature :
         {features::bridge(), features::macvlan(), features::dummy(), features::bond(), features::native_bond()}) {
      (void)feature.probe();
    }
    EXPECT_EQ(features::gro_switch().probe().presence, Presence::present);
    struct if_nameindex* const devices = if_nameindex();
    ASSERT_NE(devices, nullptr);
    EXPECT_EQ(devices[1].if_index, 0U) << "a device besides lo";
    if_freenameindex(devices);
  });
}

TEST(NetFeatures, CannotBeToldWithoutANamespace) {
  for (const auto& feature : {features::veth(), features::device_bound_programs(), features::bond()}) {
    Fact fact;
    ASSERT_EQ(fault(with_capabilities({}, [&] { fact = feature.probe(); })), "");
    EXPECT_EQ(fact.presence, Presence::could_not_tell) << feature.name;
    EXPECT_THAT(fact.text, testing::HasSubstr("EPERM"));
  }
}

}  // namespace
}  // namespace devmap
