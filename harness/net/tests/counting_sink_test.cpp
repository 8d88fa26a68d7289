#include <harness/net/counting_sink.hpp>

#include <harness/net/link.hpp>
#include <harness/net/packet_socket.hpp>
#include <harness/net/tests/netns_fixture.hpp>

namespace devmap {
namespace {

using namespace std::chrono_literals;
using testing_support::fault;
using CountingSinkTest = testing_support::NetNsTest;

TEST_F(CountingSinkTest, CountsFramesByTheirTagAndDropsThem) {
  inside([] {
    const auto pair = create_veth();
    ASSERT_EQ(fault(pair), "");
    const auto sink = CountingSink::attach(pair->second);
    const auto sender = PacketSocket::open(pair->first);
    const auto behind = PacketSocket::open(pair->second);
    ASSERT_EQ(fault(sink) + fault(sender) + fault(behind), "");
    EXPECT_EQ(sink->total().value(), 0U);
    for (const auto tag : std::initializer_list<std::uint8_t>{7, 9, 7, 7})
      ASSERT_EQ(fault(sender->send(make_frame(60, tag))), "");
    EXPECT_TRUE(sink->wait_for(3, 7, 10s));
    EXPECT_TRUE(sink->wait_for(1, 9, 10s));
    EXPECT_EQ(sink->tagged(7).value(), 3U);
    EXPECT_EQ(sink->tagged(9).value(), 1U);
    EXPECT_EQ(sink->tagged(8).value(), 0U);
    EXPECT_EQ(sink->total().value(), 4U);
    EXPECT_FALSE(sink->wait_for(4, 7, 10ms));
    EXPECT_EQ(behind->receive(10ms).value(), std::nullopt) << "a frame got past the sink";
  });
}

TEST_F(CountingSinkTest, CountsFramesWithoutATagAmongAll) {
  inside([] {
    const auto pair = create_veth();
    ASSERT_EQ(fault(pair), "");
    const auto sink = CountingSink::attach(pair->second);
    const auto sender = PacketSocket::open(pair->first);
    ASSERT_EQ(fault(sink) + fault(sender), "");
    ASSERT_EQ(fault(sender->send(make_frame(14))), "");
    ASSERT_EQ(fault(sender->send(make_frame(60, 3))), "");
    EXPECT_TRUE(sink->wait_for(1, 3, 10s));
    EXPECT_EQ(sink->total().value(), 2U);
  });
}

TEST_F(CountingSinkTest, NeedsADeviceThatRunsProgramsInItsDriver) {
  inside([] { EXPECT_THAT(CountingSink::attach(kLoopback), testing_support::FailsWith(EOPNOTSUPP)); });
}

}  // namespace
}  // namespace devmap
