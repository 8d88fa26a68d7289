#include <cases/live_targets.hpp>
#include <cases/support.hpp>
#include <cases/trun.hpp>
#include <harness/base/wait.hpp>
#include <harness/bpf/features.hpp>
#include <harness/net/features.hpp>
#include <harness/net/frame.hpp>
#include <harness/net/link.hpp>
#include <harness/net/redirect_trace.hpp>

#include <linux/if_link.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <iterator>

// What BPF_PROG_TEST_RUN does with live frames (BPF_F_TEST_XDP_LIVE_FRAMES).
namespace devmap::cases {
namespace {

using enum RedirectTracepoint;
using std::chrono_literals::operator""ms;

constexpr std::uint32_t kKey = 1;
const std::string kBatch = "net/bpf/test_run.c:xdp_test_run_batch";
const std::string kLive = "net/bpf/test_run.c:bpf_test_run_xdp_live";

Rule live_rule(Rule rule) {
  rule.since = std::max(rule.since, kLiveFramesSince);
  if (rule.source.empty()) rule.source = {kBatch};
  rule.needs.insert(rule.needs.begin(), features::live_frames());
  return rule;
}

/// A live run whose reply is judged.
Reply<TestRunResult> live_run(const Program& program, std::uint32_t repeat = 1, std::uint32_t batch_size = 0) {
  return program.test_run(
      {.repeat = repeat, .flags = flags_of(RunKind::live), .batch_size = batch_size, .data_in = make_frame()});
}

std::vector<RedirectEvent> of(const std::vector<RedirectEvent>& events, RedirectTracepoint tracepoint) {
  std::vector<RedirectEvent> found;
  std::ranges::copy_if(events, std::back_inserter(found),
                       [tracepoint](const auto& event) { return event.tracepoint == tracepoint; });
  return found;
}

/// How many frames each transmission of a target's queue took.
std::vector<std::int32_t> sent_at_once(const std::vector<RedirectEvent>& events) {
  std::vector<std::int32_t> sent;
  for (const auto& event : of(events, devmap_xmit)) sent.push_back(event.sent);
  return sent;
}

/// A range of frame numbers, from `first` to before `end`.
struct Frames {
  std::int32_t first;
  std::int32_t end;
};

/// A program that redirects by kKey only these of its frames, the first being number 0, and drops the others.
Program redirecting_some(Case& c, const DevMap& map, const Map& counter, std::initializer_list<Frames> chosen) {
  Assembler code;
  number_the_frame(code, counter);
  const auto redirected = code.label();
  for (const auto& frames : chosen) {
    const auto not_these = code.label();
    code.jump_if(Condition::less, Register::r7, frames.first, not_these)
        .jump_if(Condition::less, Register::r7, frames.end, redirected)
        .place(not_these);
  }
  code.return_value(XDP_DROP);
  return c.program(code.place(redirected).redirect_map(map, kKey, 0).exit());
}

/// One target, and a map with it under kKey.
struct Bench {
  LiveTargets targets;
  DevMap map;

