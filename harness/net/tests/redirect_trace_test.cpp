#include <harness/net/redirect_trace.hpp>

#include <fcntl.h>
#include <linux/if_link.h>

#include <fmt/format.h>
#include <harness/base/capabilities.hpp>
#include <harness/base/detached_mount.hpp>
#include <harness/base/file.hpp>
#include <harness/base/processor.hpp>
#include <harness/base/wait.hpp>
#include <harness/bpf/devmap.hpp>
#include <harness/bpf/features.hpp>
#include <harness/net/counting_sink.hpp>
#include <harness/net/frame.hpp>
#include <harness/net/link.hpp>
#include <harness/net/packet_socket.hpp>
#include <harness/net/tests/netns_fixture.hpp>
#include <harness/net/xdp_link.hpp>
#include <memory>
#include <optional>
#include <stop_token>
#include <thread>

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
    // What the kernel skips in one test would show in the traces of all others.
    auto turn = MachineTurn::take();
    ASSERT_EQ(fault(turn), "");
    turn_.emplace(std::move(*turn));
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

 private:
  std::optional<MachineTurn> turn_;
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

TEST_F(RedirectTraceTest, TakesNoEventsFromOthers) {
  inside([] {
    auto listener = RedirectListener::create(kRedirectTracepoints, 2);
    ASSERT_EQ(fault(listener), "");
    const auto shared = std::make_shared<const RedirectListener>(std::move(*listener));
    const auto watch = [&](std::uint32_t ring, std::uint32_t device) {
      return RedirectTrace::start(shared, ring, {devmap_xmit}, {.devices = {device}});
    };
    {
      const auto first = watch(0, distinct_ifindex(0));
      ASSERT_EQ(fault(first), "");
      EXPECT_THAT(fault(watch(1, distinct_ifindex(0))), testing::HasSubstr("EEXIST"));
      EXPECT_EQ(fault(watch(1, distinct_ifindex(1))), "");
    }
    EXPECT_EQ(fault(watch(1, distinct_ifindex(0))), "") << "nobody watches it any more";
    EXPECT_THAT(fault(watch(0, kLoopback)), testing::HasSubstr("loopback"));
    const auto as_receiver = RedirectTrace::start(shared, 0, {redirect}, {.receivers = {kLoopback}});
    EXPECT_THAT(fault(as_receiver), testing::HasSubstr("loopback"));
    EXPECT_EQ(fault(RedirectTrace::start({devmap_xmit}, {.devices = {kLoopback}})), "") << "a listener of its own";
  });
}

/// Keeps a processor within bpf(2) calls about a map while it lives.
class BusyProcessor {
 public:
  explicit BusyProcessor(unsigned processor)
      : thread_([processor](const std::stop_token& stop) {
          // Most of a call that writes a large value is the copying of it.
          constexpr std::uint32_t kLarge = 1 << 20;
          const auto map = Map::create({.type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = kLarge});
          ASSERT_TRUE(map);
          ASSERT_EQ(fault(stay_on_processor(processor)), "");
          const std::vector<std::byte> value(kLarge);
          const std::uint32_t key = 0;
          while (!stop.stop_requested()) ASSERT_TRUE(map.value().update_raw(&key, value.data()));
        }) {}

 private:
  std::jthread thread_;
};

/// Frames that arrive in a softirq of a chosen processor, by receive packet steering, where an event is raised for
/// each.
///
///     packet socket --> second <====> first, with the program (generic mode)
class SteeredFrames {
 public:
  static Expected<SteeredFrames> to(unsigned processor) {
    const auto pair = create_veth({.first_name = "steered", .first_index = distinct_ifindex(0), .queues = 1});
    if (!pair) return std::unexpected(pair.error());
    const auto sysfs = DetachedMount::open("sysfs");
    if (!sysfs) return std::unexpected(sysfs.error());
    // A mask in groups of 32 bits, the lowest last.
    std::string mask = fmt::format("{:x}", 1U << (processor % 32));
    for (unsigned group = 0; group < processor / 32; ++group) mask += ",00000000";
    const UniqueFd file(open(sysfs->path("class/net/steered/queues/rx-0/rps_cpus").c_str(), O_WRONLY | O_CLOEXEC));
    if (!file) return last_error("open", "rps_cpus");
    if (auto steered = write_all(file.get(), mask); !steered) return std::unexpected(steered.error());
    auto program = Program::load({}, Assembler().return_value(XDP_ABORTED).build().value()).expected();
    if (!program) return std::unexpected(program.error());
    auto link = XdpLink::create(*program, {.ifindex = pair->first, .flags = XDP_FLAGS_SKB_MODE}).expected();
    if (!link) return std::unexpected(link.error());
    auto sender = PacketSocket::open(pair->second);
    if (!sender) return std::unexpected(sender.error());
    return SteeredFrames(std::move(*program), std::move(*link), std::move(*sender));
  }

