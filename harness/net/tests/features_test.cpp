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
                              features::redirect_trace()}) {
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

TEST(NetFeatures, CannotBeToldWithoutANamespace) {
  for (const auto& feature : {features::veth(), features::device_bound_programs()}) {
    Fact fact;
    ASSERT_EQ(fault(with_capabilities({}, [&] { fact = feature.probe(); })), "");
    EXPECT_EQ(fact.presence, Presence::could_not_tell) << feature.name;
    EXPECT_THAT(fact.text, testing::HasSubstr("EPERM"));
  }
}

}  // namespace
}  // namespace devmap
