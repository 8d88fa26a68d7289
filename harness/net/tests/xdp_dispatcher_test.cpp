#include <harness/net/xdp_dispatcher.hpp>

#include <linux/if_link.h>

#include <harness/base/wait.hpp>
#include <harness/net/link.hpp>
#include <harness/net/packet_socket.hpp>
#include <harness/net/tests/netns_fixture.hpp>

namespace devmap {
namespace {

using namespace std::chrono_literals;
using testing_support::fault;

class XdpDispatcherTest : public testing_support::NetNsTest {
 protected:
  /// A wire whose far end has a number of its own, and a program returning this action at work on that end.
  struct Worked {
    VethPair pair;
    std::optional<XdpAttachment> attachment;
  };

  static Worked work(const XdpDispatcher& dispatcher, std::uint32_t slot, std::int32_t action, std::uint32_t flags) {
    const auto nth = 2 * slot;
    const auto suffix = std::to_string(slot);
    const auto pair = create_veth({.first_name = "a" + suffix,
                                   .second_name = "b" + suffix,
                                   .first_index = distinct_ifindex(nth),
                                   .second_index = distinct_ifindex(nth + 1)});
    EXPECT_EQ(fault(pair), "");
    const auto program = Program::load({}, Assembler().return_value(action).build().value());
    EXPECT_EQ(program.error(), 0);
    auto attachment =
        XdpAttachment::behind(dispatcher, slot, program.value(), {.ifindex = pair->second, .flags = flags});
    EXPECT_EQ(fault(attachment), "");
    return {.pair = *pair, .attachment = std::move(*attachment)};
  }

  /// Whether a frame sent into the wire comes out of the program at the far end, to the stack there.
  static bool passes(const VethPair& pair, std::uint8_t tag) {
    const auto sender = PacketSocket::open(pair.first);
    const auto behind = PacketSocket::open(pair.second);
    EXPECT_EQ(fault(sender) + fault(behind), "");
    EXPECT_EQ(fault(sender->send(make_frame(60, tag))), "");
    return behind->receive(50ms).value().has_value();
  }
};

TEST_F(XdpDispatcherTest, HandsEachDevicesFramesToItsOwnProgram) {
  inside([] {
    const auto dispatcher = XdpDispatcher::create(4);
    ASSERT_EQ(fault(dispatcher), "");
    for (const std::uint32_t flags : {XDP_FLAGS_DRV_MODE, XDP_FLAGS_SKB_MODE}) {
      const auto dropping = work(*dispatcher, flags == XDP_FLAGS_DRV_MODE ? 0 : 2, XDP_DROP, flags);
      const auto passing = work(*dispatcher, flags == XDP_FLAGS_DRV_MODE ? 1 : 3, XDP_PASS, flags);
      EXPECT_FALSE(passes(dropping.pair, 1)) << flags;
      EXPECT_TRUE(passes(passing.pair, 2)) << flags;
    }
  });
}

TEST_F(XdpDispatcherTest, LeavesADeviceAloneWhenItsAttachmentGoes) {
  inside([] {
    const auto dispatcher = XdpDispatcher::create(1);
    ASSERT_EQ(fault(dispatcher), "");
    auto dropping = work(*dispatcher, 0, XDP_DROP, XDP_FLAGS_DRV_MODE);
    EXPECT_FALSE(passes(dropping.pair, 1));
    dropping.attachment.reset();
    EXPECT_TRUE(passes(dropping.pair, 2));
  });
}

TEST_F(XdpDispatcherTest, RefusesASlotItDoesNotHave) {
  inside([] {
    const auto dispatcher = XdpDispatcher::create(1);
    ASSERT_EQ(fault(dispatcher), "");
    const auto program = Program::load({}, Assembler().return_value(XDP_PASS).build().value());
    EXPECT_THAT(XdpAttachment::behind(*dispatcher, 1, program.value(), {.ifindex = kLoopback}),
                testing_support::FailsWith(E2BIG));
  });
}

TEST_F(XdpDispatcherTest, HasProgramsForFramesInFragmentsBehindOneOfTheirKind) {
  inside([] {
    const auto program =
        Program::load({.flags = BPF_F_XDP_HAS_FRAGS}, Assembler().return_value(XDP_PASS).build().value());
    if (!program) GTEST_SKIP() << "programs for frames in several buffers need Linux 5.18";
    const auto plain = XdpDispatcher::create(1);
    ASSERT_EQ(fault(plain), "");
    EXPECT_THAT(XdpAttachment::behind(*plain, 0, program.value(), {.ifindex = kLoopback}),
                testing_support::FailsWith(EINVAL));
    const auto fitting = XdpDispatcher::create(1, BPF_F_XDP_HAS_FRAGS);
    ASSERT_EQ(fault(fitting), "");
    EXPECT_EQ(fault(XdpAttachment::behind(*fitting, 0, program.value(), {.ifindex = kLoopback})), "");
  });
}

TEST_F(XdpDispatcherTest, ReleasesTheProgramWithTheAttachment) {
  inside([] {
    const auto dispatcher = XdpDispatcher::create(1);
    ASSERT_EQ(fault(dispatcher), "");
    std::uint32_t id = 0;
    {
      const auto program = Program::load({}, Assembler().return_value(XDP_PASS).build().value());
      id = program.value().info().value().id;
      const auto attachment = XdpAttachment::behind(*dispatcher, 0, program.value(), {.ifindex = kLoopback});
      ASSERT_EQ(fault(attachment), "");
    }
    EXPECT_TRUE(wait_until([&] { return program_held(id).error() == ENOENT; }, 5s));
  });
}

}  // namespace
}  // namespace devmap