  explicit Bench(Case& c) : targets(c, {.count = 1}), map(c.devmap()) {
    c.must(map.update(kKey, {.ifindex = targets.device(0)}));
  }
};

void add_batch_size(Registry& rules) {
  rules.add(live_rule({
      .id = "trun.batch-size-above-256-is-e2big",
      .states = "A live run with a batch_size above 256 is refused with E2BIG.",
      .refuses = {E2BIG},
      .source = {kTestRunXdp},
      .catalogue = {"TRUN-04"},
      .variants = once(),
      .check =
          [](Case& c) {
            const auto program = c.program(Assembler().return_value(XDP_DROP));
            for (const std::uint32_t batch_size : {257U, UINT32_MAX}) {
              c.refuses(live_run(program, 1, batch_size), E2BIG).control(live_run(program, 1, 256));
            }
            for (const std::uint32_t batch_size : {0U, 1U, 64U}) c.succeeds(live_run(program, 1, batch_size));
          },
  }));
}

void add_numbers(Registry& rules) {
  rules.add(live_rule({
      .id = "trun.default-batch-is-64",
      .states = "A live run with a batch_size of 0 handles 64 frames at a time.",
      .source = {kTestRunXdp},
      .catalogue = {"TRUN-04", "LIMIT-04"},
      .variants = any_map(4),
      .needs = {features::veth(), features::redirect_trace()},
      .check =
          [](Case& c) {
            const Bench bench(c);
            const auto counter = frame_counter(c);
            // Queues hold 16 frames and are sent at the end of a batch: 8 redirected frames before the middle of 64 and
            // 8 around their end are 12 and 4 for batches of 64, and something else for any other.
            const auto program = redirecting_some(c, bench.map, counter, {{28, 36}, {60, 68}});
            auto trace = c.trace({devmap_xmit}, {.devices = bench.targets.devices()});
            run_live(c, program, {.frames = 68});
            c.equals("frames in each transmission, of 68 frames of which 28 to 35 and 60 to 67 are redirected",
                     sent_at_once(c.must(trace.events())), std::vector{12, 4});
          },
  }));

  rules.add(live_rule({
      .id = "trun.live-repeat-is-number-of-frames",
      .states = "A live run sends `repeat` frames, and one where `repeat` is 0.",
      .source = {kLive},
      .catalogue = {"TRUN-06"},
      .variants = any_map(4),
      .needs = {features::veth()},
      .check =
          [](Case& c) {
            Bench bench(c);
            const auto program = redirecting_program(c, bench.map, kKey, 0);
            for (const std::uint32_t repeat : {0U, 1U, 70U}) {
              c.equals(fmt::format("frames at the target with repeat {}", repeat),
                       bench.targets.arrivals_of(c, program, {.frames = repeat}),
                       std::vector<std::uint64_t>{repeat == 0 ? 1U : repeat});
            }
          },
  }));

  rules.add(live_rule({
      .id = "trun.live-frames-are-sent-batch-by-batch",
      .states = "A live run hands the redirected frames to the driver after each batch.",
      .source = {kBatch},
      .catalogue = {"TRUN-06"},
      .variants = any_map(4),
      .needs = {features::veth(), features::redirect_trace()},
      .check =
          [](Case& c) {
            const Bench bench(c);
            const auto program = redirecting_program(c, bench.map, kKey, 0);
            auto trace = c.trace({devmap_xmit}, {.devices = bench.targets.devices()});
            run_live(c, program, {.frames = 6, .batch_size = 4});
            c.equals("frames in each transmission, of 6 frames in batches of 4", sent_at_once(c.must(trace.events())),
                     std::vector{4, 2});
          },
  }));
}

void add_frame_size(Registry& rules) {
  rules.add(live_rule({
      .id = "trun.live-frame-of-a-page-is-einval",
      .states =
          "A live run with a frame that does not fit a page, together with headroom and the kernel's own data, is "
          "refused with EINVAL.",
      .refuses = {EINVAL},
      .source = {kTestRunXdp},
      .catalogue = {"TRUN-09"},
      .variants = once(),
      .check =
          [](Case& c) {
            // 256 bytes of headroom, the frame's own description, and struct skb_shared_info of at most 47 fragments.
            constexpr std::size_t kLeast = 512;
            constexpr std::size_t kMost = 1280;
            const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
            const auto program = c.program(Assembler().return_value(XDP_DROP));
            const auto run = [&](std::size_t size) {
              const auto frame = make_frame(size);
              return worded_as(Asked("live test run", {{"frame bytes", size}}),
                               program.test_run({.repeat = 1, .flags = flags_of(RunKind::live), .data_in = frame}));
            };
            c.refuses(run(page - kLeast), EINVAL).control(run(page - kMost));
            std::size_t taken = page - kMost;
            std::size_t refused = page - kLeast;
            while (refused - taken > 1) {
              const std::size_t middle = (taken + refused) / 2;
              (run(middle) ? taken : refused) = middle;
            }
            c.note(fmt::format("the largest frame that is taken is {} bytes short of a page", page - taken));
            c.refuses(run(taken + 1), EINVAL).control(run(taken));
          },
  }));
}

/// A live run with room for outputs.
Reply<TestRunResult> run_with_outputs(const Program& program, bool with_context, std::size_t data_out_room,
                                      std::size_t context_out_room) {
  const auto frame = make_frame();
  const auto context = context_of(frame);
  TestRun run{.repeat = 1,
              .flags = flags_of(RunKind::live),
              .data_in = frame,
              .data_out_room = data_out_room,
              .context_out_room = context_out_room};
  if (with_context) run.context_in = std::as_bytes(std::span(&context, 1));
  return worded_as(Asked("live test run", {{"context bytes", run.context_in.size()},
                                           {"room in data_out", data_out_room},
                                           {"room in ctx_out", context_out_room}}),
                   program.test_run(run));
}

void add_refused_outputs(Registry& rules) {
  rules.add(live_rule({
      .id = "trun.live-outputs-with-context-are-einval",
      .states = "A live run with a context and a data_out or ctx_out is refused with EINVAL.",
      .refuses = {EINVAL},
      .source = {kTestRunXdp},
      .catalogue = {"TRUN-16"},
      .variants = once(),
      .check =
          [](Case& c) {
            const auto program = c.program(Assembler().return_value(XDP_DROP));
            c.refuses(run_with_outputs(program, true, 64, 0), EINVAL).control(run_with_outputs(program, true, 0, 0));
            c.refuses(run_with_outputs(program, true, 0, 64), EINVAL).control(run_with_outputs(program, true, 0, 0));
          },
  }));

  rules.add(live_rule({
      .id = "trun.live-context-out-is-einval",
      .states = "A live run without a context but with a ctx_out is refused with EINVAL.",
      .refuses = {EINVAL},
      .source = {kTestRunXdp},
      .catalogue = {"TRUN-16"},
      .variants = once(),
      .check =
          [](Case& c) {
            const auto program = c.program(Assembler().return_value(XDP_DROP));
            c.refuses(run_with_outputs(program, false, 0, 64), EINVAL).control(run_with_outputs(program, false, 0, 0));
          },
  }));
}

void add_outputs(Registry& rules) {
  rules.add(live_rule({
      .id = "trun.live-run-returns-nothing",
      .states =
          "A live run tells a return value of 0 whatever the program returned, and takes a data_out only where no "
          "context is given.",
      .source = {kTestRunXdp},
      .catalogue = {"TRUN-16"},
      .variants = once(),
      .check =
          [](Case& c) {
            for (const std::int32_t action : {XDP_DROP, XDP_ABORTED, XDP_REDIRECT}) {
              const auto program = c.program(Assembler().return_value(action));
              c.equals(fmt::format("return value of a live run of a program that returns {}", action),
                       c.succeeds(live_run(program)).return_value, 0U);
            }
            c.succeeds(run_with_outputs(c.program(Assembler().return_value(XDP_DROP)), false, 64, 0));
          },
  }));
}

void add_failures(Registry& rules) {
  rules.add(live_rule({
      .id = "trun.live-run-hides-failed-redirects",
      .states = "A live run succeeds also where no frame could be redirected.",
      .refuses = {ENETDOWN, EOPNOTSUPP, EBADRQC},
      .catalogue = {"TRUN-18"},
      .variants = any_map(4),
      .needs = {features::veth(), features::redirect_trace()},
      .check =
          [](Case& c) {
            const Bench bench(c);
            c.must(set_up(bench.targets.device(0), false));
            const auto to_lo = c.devmap();
            c.must(to_lo.update(kKey, {.ifindex = kLoopback}));
            const auto down = redirecting_program(c, bench.map, kKey, 0);
            const auto unable = redirecting_program(c, to_lo, kKey, 0);
            const auto bare = c.program(Assembler().return_value(XDP_REDIRECT));
            auto trace =
                c.trace({redirect, redirect_err}, {.programs = {id_of(c, down), id_of(c, unable), id_of(c, bare)}});
            const auto fails = [&](std::string_view what, const Program& program, int code) {
              c.equals(fmt::format("return value of a live run of a program that redirects {}", what),
                       c.succeeds(live_run(program)).return_value, 0U);
              const auto events = of(c.must(trace.events()), redirect_err);
              if (c.equals("redirects of it that fail", events.size(), 1U)) {
                c.ends_in("the errno of that", events.front().err, code);
              }
            };
            fails("to a device that is down", down, ENETDOWN);
            fails("to lo, which cannot transmit", unable, EOPNOTSUPP);
            fails("without a target", bare, EBADRQC);
          },
  }));

  rules.add(live_rule({
      .id = "trun.live-aborted-is-silent",
      .states = "A live frame given XDP_ABORTED is dropped without an xdp_exception, which a driver would raise.",
      .catalogue = {"TRUN-21"},
      .variants = once(),
      .needs = {features::veth(), features::redirect_trace()},
      .check =
          [](Case& c) {
            const auto program = c.program(Assembler().return_value(XDP_ABORTED));
            const auto pair = c.must(create_veth({.first_index = distinct_ifindex(), .queues = 1}));
            auto trace = c.trace({redirect, redirect_err, exception}, {.programs = {id_of(c, program)}});
            run_live(c, program);
            c.equals("events of a live run of a program that returns XDP_ABORTED", c.must(trace.events()).size(), 0U);
            // The same program in a driver shows that the trace would have heard.
            const auto link = c.must(XdpLink::create(program, {.ifindex = pair.first, .flags = XDP_FLAGS_DRV_MODE}));
            const auto sender = c.must(PacketSocket::open(pair.second));
            std::vector<RedirectEvent> events;
            for (int attempt = 0; attempt < 5 && events.empty(); ++attempt) {
              c.must(sender.send(make_frame()));
              (void)wait_until(
                  [&] {
                    events = c.must(trace.events());
                    return !events.empty();
                  },
                  c.patience() / 4);
            }
            c.holds("the same program attached to a veth device raises xdp_exception", !of(events, exception).empty(),
                    events.empty() ? "no event" : events.front().text());
          },
  }));
}

void add_actions(Registry& rules) {
  rules.add(live_rule({
      .id = "trun.live-pass-goes-to-ingress-stack",
      .states = "A live frame given XDP_PASS goes to the stack of the receiving device: the one the context names, or "
                "lo.",
      .source = {"net/bpf/test_run.c:xdp_recv_frames"},
      .catalogue = {"TRUN-19"},
      .variants = once(),
      .needs = {features::veth()},
      .check =
          [](Case& c) {
            c.must(set_up(kLoopback));
            const auto pair = c.must(create_veth({.queues = 1}));
            const auto at_lo = c.must(PacketSocket::open(kLoopback));
            const auto at_veth = c.must(PacketSocket::open(pair.first));
            const auto program = c.program(Assembler().return_value(XDP_PASS));
            const auto heard = [&](const PacketSocket& socket, std::chrono::milliseconds limit) {
              return c.must(socket.receive(limit)) == live_frame();
            };
            run_live(c, program);
            c.holds("without a context: lo hears the frame", heard(at_lo, c.patience()));
            c.holds("the veth device does not", !heard(at_veth, 0ms));
            run_live(c, program, {.ingress = pair.first});
            c.holds("with the veth device in the context: it hears the frame", heard(at_veth, c.patience()));
            c.holds("lo does not", !heard(at_lo, 0ms));
          },
  }));

  rules.add(live_rule({
      .id = "trun.live-miss-takes-the-action-of-flags",
      .states = "A live frame for which bpf_redirect_map found nothing is treated by the action in its flags: XDP_PASS "
                "goes to the stack of the receiving device.",
      .source = {"net/bpf/test_run.c:xdp_recv_frames"},
      .catalogue = {"TRUN-19"},
      .variants = any_map(4),
      .check =
          [](Case& c) {
            c.must(set_up(kLoopback));
            const auto stack = c.must(PacketSocket::open(kLoopback));
            const auto map = c.devmap();
            for (const std::uint64_t action : {XDP_DROP, XDP_PASS}) {
              run_live(c, redirecting_program(c, map, kKey, action));
            }
            c.holds("lo hears the frame of a miss with XDP_PASS in flags",
                    c.must(stack.receive(c.patience())).has_value());
            c.holds("lo does not hear that of a miss with XDP_DROP", !c.must(stack.receive(0ms)).has_value());
          },
  }));

  rules.add(live_rule({
      .id = "trun.live-tx-is-a-redirect-to-ingress",
      .states = "A live frame given XDP_TX is redirected by ifindex to the receiving device, which sends it.",
      .refuses = {EOPNOTSUPP},
      .catalogue = {"TRUN-20"},
      .variants = once(),
      .needs = {features::veth(), features::redirect_trace()},
      .check =
          [](Case& c) {
            LiveTargets targets(c, {.count = 1});
            const auto program = c.program(Assembler().return_value(XDP_TX));
            auto trace = c.trace({redirect, redirect_err}, {.programs = {id_of(c, program)}});
            const auto shows = [&](std::string_view name, RedirectTracepoint tracepoint, std::uint32_t to) {
              const auto events = c.must(trace.events());
              if (!c.equals(fmt::format("events named {}", name_of(tracepoint)), of(events, tracepoint).size(), 1U)) {
                return;
              }
              const auto event = of(events, tracepoint).front();
              c.holds(fmt::format("its to_ifindex is {}", name), event.to_ifindex == to, event.text());
              c.equals("its map_id", event.map_id, kNoMapId);
              if (tracepoint == redirect_err) c.ends_in("its err", event.err, EOPNOTSUPP);
            };
            c.equals("frames through a veth device that receives a frame given XDP_TX",
                     targets.arrivals_of(c, program, {.ingress = targets.device(0)}), std::vector<std::uint64_t>{1});
            shows("the veth device", redirect, targets.device(0));
            run_live(c, program);
            c.note("the same with lo receiving, which cannot transmit");
            shows("lo", redirect_err, kLoopback);
          },
  }));
}

void add_copies(Registry& rules) {
  rules.add(live_rule({
      .id = "trun.live-broadcast-copies-are-whole",
      .states = "Every copy of a live frame that is broadcast has the frame's bytes.",
      .since = {.major = 6, .minor = 3},
      .source = {"net/bpf/test_run.c:xdp_test_run_init_page"},
      .commits = {"294635a8165a"},
      .catalogue = {"TRUN-23"},
      .variants = any_map(4),
      .needs = {features::veth()},
      .check =
          [](Case& c) {
            LiveTargets targets(c);
            const auto map = c.devmap();
            for (std::uint32_t n = 0; n < 2; ++n) c.must(map.update(n, {.ifindex = targets.device(n)}));
            const auto program = redirecting_program(c, map, 0, BPF_F_BROADCAST);
            c.equals("frames at each of two targets after a broadcast", targets.arrivals_of(c, program), arrived(1, 1));
            c.equals("frames at each of them that begin with the payload byte they were sent with",
                     targets.whole_arrivals(c), arrived(1, 1));
          },
  }));
}

/// What a program noted of its context.
struct Noted {
  std::uint32_t runs = 0;
  std::uint32_t metadata = 0;
  std::uint32_t queue = 0;
};

std::int16_t at(std::size_t offset) {
  return static_cast<std::int16_t>(offset);
}

/// Appends code that adds a run and the length of the metadata to a map's only value, which r6 points to afterwards.
Assembler& note_metadata(Assembler& code, const Map& notes) {
  using enum Register;
  return code.load_map_value(r6, notes, 0)
      .load(Width::word, r7, r6, at(offsetof(Noted, runs)))
      .compute(Arithmetic::add, r7, 1)
      .store(Width::word, r6, at(offsetof(Noted, runs)), r7)
      .load(Width::word, r7, r1, at(offsetof(xdp_md, data)))
      .load(Width::word, r8, r1, at(offsetof(xdp_md, data_meta)))
      .compute(Arithmetic::subtract, r7, r8)
      .store(Width::word, r6, at(offsetof(Noted, metadata)), r7);
}

/// The same with the queue. Not for a program in an entry: kernels without ca9984c5f0ab follow a null pointer there.
Assembler& note_context(Assembler& code, const Map& notes) {
  using enum Register;
  return note_metadata(code, notes)
      .load(Width::word, r7, r1, at(offsetof(xdp_md, rx_queue_index)))
      .store(Width::word, r6, at(offsetof(Noted, queue)), r7);
}

Map notes_map(Case& c) {
  return c.must(Map::create({.type = BPF_MAP_TYPE_ARRAY, .value_size = sizeof(Noted)}));
}

void add_contexts(Registry& rules) {
  rules.add(live_rule({
      .id = "trun.live-queue-is-0",
      .states = "A program in a live run finds 0 in rx_queue_index, whatever was given.",
      .source = {"net/bpf/test_run.c:xdp_test_run_init_page"},
      .catalogue = {"TRUN-11"},
      .variants = once(),
      .needs = {features::veth()},
      .check =
          [](Case& c) {
            const auto pair = c.must(create_veth({.queues = 2, .up = false}));
            const auto notes = notes_map(c);
            Assembler code;
            const auto program = c.program(note_context(code, notes).return_value(XDP_DROP));
            const auto frame = make_frame();
            auto context = context_of(frame);
            context.ingress_ifindex = pair.first;
            context.rx_queue_index = 1;
            c.succeeds(run_with_context(program, frame, context, RunKind::live));
            const auto noted = c.must(notes.lookup<Noted>(0));
            c.equals("runs of the program", noted.runs, 1U);
            c.equals("rx_queue_index that it reads", noted.queue, 0U);
          },
  }));

  rules.add(live_rule({
      .id = "trun.live-metadata-reaches-both-programs",
      .states =
          "The metadata that a context describes is in front of a live frame for the program that is run, and for "
          "the egress program of the entry it redirects to.",
      .source = {"net/bpf/test_run.c:xdp_test_run_init_page", "kernel/bpf/devmap.c:dev_map_bpf_prog_run"},
      .catalogue = {"TRUN-22"},
      .variants = any_map(8),
      .needs = {features::veth()},
      .check =
          [](Case& c) {
            constexpr std::uint32_t kMetadata = 16;
            const LiveTargets targets(c, {.count = 1});
            const auto map = c.devmap();
            const auto main_notes = notes_map(c);
            const auto egress_notes = notes_map(c);
            Assembler egress_code;
            const auto egress = c.program(note_metadata(egress_code, egress_notes).return_value(XDP_PASS),
                                          {.expected_attach_type = BPF_XDP_DEVMAP});
            c.must(map.update(kKey, {.ifindex = targets.device(0), .program_fd = egress.fd()}));
            Assembler main_code;
            const auto program = c.program(note_metadata(main_code, main_notes).redirect_map(map, kKey, 0).exit());
            const auto frame = make_frame(kMetadata + kShortestFrame);
            auto context = context_of(frame);
            context.data = kMetadata;
            c.succeeds(run_with_context(program, frame, context, RunKind::live));
            const auto in_main = c.must(main_notes.lookup<Noted>(0));
            const auto in_egress = c.must(egress_notes.lookup<Noted>(0));
            c.equals("runs of the program", in_main.runs, 1U);
            c.equals("bytes of metadata that it finds", in_main.metadata, kMetadata);
            c.equals("runs of the egress program", in_egress.runs, 1U);
            c.equals("bytes of metadata that it finds", in_egress.metadata, kMetadata);
          },
  }));
}

}  // namespace

void add_trun_live_batch_size(Registry& rules) {
  add_batch_size(rules);
}

void add_trun_live_refused_outputs(Registry& rules) {
  add_refused_outputs(rules);
}

void add_trun_live_frame_size(Registry& rules) {
  add_frame_size(rules);
}

void add_trun_live_rules(Registry& rules) {
  add_numbers(rules);
  add_outputs(rules);
  add_failures(rules);
  add_actions(rules);
  add_copies(rules);
  add_contexts(rules);
}

}  // namespace devmap::cases
