#include <harness/net/topology.hpp>

#include <net/if.h>
#include <harness/net/capture.hpp>
#include <harness/net/tests/netns_fixture.hpp>

namespace devmap {
namespace {

using namespace std::chrono_literals;
using testing_support::FailsWith;
using testing_support::fault;
using TopologyTest = testing_support::NetNsTest;

/// Whether what one device sends comes in at another.
bool connects(std::uint32_t from, std::uint32_t to) {
  const auto capture = Capture::open();
  const auto frame = make_frame({.tag = {.token = 0xabcdef, .number = from}});
  return capture && capture->send(from, frame) && capture->up_to({{.at = to, .frame = frame}}, 5s);
}

TEST_F(TopologyTest, WireConnectsBothWays) {
  inside([] {
    const auto wire = create_wire(3);
    ASSERT_EQ(fault(wire), "");
    EXPECT_EQ(wire->first, distinct_ifindex(6));
    EXPECT_TRUE(connects(wire->first, wire->second));
    EXPECT_TRUE(connects(wire->second, wire->first));
  });
}

TEST_F(TopologyTest, ChainHasAsManyWiresAsAsked) {
  inside([] {
    const auto chain = create_chain(3);
    ASSERT_EQ(fault(chain), "");
    ASSERT_EQ(chain->size(), 3U);
    for (const auto& wire : *chain) EXPECT_TRUE(connects(wire.first, wire.second));
  });
}

class StarTest : public TopologyTest, public testing::WithParamInterface<Polling> {};

TEST_P(StarTest, ConnectsEveryTargetToItsSink) {
  inside([] {
    const auto star = Star::create({.ports = 3, .polling = GetParam()});
    ASSERT_EQ(fault(star), "");
    EXPECT_EQ(star->ports(), 3U);
    EXPECT_EQ(star->in0(), if_nametoindex("in0"));
    EXPECT_EQ(star->sink(2), if_nametoindex("s2"));
    EXPECT_TRUE(connects(star->in0(), star->in1()));
    for (std::size_t port = 0; port < 3; ++port) {
      EXPECT_TRUE(star->is_open(port).value());
      EXPECT_TRUE(connects(star->target(port), star->sink(port)));
    }
  });
}
INSTANTIATE_TEST_SUITE_P(Polling, StarTest,
                         testing::Values(Polling::none, Polling::offload, Polling::program,
                                         Polling::as_the_kernel_needs));

TEST_F(TopologyTest, StarSaysWhichPortsAreOpen) {
  inside([] {
    const auto star = Star::create({.ports = 2});
    ASSERT_EQ(fault(star), "");
    ASSERT_EQ(fault(set_up(star->target(0), false)) + fault(set_up(star->sink(1), false)), "");
    EXPECT_FALSE(star->is_open(0).value());
    EXPECT_FALSE(star->is_open(1).value());
  });
}

TEST_F(TopologyTest, StarHasLargeFramesWhereAsked) {
  inside([] {
    for (const auto polling : {Polling::offload, Polling::program}) {
      const auto star = Star::create({.ports = 1, .polling = polling, .mtu = 9000});
      ASSERT_EQ(fault(star), "");
      const auto capture = Capture::open();
      ASSERT_EQ(fault(capture), "");
      const auto frame = make_frame({.size = 8000, .tag = {.token = 1, .number = 1}});
      ASSERT_EQ(fault(capture->send(star->target(0), frame)), "");
      EXPECT_EQ(fault(capture->up_to({{.at = star->sink(0), .frame = frame}}, 5s)), "");
      for (const auto ifindex : {star->in0(), star->target(0)}) ASSERT_EQ(fault(delete_link(ifindex)), "");
    }
  });
}

TEST_F(TopologyTest, StarHasOnlySoManyPorts) {
  inside([] { EXPECT_THAT(Star::create({.ports = Star::kMostPorts + 1}), FailsWith(EINVAL)); });
}

}  // namespace
}  // namespace devmap
