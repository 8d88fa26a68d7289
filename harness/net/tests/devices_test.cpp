#include <harness/net/devices.hpp>

#include <net/if.h>
#include <harness/net/device_state.hpp>
#include <harness/net/features.hpp>
#include <harness/net/link.hpp>
#include <harness/net/tests/netns_fixture.hpp>

namespace devmap {
namespace {

using testing_support::FailsWith;
using testing_support::fault;

struct Kind {
  const char* name;
  Feature (*feature)();
  /// Makes one; `lower` is there for those that need it.
  Expected<std::uint32_t> (*create)(std::uint32_t lower, const DeviceSpec& spec);
  bool has_lower = false;
};

void PrintTo(const Kind& kind, std::ostream* out) {
  *out << kind.name;
}

class DeviceKindTest : public testing_support::NetNsTest, public testing::WithParamInterface<Kind> {
 protected:
  void SetUp() override {
    NetNsTest::SetUp();
    if (IsSkipped()) return;
    Fact fact;
    inside([&] { fact = GetParam().feature().probe(); });
    if (fact.presence != Presence::present) GTEST_SKIP() << fact.text;
  }
};

TEST_P(DeviceKindTest, IsMadeAsSpecified) {
  inside([] {
    const auto lower = create_veth();
    ASSERT_EQ(fault(lower), "");
    const auto made = GetParam().create(lower->first, {.name = "made", .ifindex = 4321});
    ASSERT_EQ(fault(made), "");
    EXPECT_EQ(*made, 4321U);
    EXPECT_EQ(if_nametoindex("made"), 4321U);
    const auto state = device_state(*made);
    ASSERT_EQ(fault(state), "");
    EXPECT_EQ(state->kind, GetParam().name);
    EXPECT_NE(state->flags & IFF_UP, 0U);
    EXPECT_EQ(state->lower, GetParam().has_lower ? lower->first : 0U);
  });
}

TEST_P(DeviceKindTest, IsDownWhereAsked) {
  inside([] {
    const auto lower = create_veth();
    ASSERT_EQ(fault(lower), "");
    const auto made = GetParam().create(lower->first, {.name = "made", .up = false});
    ASSERT_EQ(fault(made), "");
    EXPECT_EQ(device_state(*made).value().flags & IFF_UP, 0U);
    EXPECT_THAT(GetParam().create(lower->first, {.name = "made", .up = false}), FailsWith(EEXIST));
  });
}

INSTANTIATE_TEST_SUITE_P(
    Each, DeviceKindTest,
    testing::Values(
        Kind{"dummy", features::dummy, [](std::uint32_t, const DeviceSpec& spec) { return create_dummy(spec); }},
        Kind{"ifb", features::ifb, [](std::uint32_t, const DeviceSpec& spec) { return create_ifb(spec); }},
        Kind{"bridge", features::bridge, [](std::uint32_t, const DeviceSpec& spec) { return create_bridge(spec); }},
        Kind{"macvlan", features::macvlan,
             [](std::uint32_t lower, const DeviceSpec& spec) { return create_macvlan(lower, spec); }, true},
        Kind{"vlan", features::vlan,
             [](std::uint32_t lower, const DeviceSpec& spec) { return create_vlan(lower, 5, spec); }, true},
        Kind{"vxlan", features::vxlan, [](std::uint32_t, const DeviceSpec& spec) { return create_vxlan(5, spec); }},
        Kind{"bond", features::bond, [](std::uint32_t, const DeviceSpec& spec) { return create_bond(spec); }}),
    [](const auto& instance) { return instance.param.name; });

using DevicesTest = testing_support::NetNsTest;

TEST_F(DevicesTest, BridgeTakesAndReleasesAPort) {
  inside([] {
    if (const auto fact = features::bridge().probe(); fact.presence != Presence::present) GTEST_SKIP() << fact.text;
    const auto pair = create_veth();
    const auto bridge = create_bridge({.name = "br0"});
    ASSERT_EQ(fault(pair) + fault(bridge), "");
    EXPECT_EQ(fault(set_master(pair->first, *bridge)), "");
    EXPECT_EQ(device_state(pair->first).value().master, *bridge);
    EXPECT_EQ(fault(set_master(pair->first, 0)), "");
    EXPECT_EQ(device_state(pair->first).value().master, 0U);
    EXPECT_THAT(set_master(pair->first, 999), testing_support::IsRefusedWith(EINVAL));
  });
}

TEST_F(DevicesTest, BondSetsItsPortsUp) {
  inside([] {
    if (const auto fact = features::bond().probe(); fact.presence != Presence::present) GTEST_SKIP() << fact.text;
    const auto pair = create_veth({.up = false});
    const auto bond = create_bond({.name = "bond7"});
    ASSERT_EQ(fault(pair) + fault(bond), "");
    ASSERT_EQ(fault(set_master(pair->first, *bond)), "");
    EXPECT_EQ(device_state(pair->first).value().master, *bond);
    EXPECT_NE(device_state(pair->first).value().flags & IFF_UP, 0U);
  });
}

}  // namespace
}  // namespace devmap
