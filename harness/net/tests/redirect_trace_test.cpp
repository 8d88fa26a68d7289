#include <harness/net/redirect_trace.hpp>

#include <harness/base/capabilities.hpp>
#include <harness/bpf/devmap.hpp>
#include <harness/bpf/features.hpp>
#include <harness/net/counting_sink.hpp>
#include <harness/net/frame.hpp>
#include <harness/net/link.hpp>
#include <harness/net/tests/netns_fixture.hpp>
#include <memory>

namespace devmap {
namespace {

using testing_support::fault;
using enum RedirectTracepoint;

TEST(RedirectEvent, IsWordedByTheFieldsItsTracepointTells) {
  const RedirectEvent missed{.tracepoint = redirect_err,
                             .program_id = 7,
                             .action = XDP_REDIRECT,
                             .ifindex = 1,
                             .to_ifindex = 0,
                             .map_id = 5,
                             .map_index = 3,
                             .err = -22};
  EXPECT_EQ(missed.text(), "xdp_redirect_err prog_id=7 act=4 ifindex=1 to_ifindex=0 map_id=5 map_index=3 err=-22");
  const RedirectEvent sent{.tracepoint = devmap_xmit, .ifindex = 1, .to_ifindex = 2, .sent = 16};
  EXPECT_EQ(sent.text(), "xdp_devmap_xmit act=0 from_ifindex=1 to_ifindex=2 err=0 sent=16 drops=0");
}

TEST(RedirectTracepoint, HasTheKernelsName) {
  EXPECT_EQ(name_of(redirect), "xdp_redirect");
  EXPECT_EQ(name_of(redirect_err), "xdp_redirect_err");
  EXPECT_EQ(name_of(devmap_xmit), "xdp_devmap_xmit");
  EXPECT_EQ(name_of(exception), "xdp_exception");
  EXPECT_EQ(name_of(bulk_tx), "xdp_bulk_tx");
}

TEST(RedirectTrace, IsNotPossibleWithoutCapabilities) {
  std::string why;
  ASSERT_EQ(fault(with_capabilities({}, [&] { why = fault(RedirectListener::possible()); })), "");
  EXPECT_THAT(why, testing::HasSubstr("EPERM"));
}

class RedirectTraceTest : public testing_support::NetNsTest {
 protected:
  void SetUp() override {
    NetNsTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    if (const auto possible = RedirectListener::possible(); !possible) GTEST_SKIP() << possible.error().text();
    if (const Fact fact = features::live_frames().probe(); fact.presence != Presence::present) {
      GTEST_SKIP() << fact.text;
    }
  }

