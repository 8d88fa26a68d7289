#include <cases/live_targets.hpp>
#include <cases/native.hpp>
#include <cases/support.hpp>
#include <harness/bpf/features.hpp>
#include <harness/net/features.hpp>
#include <harness/net/link.hpp>
#include <harness/net/redirect_trace.hpp>

#include <algorithm>

// How redirected frames are handed to drivers, driven by live frames: one batch of them is one poll.
namespace devmap::cases {
namespace {

using enum RedirectTracepoint;
using enum Register;

constexpr std::uint32_t kOneBatch = 256;
constexpr KernelVersion kLiveFrames{.major = 5, .minor = 18};

Rule bulk_rule(Rule rule) {
  rule.since = std::max(rule.since, kLiveFrames);
  rule.variants = any_map(4).in({Mode::native});
  rule.needs = {features::veth(), features::live_frames(), features::redirect_trace()};
  return rule;
}

/// "t0 sent 16 of 16, t0 sent 1 of 1": what was handed to drivers, in its order.
std::string transmissions(const LiveTargets& targets, const std::vector<RedirectEvent>& events) {
  const auto devices = targets.devices();
  std::string text;
  for (const auto& event : events) {
    if (event.tracepoint != devmap_xmit) continue;
    if (!text.empty()) text += ", ";
    text += fmt::format("t{} sent {} of {}", std::ranges::find(devices, event.to_ifindex) - devices.begin(), event.sent,
                        event.sent + event.drops);
    if (event.err != 0) text += " " + errno_name(-event.err);
  }
  return text;
}

void add_size(Registry& rules) {
  rules.add(bulk_rule({
      .id = "native.frames-are-handed-over-by-16",
      .states = "Redirected frames are handed to a driver by 16, and the rest of them at the end of the poll.",
      .source = {"kernel/bpf/devmap.c:bq_enqueue", "kernel/bpf/devmap.c:bq_xmit_all"},
      .catalogue = {"NATIVE-20", "LIMIT-01"},
      .check =
          [](Case& c) {
            LiveTargets targets(c, {.count = 1});
            const auto map = c.devmap(kEntries);
            c.must(map.update(kPresent, {.ifindex = targets.device(0)}));
            const auto program = redirecting_program(c, map, kPresent, 0);
            auto trace = c.trace({devmap_xmit}, {.devices = targets.devices()});
            const std::string all = "t0 sent 16 of 16";
            for (const auto& [frames, expected] : {std::pair{15U, std::string("t0 sent 15 of 15")},
                                                   {16U, all},
                                                   {17U, all + ", t0 sent 1 of 1"},
                                                   {40U, all + ", " + all + ", t0 sent 8 of 8"},
                                                   {64U, all + ", " + all + ", " + all + ", " + all}}) {
              run_live(c, program, {.frames = frames, .batch_size = kOneBatch});
              c.equals(fmt::format("transmissions of {} frames of one poll", frames),
                       transmissions(targets, c.must(trace.events())), expected);
              c.equals("frames at the sink", targets.arrivals(c), std::vector<std::uint64_t>{frames});
            }
          },
  }));

  rules.add(bulk_rule({
      .id = "native.every-device-has-its-own-queue",
      .states = "The 16 frames that are handed over at once are those of one device, whatever comes between them for "
                "another; at the end of the poll the device that was queued for last transmits first.",
      .source = {"kernel/bpf/devmap.c:bq_enqueue", "kernel/bpf/devmap.c:__dev_flush"},
      .catalogue = {"NATIVE-20", "NATIVE-21"},
      .check =
          [](Case& c) {
            LiveTargets targets(c, {.count = 2});
            const auto map = c.devmap(kEntries);
            for (std::uint32_t n = 0; n < 2; ++n) c.must(map.update(n, {.ifindex = targets.device(n)}));
            const auto counter = frame_counter(c);
            Assembler code;
            number_the_frame(code, counter).compute(Arithmetic::bit_and, r7, 1);
            code.load_map(r1, map).move(r2, r7).move(r3, 0).call(BPF_FUNC_redirect_map).exit();
            const auto program = c.program(code);
            auto trace = c.trace({devmap_xmit}, {.devices = targets.devices()});
            run_live(c, program, {.frames = 20, .batch_size = kOneBatch});
            c.equals("transmissions of 20 frames of one poll, for t0 and t1 by turns",
                     transmissions(targets, c.must(trace.events())), "t1 sent 10 of 10, t0 sent 10 of 10");
            c.equals("frames at each sink", targets.arrivals(c), std::vector<std::uint64_t>{10, 10});
            run_live(c, program, {.frames = 34, .batch_size = kOneBatch});
            c.equals("transmissions of 34 frames", transmissions(targets, c.must(trace.events())),
                     "t0 sent 16 of 16, t1 sent 16 of 16, t1 sent 1 of 1, t0 sent 1 of 1");
          },
  }));
}

void add_losses(Registry& rules) {
  rules.add(bulk_rule({
      .id = "native.veth-drops-the-rest-of-a-bulk-behind-a-frame-it-drops",
      .states = "A veth device that drops a frame which its peer's MTU does not allow drops with it all later frames "
                "that were handed over at once with it.",
      .since = {.major = 5, .minor = 13},
      .source = {"drivers/net/veth.c:veth_xdp_xmit"},
      .commits = {"fdc13979f91e"},
      .catalogue = {"NATIVE-23"},
      .check =
          [](Case& c) {
            constexpr std::int32_t kTooLong = 1;  // the number of the frame
            LiveTargets targets(c, {.count = 1});
            const auto map = c.devmap(kEntries);
            c.must(map.update(kPresent, {.ifindex = targets.device(0)}));
            c.must(set_mtu(targets.device(0) + 1, 100));
            auto trace = c.trace({devmap_xmit}, {.devices = targets.devices()});
            const auto run = [&](std::uint32_t batch_size) {
              const auto counter = frame_counter(c);
              Assembler code;
              number_the_frame(code, counter);
              const auto as_it_is = code.label();
              code.jump_if(Condition::not_equal, r7, kTooLong, as_it_is)
                  .move(r1, r6)
                  .move(r2, 100)
                  .call(BPF_FUNC_xdp_adjust_tail)
                  .place(as_it_is)
                  .redirect_map(map, kPresent, 0)
                  .exit();
              run_live(c, c.program(code), {.frames = 5, .batch_size = batch_size});
              return transmissions(targets, c.must(trace.events()));
            };
            c.note("the program makes the second of 5 frames 160 bytes long, where the peer's MTU allows 118");
            c.equals("transmissions, all 5 in one poll", run(kOneBatch), "t0 sent 1 of 5");
            c.equals("frames at the sink", targets.arrivals(c), std::vector<std::uint64_t>{1});
            c.equals("transmissions, each in a poll of its own", run(1),
                     "t0 sent 1 of 1, t0 sent 0 of 1, t0 sent 1 of 1, t0 sent 1 of 1, t0 sent 1 of 1");
            c.equals("frames at the sink", targets.arrivals(c), std::vector<std::uint64_t>{4});
          },
  }));
}

void add_full_ring(Registry& rules) {
  rules.add(bulk_rule({
      .id = "native.veth-takes-no-more-than-its-ring-holds",
      .states = "A veth device takes 256 redirected frames before its peer polls, and drops the rest; xdp_devmap_xmit "
                "counts the drops and tells no error.",
      .source = {"drivers/net/veth.c:veth_xdp_xmit"},
      .catalogue = {"NATIVE-11", "TRUN-24"},
      .check =
          [](Case& c) {
            constexpr std::uint32_t kRing = 256;
            constexpr std::uint32_t kFrames = 150;
            LiveTargets targets(c, {.count = 1});
            const auto map = c.devmap(kEntries);
            for (std::uint32_t key = 0; key < 2; ++key) c.must(map.update(key, {.ifindex = targets.device(0)}));
            const auto program = redirecting_program(c, map, 0, BPF_F_BROADCAST);
            auto trace = c.trace({devmap_xmit}, {.devices = targets.devices()});
            // Softirqs are off for the whole batch, and the ring is new: what was polled would free places by 16.
            run_live(c, program, {.frames = kFrames, .batch_size = kOneBatch});
            std::int32_t sent = 0;
            std::int32_t drops = 0;
            std::int32_t errors = 0;
            for (const auto& event : c.must(trace.events())) {
              sent += event.sent;
              drops += event.drops;
              if (event.err != 0) ++errors;
            }
            c.note("one poll broadcasts 150 frames by a map that has the device twice");
            c.equals("frames that the driver took", sent, static_cast<std::int32_t>(kRing));
            c.equals("frames that it dropped", drops, static_cast<std::int32_t>(2 * kFrames - kRing));
            c.equals("transmissions with an error", errors, 0);
            c.holds("the peer polls and receives them", targets.received(c, kRing));
            c.equals("frames at the sink", targets.arrivals(c), std::vector<std::uint64_t>{kRing});
          },
  }));
}

}  // namespace

void add_native_bulk(Registry& rules) {
  add_size(rules);
  add_losses(rules);
  add_full_ring(rules);
}

}  // namespace devmap::cases
