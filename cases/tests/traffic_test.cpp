#include <cases/traffic.hpp>

#include <cases/support.hpp>
#include <harness/net/tests/netns_fixture.hpp>

namespace devmap::cases {
namespace {

using enum Mode;

/// Runs a part of a check in a namespace of its own.
class TrafficTest : public testing_support::NetNsTest, public testing::WithParamInterface<Mode> {
 protected:
  void check(const std::function<void(Case&)>& part) const {
    inside([&] {
      Case c({.type = DevMapType::devmap, .value_size = 4, .mode = GetParam()}, [](const Evidence&) {});
      const auto outcome = c.run([&part](Case& the_case) {
        part(the_case);
        the_case.holds("the part is through", true);
      });
      EXPECT_EQ(outcome.broken.value_or(""), "");
    });
  }
};

TEST_P(TrafficTest, TellsWhereFramesGo) {
  check([](Case& c) {
    Traffic t(c, {.ports = 2});
    const auto map = c.devmap();
    c.must(map.update(1, {.ifindex = t.target(1)}));
    t.run(t.main().redirect_map(map, 1, 0).exit());
    EXPECT_EQ(t.fate_of(t.frame()).text(), "s1");
    t.run(t.main().return_value(XDP_PASS));
    EXPECT_EQ(t.fate_of(t.frame()).text(), "the stack of in1");
    t.run(t.main().return_value(XDP_TX));
    EXPECT_EQ(t.fate_of(t.frame()).text(), "back at in0");
    t.run(t.main().return_value(XDP_DROP));
    EXPECT_EQ(t.fate_of(t.frame()).text(), "nowhere");
  });
}

TEST_P(TrafficTest, ADroppedFrameStaysDroppedAndALateOneIsHeard) {
  check([](Case& c) {
    Traffic t(c);
    const auto map = c.devmap();
    c.must(map.update(0, {.ifindex = t.target(0)}));
    t.run(t.main().return_value(XDP_DROP));
    const auto dropped = t.frame();
    EXPECT_EQ(t.fate_of(dropped), nowhere());
    t.run(t.main().redirect_map(map, 0, 0).exit());
    const auto frames = t.frames(40);
    t.send(frames);
    const auto fates = t.fates();
    for (const auto& frame : frames) EXPECT_EQ(fates.of(frame), delivered_to({0}));
    EXPECT_EQ(fates.of(dropped), nowhere());
    std::vector<std::uint32_t> inorder;
    for (std::uint32_t number = 1; number <= 40; ++number) inorder.push_back(number);
    EXPECT_EQ(fates.order_at({Place::Kind::sink, 0}), inorder);
  });
}

TEST_P(TrafficTest, AnothersFrameIsAStranger) {
  check([](Case& c) {
    Traffic t(c);
    const auto map = c.devmap();
    c.must(map.update(0, {.ifindex = t.target(0)}));
    t.run(t.main().redirect_map(map, 0, 0).exit());
    const auto own = t.frame();
    t.send({make_frame({.tag = {.token = new_token(), .number = 0}})});
    const auto fates = t.fates();
    EXPECT_EQ(fates.of(own), nowhere());
    EXPECT_EQ(fates.strangers(), 1U);
  });
}

TEST_P(TrafficTest, WrongBytesAreTold) {
  check([](Case& c) {
    Traffic t(c);
    t.run(t.main().return_value(XDP_PASS));
    auto frame = t.frame();
    frame.at(40) = std::byte{0xaa};
    t.send({frame});
    auto right = frame;
    right.at(40) = std::byte{40 - Traffic::kFreeByte};  // of frame 0 the payload counts from 0
    EXPECT_EQ(t.fates().of(right).text(), "the stack of in1 ([40] = aa)");
  });
}

TEST_P(TrafficTest, PortsThatAreDownAreLeftOut) {
  check([](Case& c) {
    Traffic t(c, {.ports = 3});
    const auto map = c.devmap();
    c.must(map.update(0, {.ifindex = t.target(2)}));
    c.must(set_up(t.target(0), false));
    c.must(set_up(t.sink(1), false));
    t.run(t.main().redirect_map(map, 0, 0).exit());
    EXPECT_EQ(t.fate_of(t.frame()), delivered_to({2}));
  });
}

TEST_P(TrafficTest, CarriesEveryKindOfFrame) {
  check([](Case& c) {
    Traffic t(c, {.mtu = 9000});
    const auto map = c.devmap();
    c.must(map.update(0, {.ifindex = t.target(0)}));
    const auto spec = ProgramSpec{.flags = BPF_F_XDP_HAS_FRAGS};
    t.run(t.main().redirect_map(map, 0, 0).exit(), spec);
    for (const auto protocol : {Protocol::bare, Protocol::ipv4_udp, Protocol::ipv6_udp}) {
      for (const std::size_t size : {60U, 1514U, 8000U}) {
        EXPECT_EQ(t.fate_of(t.frame({.size = size, .protocol = protocol})), delivered_to({0})) << size;
        EXPECT_EQ(t.fate_of(t.frame({.size = size, .protocol = protocol, .vlan = 3})), delivered_to({0})) << size;
      }
    }
  });
}

INSTANTIATE_TEST_SUITE_P(Mode, TrafficTest, testing::Values(native, generic),
                         [](const auto& mode) { return std::string(name_of(mode.param)); });

TEST(Fate, IsWorded) {
  EXPECT_EQ(nowhere().text(), "nowhere");
  EXPECT_EQ(sent_back().text(), "back at in0");
  EXPECT_EQ(to_stack().text(), "the stack of in1");
  EXPECT_EQ((Fate{at_sink(2, "[30] = aa"), at_sink(0)}).text(), "s0, s2 ([30] = aa)");
  EXPECT_EQ(delivered_to({1, 1, 0}).text(), "s0, s1, s1");
  EXPECT_NE(delivered_to({1, 1}), delivered_to({1}));
  EXPECT_NE((Fate{at_sink(0, "[30] = aa")}), delivered_to({0}));
}

}  // namespace
}  // namespace devmap::cases
