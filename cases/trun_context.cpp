#include <cases/support.hpp>
#include <cases/trun.hpp>
#include <harness/base/kernel_word.hpp>
#include <harness/bpf/features.hpp>
#include <harness/net/features.hpp>
#include <harness/net/frame.hpp>
#include <harness/net/link.hpp>
#include <harness/net/netns.hpp>

#include <linux/if_ether.h>

#include <cerrno>
#include <cstddef>
#include <optional>

// The context that BPF_PROG_TEST_RUN takes for XDP programs (ctx_in): struct xdp_md, whose words mean something else
// than in a program: data is the length of the metadata in front of the frame, data_end the length of both.
namespace devmap::cases {
namespace {

const std::string kConvert = "net/bpf/test_run.c:xdp_convert_md_to_buff";
constexpr std::uint32_t kNoDevice = 0x7fffffff;

/// A program that returns one 32-bit word of its context.
Program reading_program(Case& c, std::size_t offset) {
  return c.program(Assembler().load(Width::word, Register::r0, Register::r1, static_cast<std::int16_t>(offset)).exit());
}

/// A rule about one check of a context.
Rule context_rule(Rule rule) {
  if (rule.since == KernelVersion{}) rule.since = kTestRunContextSince;
  if (rule.source.empty()) rule.source = {kConvert};
  rule.needs.insert(rule.needs.begin(), features::test_run_context());
  return rule;
}

/// A context with one thing wrong is refused with EINVAL, and taken when that is put right.
void refused_context(Case& c, const xdp_md& wrong, const xdp_md& right, RunKind kind = RunKind::plain) {
  const auto program = passing_program(c);
  const auto frame = make_frame();
  c.refuses(run_with_context(program, frame, wrong, kind), EINVAL)
      .control(run_with_context(program, frame, right, kind));
}

void add_devices(Registry& rules) {
  rules.add(context_rule({
      .id = "trun.unknown-ingress-is-enodev",
      .states = "A context whose ingress_ifindex is no device is refused with ENODEV.",
      .refuses = {ENODEV},
      .catalogue = {"TRUN-10"},
      .variants = once(),
      .check =
          [](Case& c) {
            const auto program = passing_program(c);
            const auto frame = make_frame();
            const auto run = [&](std::uint32_t ifindex) {
              auto context = context_of(frame);
              context.ingress_ifindex = ifindex;
              return run_with_context(program, frame, context);
            };
            c.refuses(run(kNoDevice), ENODEV).control(run(kLoopback));
          },
  }));

  rules.add(context_rule({
      .id = "trun.ingress-is-of-the-callers-namespace",
      .states = "The ingress_ifindex of a context is looked up in the network namespace of the caller: one that only "
                "another namespace has is refused with ENODEV.",
      .refuses = {ENODEV},
      .catalogue = {"TRUN-10"},
      .variants = once(),
      .needs = {features::veth()},
      .check =
          [](Case& c) {
            const auto program = passing_program(c);
            const auto frame = make_frame();
            const auto pair = c.must(create_veth({.first_index = distinct_ifindex(), .up = false}));
            auto context = context_of(frame);
            context.ingress_ifindex = pair.first;
            const auto elsewhere = c.must(NetNs::create());
            std::optional<Reply<TestRunResult>> there;
            c.must(elsewhere.run([&] { there = run_with_context(program, frame, context); }));
            const auto run_in = [&](const char* where, Reply<TestRunResult> reply) {
              return worded_as(Asked(where, {{"ingress_ifindex", context.ingress_ifindex}}), std::move(reply));
            };
            c.refuses(run_in("test run in a namespace without the device", std::move(there).value()), ENODEV)
                .control(run_in("test run in the device's namespace", run_with_context(program, frame, context)));
          },
  }));

  rules.add({
      .id = "trun.default-ingress-is-lo",
      .states = "Without a context, and with an ingress_ifindex of 0, a program finds lo in ingress_ifindex.",
      .source = {kTestRunXdp},
      .catalogue = {"TRUN-10"},
      .variants = once(),
      .check =
          [](Case& c) {
            const auto program = reading_program(c, offsetof(xdp_md, ingress_ifindex));
            c.equals("ingress_ifindex that the program reads, without a context",
                     c.must(program.test_run({.repeat = 1, .data_in = make_frame()})).return_value, kLoopback);
            const auto frame = make_frame();
            if (features::test_run_context().probe().presence != Presence::present) return;
            c.equals("ingress_ifindex that the program reads, with a context that has 0 there",
                     c.must(run_with_context(program, frame, context_of(frame))).return_value, kLoopback);
          },
  });

  rules.add(context_rule({
      .id = "trun.ingress-and-queue-show-in-a-plain-run",
      .states = "A program in a plain run finds the ingress_ifindex and rx_queue_index that were given.",
      .catalogue = {"TRUN-10", "TRUN-11"},
      .variants = once(),
      .needs = {features::veth()},
      .check =
          [](Case& c) {
            const auto frame = make_frame();
            const auto pair = c.must(create_veth({.queues = 2, .up = false}));
            auto context = context_of(frame);
            context.ingress_ifindex = pair.first;
            context.rx_queue_index = 1;
            const auto device = reading_program(c, offsetof(xdp_md, ingress_ifindex));
            c.equals("ingress_ifindex that the program reads",
                     c.succeeds(run_with_context(device, frame, context)).return_value, pair.first);
            const auto queue = reading_program(c, offsetof(xdp_md, rx_queue_index));
            c.equals("rx_queue_index that the program reads",
                     c.succeeds(run_with_context(queue, frame, context)).return_value, 1U);
          },
  }));

  rules.add(context_rule({
      .id = "trun.queue-without-ingress-is-einval",
      .states = "A context with an rx_queue_index but no ingress_ifindex is refused with EINVAL.",
      .refuses = {EINVAL},
      .catalogue = {"TRUN-11"},
      .variants = once(),
      .needs = {features::veth()},
      .check =
          [](Case& c) {
            const auto pair = c.must(create_veth({.queues = 2, .up = false}));
            auto wrong = context_of(make_frame());
            wrong.rx_queue_index = 1;
            auto right = wrong;
            right.ingress_ifindex = pair.first;
            refused_context(c, wrong, right);
          },
  }));

  rules.add(context_rule({
      .id = "trun.queue-that-the-device-lacks-is-einval",
      .states = "A context whose rx_queue_index is not below the number of the device's receive queues is refused with "
                "EINVAL.",
      .refuses = {EINVAL},
      .catalogue = {"TRUN-11"},
      .variants = once(),
      .needs = {features::veth()},
      .check =
          [](Case& c) {
            const auto pair = c.must(create_veth({.queues = 2, .up = false}));
            auto wrong = context_of(make_frame());
            wrong.ingress_ifindex = pair.first;
            wrong.rx_queue_index = 2;
            auto right = wrong;
            right.rx_queue_index = 1;
            refused_context(c, wrong, right);
            wrong.ingress_ifindex = right.ingress_ifindex = kLoopback;  // which has one queue
            wrong.rx_queue_index = 1;
            right.rx_queue_index = 0;
            refused_context(c, wrong, right);
          },
  }));

  rules.add(context_rule({
      .id = "trun.egress-ifindex-is-einval",
      .states = "A context with an egress_ifindex is refused with EINVAL.",
      .refuses = {EINVAL},
      .catalogue = {"TRUN-12"},
      .variants = once(),
      .check =
          [](Case& c) {
            const auto right = context_of(make_frame());
            auto wrong = right;
            wrong.egress_ifindex = kLoopback;
            refused_context(c, wrong, right);
          },
  }));
}

void add_metadata(Registry& rules) {
  rules.add(context_rule({
      .id = "trun.data-meta-is-einval",
      .states = "A context with a data_meta is refused with EINVAL.",
      .refuses = {EINVAL},
      .source = {kTestRunXdp},
      .catalogue = {"TRUN-13"},
      .variants = once(),
      .check =
          [](Case& c) {
            const auto right = context_of(make_frame());
            auto wrong = right;
            wrong.data_meta = 4;
            refused_context(c, wrong, right);
          },
  }));

  rules.add(context_rule({
      .id = "trun.metadata-not-in-words-is-einval",
      .states = "A context whose metadata is no multiple of 4 bytes long is refused with EINVAL.",
      .refuses = {EINVAL},
      .source = {kTestRunXdp},
      .catalogue = {"TRUN-13"},
      .variants = once(),
      .check =
          [](Case& c) {
            auto right = context_of(make_frame());
            right.data = 8;
            for (const std::uint32_t length : {5U, 6U, 7U}) {
              auto wrong = right;
              wrong.data = length;
              refused_context(c, wrong, right);
            }
          },
  }));

  rules.add(context_rule({
      .id = "trun.metadata-beyond-data-end-is-einval",
      .states = "A context whose data is above its data_end is refused with EINVAL.",
      .refuses = {EINVAL},
      .since = kLinearSizeSince,  // before, a data_end below the size of the input is refused for itself
      .backports = kLinearSizeBackports,
      .source = {kTestRunXdp},
      .commits = {kLinearSizeCommit},
      .catalogue = {"TRUN-13"},
      .variants = once(),
      .check =
          [](Case& c) {
            auto right = context_of(make_frame());
            right.data = 16;
            right.data_end = 32;
            auto wrong = right;
            wrong.data = 36;
            refused_context(c, wrong, right);
          },
  }));

  rules.add(context_rule({
      .id = "trun.data-end-beyond-the-input-is-einval",
      .states = "A context whose data_end is above the number of bytes given is refused with EINVAL.",
      .refuses = {EINVAL},
      .source = {kTestRunXdp},
      .catalogue = {"TRUN-13"},
      .variants = once(),
      .check =
          [](Case& c) {
            const auto right = context_of(make_frame());
            auto wrong = right;
            wrong.data_end += 4;
            refused_context(c, wrong, right);
          },
  }));

  const auto takes = [](Case& c, std::initializer_list<std::uint32_t> lengths) {
    const auto program = c.program(Assembler()
                                       .load(Width::word, Register::r0, Register::r1, offsetof(xdp_md, data))
                                       .load(Width::word, Register::r2, Register::r1, offsetof(xdp_md, data_meta))
                                       .compute(Arithmetic::subtract, Register::r0, Register::r2)
                                       .exit());
    for (const auto length : lengths) {
      const auto frame = make_frame(length + kShortestFrame);
      auto context = context_of(frame);
      context.data = length;
      const auto run = c.succeeds(run_with_context(program, frame, context));
      c.equals("bytes of metadata that the program finds", run.return_value, length);
    }
  };
  rules.add(context_rule({
      .id = "trun.metadata-of-32-bytes",
      .states = "A context may describe up to 32 bytes of metadata, and the program finds them.",
      .source = {kTestRunXdp},
      .catalogue = {"TRUN-13"},
      .variants = once(),
      .check = [takes](Case& c) { takes(c, {0, 4, 32}); },
  }));

  rules.add(context_rule({
      .id = "trun.metadata-of-216-bytes",
      .states = "A context may describe up to 216 bytes of metadata, and the program finds them.",
      .since = {.major = 6, .minor = 8},
      .source = {"include/net/xdp.h:xdp_metalen_invalid"},
      .commits = {"2ebe81c81435"},
      .catalogue = {"TRUN-13"},
      .variants = once(),
      .check = [takes](Case& c) { takes(c, {36, 128, 216}); },
  }));

  rules.add(context_rule({
      .id = "trun.metadata-above-216-bytes-is-einval",
      .states =
          "A context may describe as much metadata as fits in front of the frame, 216 bytes or on a kernel of 32 bits "
          "224, and one that describes more is refused with EINVAL.",
      .refuses = {EINVAL},
      // 6.6.121 and 6.1.161 took the fix too, where it cannot be seen: before 6.8 no more than 32 bytes are allowed.
      .since = {.major = 6, .minor = 19},
      .backports = {{6, 18, 6}, {6, 12, 66}},
      .source = {kTestRunXdp},
      .commits = {"e558cca21779"},
      .catalogue = {"TRUN-13"},
      .variants = once(),
      .check =
          [](Case& c) {
            const std::uint32_t room = kernel_pointer_size() == 8 ? 216 : 224;
            const auto program = passing_program(c);
            const auto frame = make_frame(512);
            auto wrong = context_of(frame);
            wrong.data = room + 4;
            auto right = wrong;
            right.data = room;
            c.refuses(run_with_context(program, frame, wrong), EINVAL).control(run_with_context(program, frame, right));
          },
  }));

  rules.add(context_rule({
      .id = "trun.metadata-is-not-frame",
      .states = "A run in which fewer than 14 bytes are left after the metadata is refused with EINVAL.",
      .refuses = {EINVAL},
      .since = kLinearSizeSince,
      .backports = kLinearSizeBackports,
      .source = {kTestRunXdp},
      .commits = {kLinearSizeCommit},
      .catalogue = {"TRUN-07"},
      .variants = once(),
      .check =
          [](Case& c) {
            constexpr std::uint32_t kMetadata = 32;
            const auto program = passing_program(c);
            const auto run = [&](std::size_t left) {
              const auto frame = make_frame(kMetadata + left);
              auto context = context_of(frame);
              context.data = kMetadata;
              return run_with_context(program, frame, context);
            };
            c.refuses(run(ETH_HLEN - 1), EINVAL).control(run(ETH_HLEN));
          },
  }));
}

void add_linear_size(Registry& rules) {
  rules.add(context_rule({
      .id = "trun.data-end-is-size-of-linear-part",
      .states = "A plain run takes a context whose data_end is below the number of bytes given; the program's data_end "
                "is there, and the rest of the frame is in fragments.",
      .since = kLinearSizeSince,
      .backports = kLinearSizeBackports,
      .source = {kTestRunXdp},
      .commits = {kLinearSizeCommit},
      .catalogue = {"TRUN-14"},
      .variants = once(),
      .check =
          [](Case& c) {
            const auto linear = c.program(Assembler()
                                              .load(Width::word, Register::r0, Register::r1, offsetof(xdp_md, data_end))
                                              .load(Width::word, Register::r2, Register::r1, offsetof(xdp_md, data))
                                              .compute(Arithmetic::subtract, Register::r0, Register::r2)
                                              .exit());
            const auto frame = make_frame();
            auto context = context_of(frame);
            context.data_end = 20;
            c.equals("bytes from data to data_end that the program finds",
                     c.succeeds(run_with_context(linear, frame, context)).return_value, 20U);
          },
  }));

  rules.add(context_rule({
      .id = "trun.data-end-below-the-input-is-einval-live",
      .states = "A live run with a context whose data_end is below the number of bytes given is refused with EINVAL.",
      .refuses = {EINVAL},
      .since = kLiveFramesSince,
      .source = {kTestRunXdp},
      .catalogue = {"TRUN-14"},
      .variants = once(),
      .needs = {features::live_frames()},
      .check =
          [](Case& c) {
            const auto right = context_of(make_frame());
            auto wrong = right;
            wrong.data_end = 20;
            refused_context(c, wrong, right, RunKind::live);
          },
  }));
}

/// A test run with these bytes for a context.
Reply<TestRunResult> run_with_bytes(Case& c, std::span<const std::byte> context) {
  const auto frame = make_frame();
  return passing_program(c).test_run({.repeat = 1, .data_in = frame, .context_in = context});
}

/// A context for make_frame() and some bytes after it.
std::vector<std::byte> context_with_tail(std::byte tail) {
  const auto context = context_of(make_frame());
  const auto bytes = std::as_bytes(std::span(&context, 1));
  std::vector<std::byte> longer(bytes.begin(), bytes.end());
  longer.resize(longer.size() + 8);
  longer.back() = tail;
  return longer;
}

void add_context_sizes(Registry& rules) {
  rules.add(context_rule({
      .id = "trun.context-with-unknown-tail-is-e2big",
      .states =
          "A context longer than struct xdp_md is taken where the rest is zero, and refused with E2BIG where it is "
          "not.",
      .refuses = {E2BIG},
      .source = {"net/bpf/test_run.c:bpf_ctx_init"},
      .catalogue = {"TRUN-15"},
      .variants = once(),
      .check =
          [](Case& c) {
            const auto run = [&](std::uint8_t tail) {
              return worded_as(
                  Asked("test run with a context of 8 bytes more than struct xdp_md", {{"last byte", tail}}),
                  run_with_bytes(c, context_with_tail(std::byte{tail})));
            };
            c.refuses(run(1), E2BIG).control(run(0));
          },
  }));

  rules.add(context_rule({
      .id = "trun.short-context-is-taken",
      .states = "A context shorter than struct xdp_md is taken, and the words it lacks are 0.",
      .source = {"net/bpf/test_run.c:bpf_ctx_init"},
      .catalogue = {"TRUN-15"},
      .variants = once(),
      .check =
          [](Case& c) {
            const auto whole = context_with_tail(std::byte{0});
            for (const std::size_t size : {offsetof(xdp_md, data_meta), offsetof(xdp_md, rx_queue_index)}) {
              c.succeeds(run_with_bytes(c, std::span(whole).first(size)));
            }
          },
  }));

  rules.add(context_rule({
      .id = "trun.context-out-without-context-in",
      .states = "A plain run takes a ctx_out without a ctx_in.",
      .since = kLinearSizeSince,
      .backports = kLinearSizeBackports,
      .source = {kTestRunXdp},
      .commits = {kLinearSizeCommit},
      .catalogue = {"TRUN-17"},
      .variants = once(),
      .check =
          [](Case& c) {
            const auto run =
                c.succeeds(worded_as(Asked("test run", {{"context bytes", 0}, {"room in ctx_out", sizeof(xdp_md)}}),
                                     passing_program(c).test_run(
                                         {.repeat = 1, .data_in = make_frame(), .context_out_room = sizeof(xdp_md)})));
            c.equals("ctx_size_out", run.context_out_size, sizeof(xdp_md));
          },
  }));
}

}  // namespace

void add_trun_context_rules(Registry& rules) {
  add_context_sizes(rules);
  add_metadata(rules);
  add_linear_size(rules);
}

void add_trun_device_rules(Registry& rules) {
  add_devices(rules);
}

}  // namespace devmap::cases
