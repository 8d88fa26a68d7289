#include <harness/net/packet_socket.hpp>

#include <harness/base/capabilities.hpp>
#include <harness/net/link.hpp>
#include <harness/net/tests/netns_fixture.hpp>

namespace devmap {
namespace {

using namespace std::chrono_literals;
using testing_support::FailsWith;
using testing_support::fault;
using PacketSocketTest = testing_support::NetNsTest;

TEST_F(PacketSocketTest, HearsWhatComesInAndNotWhatGoesOut) {
  inside([] {
    const auto pair = create_veth();
    ASSERT_EQ(fault(pair), "");
    const auto first = PacketSocket::open(pair->first);
    const auto second = PacketSocket::open(pair->second);
    ASSERT_EQ(fault(first) + fault(second), "");
    const auto frame = make_frame(100, 7);
    ASSERT_EQ(fault(first->send(frame)), "");
    const auto heard = second->receive(10s);
    ASSERT_EQ(fault(heard), "");
    EXPECT_EQ(*heard, frame);
    const auto echo = first->receive(20ms);
    ASSERT_EQ(fault(echo), "");
    EXPECT_EQ(*echo, std::nullopt);
  });
}

TEST_F(PacketSocketTest, SendsCopiesAtOnce) {
  inside([] {
    const auto pair = create_veth();
    ASSERT_EQ(fault(pair), "");
    const auto first = PacketSocket::open(pair->first);
    const auto second = PacketSocket::open(pair->second);
    ASSERT_EQ(fault(first) + fault(second), "");
    const auto frame = make_frame(100, 7);
    ASSERT_EQ(fault(first->send_copies(frame, 3)), "");
    for (int copy = 0; copy < 3; ++copy) EXPECT_EQ(second->receive(10s).value(), frame);
    EXPECT_EQ(second->receive(20ms).value(), std::nullopt);
    EXPECT_THAT(first->send_copies(frame, PacketSocket::kMostAtOnce + 1), FailsWith(EINVAL));
  });
}

TEST_F(PacketSocketTest, HearsOneEtherTypeAlone) {
  inside([] {
    const auto pair = create_veth();
    ASSERT_EQ(fault(pair), "");
    const auto first = PacketSocket::open(pair->first);
    const auto second = PacketSocket::open(pair->second);
    ASSERT_EQ(fault(first) + fault(second), "");
    auto other = make_frame(60, 1);
    other[13] = std::byte{0xb6};
    ASSERT_EQ(fault(first->send(other)), "");
    ASSERT_EQ(fault(first->send(make_frame(60, 2))), "");
    EXPECT_EQ(second->receive(10s).value(), make_frame(60, 2));
  });
}

TEST_F(PacketSocketTest, SaysWhyAFrameCannotGo) {
  inside([] {
    const auto pair = create_veth();
    ASSERT_EQ(fault(pair), "");
    const auto socket = PacketSocket::open(pair->first);
    ASSERT_EQ(fault(socket), "");
    EXPECT_THAT(socket->send(make_frame(2000)), FailsWith(EMSGSIZE));
    ASSERT_EQ(fault(set_up(pair->first, false)), "");
    EXPECT_THAT(socket->send(make_frame()), FailsWith(ENETDOWN));
  });
}

TEST_F(PacketSocketTest, NeedsADevice) {
  inside([] { EXPECT_THAT(PacketSocket::open(999), FailsWith(ENODEV)); });
}

TEST(PacketSocket, NeedsACapability) {
  Expected<void> opened;
  ASSERT_EQ(fault(with_capabilities({},
                                    [&] {
                                      if (const auto socket = PacketSocket::open(kLoopback); !socket)
                                        opened = std::unexpected(socket.error());
                                    })),
            "");
  EXPECT_THAT(opened, FailsWith(EPERM));
}

}  // namespace
}  // namespace devmap
