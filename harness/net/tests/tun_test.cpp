#include <harness/net/tun.hpp>

#include <net/if.h>
#include <harness/net/device_state.hpp>
#include <harness/net/features.hpp>
#include <harness/net/packet_socket.hpp>
#include <harness/net/tests/netns_fixture.hpp>

namespace devmap {
namespace {

using namespace std::chrono_literals;
using testing_support::FailsWith;
using testing_support::fault;

class TunTest : public testing_support::NetNsTest {
 protected:
  void SetUp() override {
    NetNsTest::SetUp();
    const auto fact = features::tun().probe();
    if (fact.presence == Presence::absent) GTEST_SKIP() << fact.text;
  }
};

TEST_F(TunTest, TapCarriesFramesBothWays) {
  inside([] {
    const auto tap = Tun::create({.name = "wire", .ifindex = 2222});
    ASSERT_EQ(fault(tap), "");
    EXPECT_EQ(tap->ifindex(), 2222U);
    EXPECT_EQ(if_nametoindex("wire"), 2222U);
    const auto socket = PacketSocket::open(tap->ifindex());
    ASSERT_EQ(fault(socket), "");
    EXPECT_EQ(tap->read(0ms).value(), std::nullopt);
    ASSERT_EQ(fault(socket->send(make_frame(60, 1))), "");
    EXPECT_EQ(tap->read(10s).value(), make_frame(60, 1));
    ASSERT_EQ(fault(tap->write(make_frame(60, 2))), "");
    EXPECT_EQ(socket->receive(10s).value(), make_frame(60, 2));
  });
}

TEST_F(TunTest, TunHasNoEthernetHeader) {
  inside([] {
    const auto tun = Tun::create({.layer = Tun::Layer::tun, .name = "tun7"});
    ASSERT_EQ(fault(tun), "");
    const auto state = device_state(tun->ifindex());
    ASSERT_EQ(fault(state), "");
    EXPECT_EQ(state->kind, "tun");
    EXPECT_EQ(state->mtu, 1500U);
    EXPECT_NE(state->flags & IFF_POINTOPOINT, 0U);
  });
}

TEST_F(TunTest, GoesWithTheObjectUnlessPersistent) {
  inside([] {
    {
      ASSERT_EQ(fault(Tun::create({.name = "brief"})), "");
    }
    EXPECT_EQ(if_nametoindex("brief"), 0U);
    auto lasting = Tun::create({.name = "lasting", .persistent = true});
    ASSERT_EQ(fault(lasting), "");
    lasting->close();
    EXPECT_NE(if_nametoindex("lasting"), 0U);
    EXPECT_THAT(lasting->write(make_frame()), FailsWith(EBADF));
  });
}

TEST_F(TunTest, SaysWhatIsWrong) {
  inside([] {
    const auto down = Tun::create({.name = "down", .up = false});
    ASSERT_EQ(fault(down), "");
    EXPECT_THAT(down->write(make_frame()), FailsWith(EIO));
    EXPECT_THAT(Tun::create({.name = "down"}), FailsWith(EBUSY));
    EXPECT_THAT(Tun::create({.name = "a-name-longer-than-any"}), FailsWith(ENAMETOOLONG));
  });
}

}  // namespace
}  // namespace devmap
