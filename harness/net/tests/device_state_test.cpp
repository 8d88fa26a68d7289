#include <harness/net/device_state.hpp>

#include <linux/if_link.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <harness/bpf/program.hpp>
#include <harness/net/packet_socket.hpp>
#include <harness/net/tests/netns_fixture.hpp>
#include <harness/net/xdp_link.hpp>

namespace devmap {
namespace {

using testing_support::fault;
using DeviceStateTest = testing_support::NetNsTest;

// linux/if.h cannot stand beside net/if.h.
constexpr std::uint8_t kOperDown = 2;
constexpr std::uint8_t kOperUp = 6;

TEST_F(DeviceStateTest, OfLoopback) {
  inside([] {
    const auto state = device_state(kLoopback);
    ASSERT_EQ(fault(state), "");
    EXPECT_EQ(state->name, "lo");
    EXPECT_EQ(state->kind, "");
    EXPECT_EQ(state->bus, "");
    EXPECT_EQ(state->hardware, ARPHRD_LOOPBACK);
    EXPECT_FALSE(state->lower_namespace);
    EXPECT_EQ(state->sent, 0U);
    EXPECT_EQ(state->mtu, 65536U);
    EXPECT_EQ(state->flags & IFF_UP, 0U);
    EXPECT_EQ(state->lower, 0U);
    EXPECT_EQ(state->master, 0U);
    EXPECT_EQ(state->address, MacAddress{});
    EXPECT_EQ(state->xdp_attached, XDP_ATTACHED_NONE);
  });
}

TEST_F(DeviceStateTest, FollowsWhatIsSet) {
  inside([] {
    const auto pair = create_veth({.up = false});
    ASSERT_EQ(fault(pair), "");
    const MacAddress address{2, 0, 0, 1, 2, 3};
    EXPECT_EQ(fault(set_address(pair->first, address)), "");
    EXPECT_EQ(fault(set_mtu(pair->first, 1400)), "");
    EXPECT_EQ(fault(rename_link(pair->first, "other")), "");
    const auto state = device_state(pair->first);
    ASSERT_EQ(fault(state), "");
    EXPECT_EQ(state->name, "other");
    EXPECT_EQ(state->kind, "veth");
    EXPECT_EQ(state->mtu, 1400U);
    EXPECT_EQ(state->address, address);
    EXPECT_EQ(state->lower, pair->second);
    EXPECT_EQ(state->operational_state, kOperDown);
    EXPECT_EQ(fault(set_up(pair->first)) + fault(set_up(pair->second)), "");
    const auto up = device_state(pair->first);
    EXPECT_EQ(up.value().operational_state, kOperUp);
    EXPECT_NE(up.value().flags & IFF_UP, 0U);
  });
}

TEST_F(DeviceStateTest, CountsFrames) {
  inside([] {
    const auto pair = create_veth();
    ASSERT_EQ(fault(pair), "");
    const auto socket = PacketSocket::open(pair->first);
    ASSERT_EQ(fault(socket), "");
    ASSERT_EQ(fault(socket->send_copies(make_frame(), 5)), "");
    EXPECT_EQ(device_state(pair->first).value().sent, 5U);
    EXPECT_EQ(device_state(pair->second).value().received, 5U);
  });
}

TEST_F(DeviceStateTest, TellsThePrograms) {
  inside([] {
    const auto pair = create_veth({.up = false});
    const auto program = Program::load({}, Assembler().return_value(XDP_PASS).build().value());
    ASSERT_EQ(fault(pair) + fault(program), "");
    const auto id = program.value().info().value().id;
    const auto generic = XdpLink::create(program.value(), {.ifindex = kLoopback, .flags = XDP_FLAGS_SKB_MODE});
    const auto native = XdpLink::create(program.value(), {.ifindex = pair->first, .flags = XDP_FLAGS_DRV_MODE});
    ASSERT_EQ(fault(generic) + fault(native), "");
    const auto of_lo = device_state(kLoopback);
    const auto of_veth = device_state(pair->first);
    ASSERT_EQ(fault(of_lo) + fault(of_veth), "");
    EXPECT_EQ(of_lo->xdp_attached, XDP_ATTACHED_SKB);
    EXPECT_EQ(of_lo->generic_program, id);
    EXPECT_EQ(of_lo->native_program, 0U);
    EXPECT_EQ(of_veth->xdp_attached, XDP_ATTACHED_DRV);
    EXPECT_EQ(of_veth->native_program, id);
    EXPECT_EQ(of_veth->generic_program, 0U);
  });
}

TEST_F(DeviceStateTest, FailsForADeviceThatIsNotThere) {
  inside([] { EXPECT_THAT(device_state(999), testing_support::FailsWith(ENODEV)); });
}

TEST_F(DeviceStateTest, GoesWithTheDeviceToAnotherNamespace) {
  inside([] {
    const auto pair = create_veth({.first_index = 3000, .second_index = 3001, .up = false});
    const auto other = NetNs::create();
    ASSERT_EQ(fault(pair) + fault(other), "");
    ASSERT_EQ(fault(move_to(pair->first, *other)), "");
    EXPECT_THAT(device_state(3000), testing_support::FailsWith(ENODEV));
    EXPECT_EQ(fault(other->run([] { EXPECT_EQ(device_state(3000).value().name, "a0"); })), "");
  });
}

}  // namespace
}  // namespace devmap
