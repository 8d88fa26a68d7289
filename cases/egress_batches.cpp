#include <cases/egress.hpp>
#include <cases/live_targets.hpp>
#include <cases/support.hpp>
#include <harness/net/features.hpp>

// Programs in entries and the frames of a flush, with live frames, whose batches are known.
namespace devmap::cases {
namespace {

using enum RedirectTracepoint;

const std::string kEnqueue = "kernel/bpf/devmap.c:bq_enqueue";
/// More than a queue holds (16), so that a device's queue is handed to its driver twice in a flush.
constexpr std::uint32_t kFrames = 20;
constexpr std::uint32_t kOneBatch = 64;

/// A program that redirects its first frame, and then every second one, to key `first`, the others to the other of the
/// keys 0 and 1.
Program alternating(Case& c, const DevMap& map, const Map& counter, std::uint32_t first) {
  using enum Register;
  Assembler code;
  const auto even = code.label();
  number_the_frame(code, counter)
      .compute(Arithmetic::bit_and, r7, 1)
      .jump_if(Condition::equal, r7, 0, even)
      .redirect_map(map, 1 - first, 0)
      .exit()
      .place(even)
      .redirect_map(map, first, 0)
      .exit();
  return c.program(code);
}

/// How often the programs in two entries ran.
std::vector<std::uint32_t> runs_of(Case& c, const Map& notes0, const Map& notes1) {
  return {noted(c, notes0).runs, noted(c, notes1).runs};
}

/// Two entries, the programs of which note their runs.
struct TwoEntries {
  DevMap map;
  Map notes0;
  Map notes1;

  enum class Programs : std::uint8_t { both, first_only };

