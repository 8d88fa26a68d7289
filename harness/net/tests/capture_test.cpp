#include <harness/net/capture.hpp>

#include <harness/base/capabilities.hpp>
#include <harness/net/tests/netns_fixture.hpp>
#include <harness/net/topology.hpp>

namespace devmap {
namespace {

using namespace std::chrono_literals;
using testing_support::FailsWith;
using testing_support::fault;
using CaptureTest = testing_support::NetNsTest;

Frame marker(std::uint32_t number) {
  return make_frame({.tag = {.token = 0xfeedf00d, .number = number}});
}

TEST_F(CaptureTest, HearsWhatCameBeforeTheMarkers) {
  inside([] {
    const auto one = create_wire(0);
    const auto two = create_wire(1);
    const auto capture = Capture::open();
    ASSERT_EQ(fault(one) + fault(two) + fault(capture), "");
    ASSERT_EQ(fault(capture->send(one->first, make_frame(100, 1))), "");
    ASSERT_EQ(fault(capture->send(two->second, make_frame(200, 2))), "");
    ASSERT_EQ(fault(capture->send(one->first, marker(1))), "");
    ASSERT_EQ(fault(capture->send(two->second, marker(2))), "");
    const auto heard =
        capture->up_to({{.at = one->second, .frame = marker(1)}, {.at = two->first, .frame = marker(2)}}, 10s);
    ASSERT_EQ(fault(heard), "");
    ASSERT_EQ(heard->size(), 2U);
    for (const auto& frame : *heard) {
      EXPECT_FALSE(frame.outgoing);
      EXPECT_EQ(frame.bytes, frame.ifindex == one->second ? make_frame(100, 1) : make_frame(200, 2));
    }
  });
}

TEST_F(CaptureTest, ADroppedFrameIsNotHeardAndALateOneIs) {
  inside([] {
    const auto wire = create_wire();
    const auto capture = Capture::open();
    ASSERT_EQ(fault(wire) + fault(capture), "");
    ASSERT_EQ(fault(capture->send(wire->first, marker(1))), "");
    const auto before = capture->up_to({{.at = wire->second, .frame = marker(1)}}, 10s);
    ASSERT_EQ(fault(before), "");
    EXPECT_TRUE(before->empty()) << "nothing was sent before the marker";
    ASSERT_EQ(fault(capture->send(wire->first, make_frame(60, 9))), "");  // only now
    ASSERT_EQ(fault(capture->send(wire->first, marker(2))), "");
    const auto after = capture->up_to({{.at = wire->second, .frame = marker(2)}}, 10s);
    ASSERT_EQ(fault(after), "");
    EXPECT_EQ(after->size(), 1U);
  });
}

TEST_F(CaptureTest, HearsWhatHasComeBehindTheLastMarkerToo) {
  inside([] {
    const auto wire = create_wire();
    const auto capture = Capture::open();
    const auto other = Capture::open();
    ASSERT_EQ(fault(wire) + fault(capture) + fault(other), "");
    ASSERT_EQ(fault(capture->send(wire->first, marker(1))), "");
    ASSERT_EQ(fault(capture->send(wire->first, make_frame(60, 9))), "");
    ASSERT_EQ(fault(capture->send(wire->first, marker(2))), "");
    ASSERT_EQ(fault(other->up_to({{.at = wire->second, .frame = marker(2)}}, 10s)), "") << "all have come";
    const auto heard = capture->up_to({{.at = wire->second, .frame = marker(1)}}, 10s);
    ASSERT_EQ(fault(heard), "");
    ASSERT_EQ(heard->size(), 2U);
    EXPECT_EQ(heard->front().bytes, make_frame(60, 9));
    EXPECT_EQ(heard->back().bytes, marker(2));
  });
}

TEST_F(CaptureTest, FailsWhereTheMarkerDoesNotComeWhole) {
  inside([] {
    const auto wire = create_wire();
    const auto capture = Capture::open();
    ASSERT_EQ(fault(wire) + fault(capture), "");
    auto wrong = marker(1);
    wrong.back() ^= std::byte{1};
    ASSERT_EQ(fault(capture->send(wire->first, wrong)), "");
    EXPECT_THAT(capture->up_to({{.at = wire->second, .frame = marker(1)}}, 20ms), FailsWith(ETIMEDOUT));
  });
}

TEST_F(CaptureTest, PutsA8021QHeaderBack) {
  inside([] {
    const auto wire = create_wire();
    const auto capture = Capture::open();
    ASSERT_EQ(fault(wire) + fault(capture), "");
    const auto frame = make_frame({.size = 100, .protocol = Protocol::ipv4_udp, .vlan = 7, .tag = {1, 2}});
    ASSERT_EQ(fault(capture->send(wire->first, frame)), "");
    ASSERT_EQ(fault(capture->send(wire->first, marker(1))), "");
    const auto heard = capture->up_to({{.at = wire->second, .frame = marker(1)}}, 10s);
    ASSERT_EQ(fault(heard), "");
    ASSERT_EQ(heard->size(), 1U);
    EXPECT_EQ(heard->front().bytes, frame);
  });
}

TEST_F(CaptureTest, SaysWhyAFrameCannotGo) {
  inside([] {
    const auto wire = create_wire();
    const auto capture = Capture::open();
    ASSERT_EQ(fault(wire) + fault(capture), "");
    ASSERT_EQ(fault(set_up(wire->first, false)), "");
    EXPECT_THAT(capture->send(wire->first, make_frame()), FailsWith(ENETDOWN));
    EXPECT_THAT(capture->send(999, make_frame()), FailsWith(ENXIO));
  });
}

TEST(Capture, NeedsCapabilities) {
  Expected<void> opened;
  ASSERT_EQ(fault(with_capabilities({},
                                    [&] {
                                      if (const auto capture = Capture::open(); !capture)
                                        opened = std::unexpected(capture.error());
                                    })),
            "");
  EXPECT_THAT(opened, FailsWith(EPERM));
}

}  // namespace
}  // namespace devmap