  /// A program that redirects to a key of a map, and a frame that takes that way.
  static Program redirecting_to(const DevMap& map, std::uint32_t key) {
    return Program::load({}, Assembler().redirect_map(map, key, XDP_DROP).exit().build().value()).expected().value();
  }
  static void send_through(const Program& program) {
    const auto run = program.test_run({.repeat = 1, .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .data_in = make_frame()});
    ASSERT_EQ(fault(run), "");
  }
  static std::uint32_t id_of(const Program& program) { return program.info().value().id; }
};

TEST_F(RedirectTraceTest, HearsOfWhatAProgramRedirects) {
  inside([] {
    const auto pair = create_veth({.first_index = distinct_ifindex(0), .second_index = distinct_ifindex(1)});
    ASSERT_EQ(fault(pair), "");
    const auto sink = CountingSink::attach(pair->second);
    ASSERT_EQ(fault(sink), "");
    const auto map = DevMap::create({}).expected().value();
    ASSERT_EQ(fault(map.update(2, {.ifindex = pair->first})), "");
    const auto program = redirecting_to(map, 2);
    auto trace = RedirectTrace::start({redirect, redirect_err, devmap_xmit},
                                      {.programs = {id_of(program)}, .devices = {pair->first}});
    ASSERT_EQ(fault(trace), "");
    send_through(program);
    const auto events = trace->events();
    ASSERT_EQ(fault(events), "");
    std::string all;
    for (const auto& event : *events) all += event.text() + "\n";
    ASSERT_EQ(events->size(), 2U) << all;
    const auto& verdict = events->front();
    EXPECT_EQ(verdict.tracepoint, redirect) << verdict.text();
    EXPECT_EQ(verdict.program_id, id_of(program));
    EXPECT_EQ(verdict.action, XDP_REDIRECT);
    EXPECT_EQ(verdict.map_id, map.info().value().id);
    EXPECT_EQ(verdict.map_index, 2U);
    EXPECT_EQ(verdict.err, 0);
    const auto& sent = events->back();
    EXPECT_EQ(sent.tracepoint, devmap_xmit) << sent.text();
    EXPECT_EQ(sent.to_ifindex, pair->first);
    EXPECT_EQ(sent.sent + sent.drops, 1) << sent.text();
    EXPECT_TRUE(trace->events().value().empty()) << "each event is given once";
  });
}

TEST_F(RedirectTraceTest, DoesNotHearOfOthers) {
  inside([] {
    const auto map = DevMap::create({}).expected().value();
    ASSERT_EQ(fault(map.update(0, {.ifindex = kLoopback})), "");
    const auto watched = redirecting_to(map, 0);
    const auto other = redirecting_to(map, 0);
    auto trace = RedirectTrace::start({redirect, redirect_err}, {.programs = {id_of(watched)}});
    ASSERT_EQ(fault(trace), "");
    send_through(other);
    EXPECT_TRUE(trace->events().value().empty());
    send_through(watched);
    const auto heard = trace->events().value();
    ASSERT_EQ(heard.size(), 1U);
    EXPECT_EQ(heard.front().tracepoint, redirect_err) << "the loopback device takes no XDP frames";
    EXPECT_EQ(heard.front().err, -EOPNOTSUPP);
  });
}

TEST_F(RedirectTraceTest, SharesAListener) {
  inside([] {
    auto listener = RedirectListener::create(kRedirectTracepoints, 2);
    ASSERT_EQ(fault(listener), "");
    const auto shared = std::make_shared<const RedirectListener>(std::move(*listener));
    const auto map = DevMap::create({}).expected().value();
    ASSERT_EQ(fault(map.update(0, {.ifindex = kLoopback})), "");
    const auto first = redirecting_to(map, 0);
    const auto second = redirecting_to(map, 0);
    {
      auto of_first = RedirectTrace::start(shared, 0, {redirect_err}, {.programs = {id_of(first)}});
      ASSERT_EQ(fault(of_first), "");
      auto of_second = RedirectTrace::start(shared, 1, {redirect}, {.programs = {id_of(second)}});
      ASSERT_EQ(fault(of_second), "");
      send_through(first);
      send_through(second);
      const auto heard = of_first->events().value();
      ASSERT_EQ(heard.size(), 1U);
      EXPECT_EQ(heard.front().program_id, id_of(first));
      EXPECT_TRUE(of_second->events().value().empty()) << "its tracepoint was not raised";
      send_through(first);  // nobody reads these any more
    }
    auto later = RedirectTrace::start(shared, 0, {redirect_err}, {.programs = {id_of(second)}});
    ASSERT_EQ(fault(later), "");
    send_through(first);
    EXPECT_TRUE(later->events().value().empty()) << "it hears of what an earlier trace watched";
    send_through(second);
    EXPECT_EQ(later->events().value().size(), 1U);
  });
}

TEST_F(RedirectTraceTest, IsNotStartedWithNothingToWatch) {
  EXPECT_THAT(fault(RedirectTrace::start({redirect}, {})), testing::HasSubstr("nothing is watched at xdp_redirect"));
  EXPECT_THAT(fault(RedirectTrace::start({devmap_xmit}, {.programs = {1}})),
              testing::HasSubstr("nothing is watched at xdp_devmap_xmit"));
}

}  // namespace
}  // namespace devmap
