#include <cases/trun.hpp>

#include <unistd.h>
#include <cases/chapters.hpp>
#include <cases/live_targets.hpp>
#include <cases/support.hpp>
#include <harness/bpf/features.hpp>
#include <harness/net/features.hpp>
#include <harness/net/frame.hpp>
#include <harness/net/link.hpp>
#include <harness/net/redirect_trace.hpp>

#include <linux/if_ether.h>

#include <cerrno>

// What BPF_PROG_TEST_RUN takes for XDP programs, and what plain runs do. Contexts are in trun_context.cpp, what becomes
// of live frames in trun_live.cpp.
namespace devmap::cases {
namespace {

constexpr std::uint32_t kKey = 1;
/// More pages than any kernel can be built to hold in the fragments of one frame (CONFIG_MAX_SKB_FRAGS).
constexpr std::size_t kTooManyPages = 48;
/// Fewer pages than every kernel holds.
constexpr std::size_t kFewPages = 15;

std::size_t page_size() {
  return static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

/// Programs for entries cannot be run, programs for devices can.
void device_program_is_refused(Case& c, RunKind kind) {
  const auto frame = make_frame();
  const TestRun run{.repeat = 1, .flags = flags_of(kind), .data_in = frame};
  for (const auto attach_type : {BPF_XDP_DEVMAP, BPF_XDP_CPUMAP}) {
    const auto of_type = [&](std::uint32_t type) {
      const auto program = c.program(Assembler().return_value(XDP_PASS), {.expected_attach_type = type});
      return worded_as(Asked(kind == RunKind::live ? "live test run of a program" : "test run of a program",
                             {{"expected_attach_type", type}}),
                       program.test_run(run));
    };
    c.refuses(of_type(attach_type), EINVAL).control(of_type(0));
  }
}

void add_programs(Registry& rules) {
  rules.add({
      .id = "trun.program-for-entries-is-refused",
      .states = "A plain run of a program loaded for map entries (BPF_XDP_DEVMAP, BPF_XDP_CPUMAP) is refused with "
                "EINVAL.",
      .refuses = {EINVAL},
      .since = {.major = 5, .minor = 9},  // CPUMAP; DEVMAP alone since 5.8
      .source = {kTestRunXdp},
      .catalogue = {"TRUN-01"},
      .variants = once(),
      .check = [](Case& c) { device_program_is_refused(c, RunKind::plain); },
  });

  rules.add({
      .id = "trun.program-for-entries-is-refused-live",
      .states = "A live run of a program loaded for map entries is refused with EINVAL.",
      .refuses = {EINVAL},
      .since = kLiveFramesSince,
      .source = {kTestRunXdp},
      .catalogue = {"TRUN-01"},
      .variants = once(),
      .needs = {features::live_frames()},
      .check = [](Case& c) { device_program_is_refused(c, RunKind::live); },
  });

  rules.add({
      .id = "trun.plain-run-redirects-nothing",
      .states =
          "A plain run of a program that redirects returns XDP_REDIRECT, and neither sends the frame nor raises a "
          "tracepoint.",
      .source = {kTestRunXdp},
      .catalogue = {"TRUN-02"},
      .variants = any_map(4),
      .needs = {features::veth(), features::redirect_trace()},
      .check =
          [](Case& c) {
            using enum RedirectTracepoint;
            LiveTargets targets(c, {.count = 1});
            const auto map = c.devmap();
            c.must(map.update(kKey, {.ifindex = targets.device(0)}));
            const auto program = redirecting_program(c, map, kKey, 0);
            auto trace = c.trace({redirect, redirect_err, devmap_xmit},
                                 {.programs = {c.must(program.info()).id}, .devices = targets.devices()});
            const auto run = c.must(program.test_run({.repeat = 1, .data_in = make_frame()}));
            c.equals("return value of the run", run.return_value, static_cast<std::uint32_t>(XDP_REDIRECT));
            c.equals("frames at the target", targets.arrivals(c), std::vector<std::uint64_t>{0});
            c.equals("events of the program and the target", c.must(trace.events()).size(), 0U);
          },
  });
}

void add_flags(Registry& rules) {
  rules.add({
      .id = "trun.unknown-flag-is-einval",
      .states = "A run with a flag other than BPF_F_TEST_XDP_LIVE_FRAMES is refused with EINVAL.",
      .refuses = {EINVAL},
      .since = kLiveFramesSince,
      .source = {kTestRunXdp},
      .catalogue = {"TRUN-03"},
      .variants = once(),
      .check =
          [](Case& c) {
            const auto program = passing_program(c);
            const auto frame = make_frame();
            const auto run = [&](std::uint32_t flags) {
              return program.test_run({.repeat = 1, .flags = flags, .data_in = frame});
            };
            for (const std::uint32_t bit : {0U, 2U, 3U, 4U, 5U, 16U, 31U})
              c.refuses(run(1U << bit), EINVAL).control(run(0));
            c.succeeds(run(BPF_F_TEST_XDP_LIVE_FRAMES));
          },
  });

  rules.add({
      .id = "trun.flags-are-ignored",
      .states = "Every flag is ignored: a run with any of them is a plain run.",
      .until = kLiveFramesSince,
      .source = {kTestRunXdp},
      .catalogue = {"TRUN-03"},
      .variants = once(),
      .check =
          [](Case& c) {
            const auto program = passing_program(c);
            for (const std::uint32_t bit : {0U, 1U, 2U, 31U}) {
              const auto run = c.succeeds(program.test_run({.repeat = 1, .flags = 1U << bit, .data_in = make_frame()}));
              c.equals("return value of the run", run.return_value, static_cast<std::uint32_t>(XDP_PASS));
            }
          },
  });

  rules.add({
      .id = "trun.batch-size-of-plain-run-is-einval",
      .states = "A plain run with a batch_size is refused with EINVAL.",
      .refuses = {EINVAL},
      // Before live frames, in 5.18, it is refused as any attribute that the kernel does not know.
      .since = {.major = 5, .minor = 0},
      .source = {kTestRunXdp},
      .catalogue = {"TRUN-04"},
      .variants = once(),
      .check =
          [](Case& c) {
            const auto program = passing_program(c);
            const auto frame = make_frame();
            const auto run = [&](std::uint32_t batch_size) {
              return program.test_run({.repeat = 1, .batch_size = batch_size, .data_in = frame});
            };
            for (const std::uint32_t batch_size : {1U, 64U, 257U}) c.refuses(run(batch_size), EINVAL).control(run(0));
          },
  });

  rules.add({
      .id = "trun.cpu-is-ignored",
      .states = "A run succeeds whatever CPU is named.",
      .source = {kTestRunXdp},
      .catalogue = {"TRUN-05"},
      .variants = once(),
      .check =
          [](Case& c) {
            const auto program = passing_program(c);
            for (const std::uint32_t cpu : {0U, 1U, UINT32_MAX}) {
              c.succeeds(program.test_run({.repeat = 1, .cpu = cpu, .data_in = make_frame()}));
            }
          },
  });

  rules.add({
      .id = "trun.plain-repeat-is-number-of-runs",
      .states = "A plain run runs the program `repeat` times, and once where `repeat` is 0.",
      .source = {"net/bpf/test_run.c:bpf_test_run"},
      .catalogue = {"TRUN-06"},
      .variants = once(),
      .check =
          [](Case& c) {
            const auto counter = frame_counter(c);
            const auto program = c.program(Assembler()
                                               .load_map_value(Register::r6, counter, 0)
                                               .move(Register::r7, 1)
                                               .atomic_add(Register::r6, 0, Register::r7)
                                               .return_value(XDP_PASS));
            std::uint64_t before = 0;
            for (const std::uint32_t repeat : {0U, 1U, 3U}) {
              c.must(program.test_run({.repeat = repeat, .data_in = make_frame()}));
              const auto now = c.must(counter.lookup<std::uint64_t>(0));
              c.equals(fmt::format("runs of the program with repeat {}", repeat), now - before,
                       repeat == 0 ? 1U : repeat);
              before = now;
            }
          },
  });
}

void add_sizes(Registry& rules) {
  rules.add({
      .id = "trun.frame-shorter-than-its-header-is-einval",
      .states = "A run with fewer than the 14 bytes of an Ethernet header is refused with EINVAL.",
      .refuses = {EINVAL},
      .since = {.major = 6, .minor = 14},
      .backports = {{6, 13, 5}, {6, 12, 17}, {6, 6, 80}, {6, 1, 130}},
      .source = {kTestRunXdp, "net/bpf/test_run.c:bpf_test_init"},
      .commits = {"6b3d638ca897"},
      .catalogue = {"TRUN-07"},
      .variants = once(),
      .check =
          [](Case& c) {
            const auto program = passing_program(c);
            const auto frame = make_frame();
            const auto run = [&](std::size_t size) {
              return program.test_run({.repeat = 1, .data_in = std::span(frame).first(size)});
            };
            for (const std::size_t size : {0U, 1U, ETH_HLEN - 1U}) c.refuses(run(size), EINVAL).control(run(ETH_HLEN));
          },
  });

  rules.add({
      .id = "trun.plain-frame-may-span-pages",
      .states = "A plain run takes a frame of several pages, also for a program that was not loaded for frames in "
                "several buffers.",
      .since = kLiveFramesSince,
      .source = {kTestRunXdp},
      .catalogue = {"TRUN-08"},
      .variants = once(),
      .check =
          [](Case& c) {
            const auto program = passing_program(c);
            for (const std::size_t pages : {std::size_t{1}, std::size_t{2}, kFewPages}) {
              c.succeeds(program.test_run({.repeat = 1, .data_in = make_frame(pages * page_size())}));
            }
          },
  });

  rules.add({
      .id = "trun.plain-frame-of-too-many-pages-is-enomem",
      .states = "A plain run with a frame of more pages than the fragments of a frame can hold is refused with ENOMEM.",
      .refuses = {ENOMEM},
      .since = kLiveFramesSince,
      .source = {kTestRunXdp},
      .catalogue = {"TRUN-08"},
      .variants = once(),
      .check =
          [](Case& c) {
            const auto program = passing_program(c);
            const auto run = [&](std::size_t size) {
              return program.test_run({.repeat = 1, .data_in = make_frame(size)});
            };
            c.refuses(run(kTooManyPages * page_size()), ENOMEM).control(run(kFewPages * page_size()));
            std::size_t taken = kFewPages * page_size();
            std::size_t refused = kTooManyPages * page_size();
            while (refused - taken > 1) {
              const std::size_t middle = (taken + refused) / 2;
              (run(middle) ? taken : refused) = middle;
            }
            c.note(fmt::format("the largest frame that is taken has {} bytes", taken));
          },
  });

  rules.add({
      .id = "trun.plain-frame-of-a-page-is-emsgsize",
      .states = "A plain run with a frame of a page is refused with EMSGSIZE.",
      .refuses = {EMSGSIZE},
      .until = kLiveFramesSince,
      .source = {"net/bpf/test_run.c:bpf_test_init"},
      .catalogue = {"TRUN-08"},
      .variants = once(),
      .check =
          [](Case& c) {
            const auto program = passing_program(c);
            const auto run = [&](std::size_t size) {
              return program.test_run({.repeat = 1, .data_in = make_frame(size)});
            };
            c.refuses(run(page_size()), EMSGSIZE).control(run(page_size() / 2));
          },
  });
}

void add_outputs(Registry& rules) {
  rules.add({
      .id = "trun.plain-run-gives-the-frame-back",
      .states = "A plain run copies the frame that the program leaves to data_out, and its size to data_size_out.",
      .source = {"net/bpf/test_run.c:bpf_test_finish"},
      .catalogue = {"TRUN-17"},
      .variants = once(),
      .check =
          [](Case& c) {
            const auto frame = make_frame();
            // The program takes 4 bytes off the end.
            const auto program =
                c.program(Assembler().move(Register::r2, -4).call(BPF_FUNC_xdp_adjust_tail).return_value(XDP_PASS));
            const auto run =
                c.succeeds(program.test_run({.repeat = 1, .data_in = frame, .data_out_room = frame.size()}));
            c.equals("data_size_out after a program that takes 4 of 60 bytes off", run.data_out_size, 56U);
            c.holds("data_out is the frame without them", run.data_out == std::vector(frame.begin(), frame.end() - 4));
          },
  });

  rules.add({
      .id = "trun.small-data-out-is-enospc",
      .states = "A plain run with less room in data_out than the frame needs fails with ENOSPC, and still tells the "
                "frame's size and the program's return value.",
      .refuses = {ENOSPC},
      .source = {"net/bpf/test_run.c:bpf_test_finish"},
      .catalogue = {"TRUN-17"},
      .variants = once(),
      .check =
          [](Case& c) {
            const auto program = passing_program(c);
            const auto frame = make_frame();
            const auto run = [&](std::size_t room, TestRunResult* written = nullptr) {
              return worded_as(Asked("test run", {{"frame bytes", frame.size()}, {"room in data_out", room}}),
                               program.test_run({.repeat = 1, .data_in = frame, .data_out_room = room}, written));
            };
            TestRunResult written;
            c.refuses(run(frame.size() - 1, &written), ENOSPC).control(run(frame.size()));
            c.equals("data_size_out of the refused run", written.data_out_size, frame.size());
            c.equals("return value of the refused run", written.return_value, static_cast<std::uint32_t>(XDP_PASS));
          },
  });
}

}  // namespace

Reply<TestRunResult> run_with_context(const Program& program, std::span<const std::byte> frame, const xdp_md& context,
                                      RunKind kind) {
  const Asked asked(kind == RunKind::live ? "live test run with context" : "test run with context",
                    {{"data", context.data},
                     {"data_end", context.data_end},
                     {"data_meta", context.data_meta},
                     {"ingress_ifindex", context.ingress_ifindex},
                     {"rx_queue_index", context.rx_queue_index},
                     {"egress_ifindex", context.egress_ifindex}});
  return worded_as(asked, program.test_run({.repeat = 1,
                                            .flags = flags_of(kind),
                                            .data_in = frame,
                                            .context_in = std::as_bytes(std::span(&context, 1))}));
}

void add_trun_chapter(Registry& rules) {
  rules.chapter("trun", "BPF_PROG_TEST_RUN");
  add_programs(rules);
  add_flags(rules);
  add_trun_live_batch_size(rules);
  add_trun_context_rules(rules);
  add_trun_live_refused_outputs(rules);
  add_sizes(rules);
  add_trun_live_frame_size(rules);
  add_trun_device_rules(rules);
  add_trun_live_rules(rules);
  add_outputs(rules);
}

}  // namespace devmap::cases
