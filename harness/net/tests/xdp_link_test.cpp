#include <harness/net/xdp_link.hpp>

#include <linux/if_link.h>
#include <harness/net/link.hpp>
#include <harness/net/tests/netns_fixture.hpp>

namespace devmap {
namespace {

using testing_support::fault;
using testing_support::IsRefusedWith;

class XdpLinkTest : public testing_support::NetNsTest {
 protected:
  static Program load() {
    return Program::load({}, Assembler().return_value(XDP_PASS).build().value()).expected().value();
  }
  static constexpr XdpLink::Spec kGenericLoopback{.ifindex = kLoopback, .flags = XDP_FLAGS_SKB_MODE};
};

TEST_F(XdpLinkTest, HoldsTheDeviceWhileItLives) {
  inside([] {
    const auto program = load();
    {
      const auto link = XdpLink::create(program, kGenericLoopback);
      ASSERT_EQ(fault(link), "");
      EXPECT_GE(link.value().fd(), 0);
      EXPECT_THAT(XdpLink::create(program, kGenericLoopback), IsRefusedWith(EBUSY));
    }
    EXPECT_EQ(fault(XdpLink::create(program, kGenericLoopback)), "");
  });
}

TEST_F(XdpLinkTest, TakesAnotherProgram) {
  inside([] {
    const auto program = load();
    const auto link = XdpLink::create(program, kGenericLoopback);
    ASSERT_EQ(fault(link), "");
    EXPECT_EQ(fault(link.value().update(load())), "");
    const auto other_type =
        Program::load({.type = BPF_PROG_TYPE_SOCKET_FILTER}, Assembler().return_value(0).build().value());
    ASSERT_EQ(fault(other_type), "");
    EXPECT_THAT(link.value().update(other_type.value()), IsRefusedWith(EINVAL));
  });
}

TEST_F(XdpLinkTest, NeedsADevice) {
  inside([] { EXPECT_THAT(XdpLink::create(load(), {.ifindex = 999}), IsRefusedWith(EINVAL)); });
}

}  // namespace
}  // namespace devmap