  [[nodiscard]] const Program& program() const { return program_; }
  void send() const { ASSERT_EQ(fault(sender_.send(make_frame())), ""); }

 private:
  SteeredFrames(Program program, XdpLink link, PacketSocket sender)
      : program_(std::move(program)), link_(std::move(link)), sender_(std::move(sender)) {}
  Program program_;
  XdpLink link_;
  PacketSocket sender_;
};

/// What a trace heard of one frame more: its event, that some were skipped, or neither.
enum class Heard { event, skipped, nothing };
Heard heard_of_a_frame(const SteeredFrames& frames, RedirectTrace& trace) {
  auto heard = Heard::nothing;
  frames.send();
  (void)wait_until(
      [&] {
        const auto events = trace.events();
        if (!events) heard = Heard::skipped;
        if (events && !events->empty()) heard = Heard::event;
        return heard != Heard::nothing;
      },
      std::chrono::seconds(10));
  return heard;
}

TEST_F(RedirectTraceTest, SaysThatTheKernelSkippedEvents) {
  inside([] {
    const auto processors = allowed_processors();
    ASSERT_EQ(fault(processors), "");
    if (processors->size() < 2) GTEST_SKIP() << "needs two processors";
    const auto frames = SteeredFrames::to(processors->back());
    if (!frames) GTEST_SKIP() << "frames cannot be steered to a processor: " << frames.error().text();
    const auto start = [&](RedirectTrace::OnMissed on_missed) {
      return RedirectTrace::start({exception}, {.programs = {id_of(frames->program())}}, std::move(on_missed));
    };
    std::uint64_t said = 0;
    {
      auto trace = start([&](std::uint64_t skipped) { said = skipped; });
      ASSERT_EQ(fault(trace), "");
      const BusyProcessor busy(processors->back());
      auto heard = Heard::event;
      // From the busy processor itself, frames would be sent and received between its calls.
      std::jthread([&] {
        ASSERT_EQ(fault(stay_on_processor(processors->front())), "");
        const auto heard_no_event = [&] {
          heard = heard_of_a_frame(*frames, *trace);
          return heard != Heard::event;
        };
        (void)wait_until(heard_no_event, std::chrono::seconds(10));
      }).join();
      if (heard == Heard::event) GTEST_SKIP() << "the kernel skips nothing here";
      if (heard == Heard::nothing) {
        EXPECT_EQ(trace->missed().value(), 0U);
        GTEST_SKIP() << "the kernel does not count what it skips";
      }
      EXPECT_GT(trace->missed().value(), 0U);
      EXPECT_GT(said, 0U);
      EXPECT_THAT(fault(trace->events()), testing::HasSubstr("the kernel skipped")) << "it is exact again";
      said = 0;
    }
    EXPECT_GT(said, 0U) << "the end of the trace does not tell";
    auto later = start({});
    ASSERT_EQ(fault(later), "");
    EXPECT_EQ(later->missed().value(), 0U) << "it counts what was skipped before it began";
    EXPECT_EQ(heard_of_a_frame(*frames, *later), Heard::event);
  });
}

TEST_F(RedirectTraceTest, IsExactWhereNothingIsSkipped) {
  inside([] {
    constexpr std::size_t kFrames = 1000;
    const auto map = DevMap::create({}).expected().value();
    const auto program = redirecting_to(map, 0);  // which misses
    bool said = false;
    {
      auto trace = RedirectTrace::start({redirect_err, exception}, {.programs = {id_of(program)}},
                                        [&](std::uint64_t) { said = true; });
      ASSERT_EQ(fault(trace), "");
      for (std::size_t frame = 0; frame < kFrames; ++frame) send_through(program);
      EXPECT_EQ(fault(trace->events()), "");
      EXPECT_EQ(trace->missed().value(), 0U);
    }
    EXPECT_FALSE(said);
  });
}

TEST_F(RedirectTraceTest, IsNotStartedWithNothingToWatch) {
  EXPECT_THAT(fault(RedirectTrace::start({redirect}, {})), testing::HasSubstr("nothing is watched at xdp_redirect"));
  EXPECT_THAT(fault(RedirectTrace::start({devmap_xmit}, {.programs = {1}})),
              testing::HasSubstr("nothing is watched at xdp_devmap_xmit"));
}

}  // namespace
}  // namespace devmap