  /// Key 0 is for the first device, key 1 for the second.
  TwoEntries(Case& c, std::uint32_t first, std::uint32_t second, Programs programs = Programs::both)
      : map(c.devmap()), notes0(notes_for_egress(c)), notes1(notes_for_egress(c)) {
    put_with_program(c, map, 0, first, noting(notes0).return_value(XDP_PASS));
    if (programs == Programs::both) {
      put_with_program(c, map, 1, second, noting(notes1).return_value(XDP_PASS));
    } else {
      c.must(map.update(1, {.ifindex = second}));
    }
  }
};

void add_queue_program(Registry& rules) {
  rules.add(live_egress_rule({
      .id = "egress.flush-runs-the-program-of-its-first-frame",
      .states = "Where two entries have one device, all frames of a flush to it run the program of the entry of the "
                "first of them.",
      .source = {kEnqueue},
      .commits = {"cb261b594b41"},
      .catalogue = {"EGRESS-15"},
      .check =
          [](Case& c) {
            LiveTargets targets(c);
            for (const std::uint32_t first : {0U, 1U}) {
              const TwoEntries entries(c, targets.device(0), targets.device(0));
              const auto counter = frame_counter(c);
              const auto program = alternating(c, entries.map, counter, first);
              c.equals(
                  fmt::format("frames at the device after a batch of 20 to keys {} and {} in turn", first, 1 - first),
                  targets.arrivals_of(c, program, {.frames = kFrames, .batch_size = kOneBatch}), arrived(kFrames, 0));
              c.equals("runs of the programs of keys 0 and 1", runs_of(c, entries.notes0, entries.notes1),
                       first == 0 ? std::vector{kFrames, 0U} : std::vector{0U, kFrames});
            }
          },
  }));

  rules.add(live_egress_rule({
      .id = "egress.frames-flushed-apart-run-their-own-programs",
      .states = "Where two entries have one device, frames that are flushed one by one run the programs of their own "
                "entries.",
      .source = {kEnqueue},
      .catalogue = {"EGRESS-15"},
      .check =
          [](Case& c) {
            LiveTargets targets(c);
            const TwoEntries entries(c, targets.device(0), targets.device(0));
            const auto counter = frame_counter(c);
            const auto program = alternating(c, entries.map, counter, 0);
            c.equals("frames at the device after 20 batches of one frame, to keys 0 and 1 in turn",
                     targets.arrivals_of(c, program, {.frames = kFrames, .batch_size = 1}), arrived(kFrames, 0));
            c.equals("runs of the programs of keys 0 and 1", runs_of(c, entries.notes0, entries.notes1),
                     std::vector{kFrames / 2, kFrames / 2});
          },
  }));

  rules.add(live_egress_rule({
      .id = "egress.flush-runs-a-program-for-entries-without",
      .states = "Where two entries have one device and one of them has a program, the first frame of a flush decides "
                "whether all of its frames run it or none.",
      .source = {kEnqueue},
      .catalogue = {"EGRESS-15"},
      .check =
          [](Case& c) {
            LiveTargets targets(c);
            for (const std::uint32_t first : {0U, 1U}) {
              const TwoEntries entries(c, targets.device(0), targets.device(0), TwoEntries::Programs::first_only);
              const auto counter = frame_counter(c);
              const auto program = alternating(c, entries.map, counter, first);
              c.equals(
                  fmt::format("frames at the device after a batch of 20 to keys {} and {} in turn", first, 1 - first),
                  targets.arrivals_of(c, program, {.frames = kFrames, .batch_size = kOneBatch}), arrived(kFrames, 0));
              c.equals("runs of the program of key 0, key 1 having none", noted(c, entries.notes0).runs,
                       first == 0 ? kFrames : 0U);
            }
          },
  }));

  rules.add(live_egress_rule({
      .id = "egress.each-device-of-a-flush-has-its-program",
      .states = "Frames of one flush to different devices run the programs of their own entries.",
      .source = {kEnqueue},
      .catalogue = {"EGRESS-16"},
      .check =
          [](Case& c) {
            LiveTargets targets(c);
            const TwoEntries entries(c, targets.device(0), targets.device(1));
            const auto counter = frame_counter(c);
            const auto program = alternating(c, entries.map, counter, 0);
            c.equals("frames at the devices of keys 0 and 1 after a batch of 20 to them in turn",
                     targets.arrivals_of(c, program, {.frames = kFrames, .batch_size = kOneBatch}),
                     arrived(kFrames / 2, kFrames / 2));
            c.equals("runs of the programs of keys 0 and 1", runs_of(c, entries.notes0, entries.notes1),
                     std::vector{kFrames / 2, kFrames / 2});
          },
  }));
}

/// Live frames to one entry whose program returns this.
std::string events_of_verdict(Case& c, std::int32_t verdict, const LiveRun& run,
                              std::initializer_list<RedirectTracepoint> tracepoints) {
  LiveTargets targets(c, {.count = 1});
  const auto map = c.devmap();
  put_with_program(c, map, 0, targets.device(0), Assembler().return_value(verdict));
  const auto program = redirecting_program(c, map, 0, 0);
  auto trace = c.trace(
      tracepoints, {.programs = {id_of(c, program)}, .receivers = {targets.device(0)}, .devices = {targets.device(0)}});
  c.equals("frames at the device", targets.arrivals_of(c, program, run), std::vector<std::uint64_t>{0});
  return summary(c.must(trace.events()));
}

void add_bulks(Registry& rules) {
  rules.add(live_egress_rule({
      .id = "egress.native-program-runs-at-the-flush",
      .states = "With a native main program the entry's program runs when the device's queue is flushed, once for each "
                "frame, after the xdp_redirect of all of them.",
      .source = {"kernel/bpf/devmap.c:bq_xmit_all"},
      .commits = {"cb261b594b41"},
      .catalogue = {"EGRESS-01"},
      .needs = {features::redirect_trace()},
      .check =
          [](Case& c) {
            c.equals("events of a batch of 3 frames for which the program returns XDP_ABORTED",
                     events_of_verdict(c, XDP_ABORTED, {.frames = 3}, {redirect, redirect_err, devmap_xmit, exception}),
                     "xdp_redirect, xdp_redirect, xdp_redirect, xdp_exception, xdp_exception, xdp_exception, "
                     "xdp_devmap_xmit sent 0 of 3");
          },
  }));

  rules.add(live_egress_rule({
      .id = "egress.drops-are-counted-with-their-bulk",
      .states = "xdp_devmap_xmit counts the frames that an entry's program dropped with the bulk, of at most 16 "
                "frames, that they were in.",
      .source = {"kernel/bpf/devmap.c:bq_xmit_all"},
      .catalogue = {"EGRESS-21"},
      .needs = {features::redirect_trace()},
      .check =
          [](Case& c) {
            c.equals("events of a batch of 20 frames for which the program returns XDP_DROP",
                     events_of_verdict(c, XDP_DROP, {.frames = kFrames, .batch_size = kOneBatch},
                                       {redirect_err, devmap_xmit, exception}),
                     "xdp_devmap_xmit sent 0 of 16, xdp_devmap_xmit sent 0 of 4");
          },
  }));
}

}  // namespace

void add_egress_batches(Registry& rules) {
  add_queue_program(rules);
  add_bulks(rules);
}

}  // namespace devmap::cases
