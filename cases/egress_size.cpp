#include <cases/egress.hpp>
#include <harness/net/features.hpp>
#include <harness/net/link.hpp>

#include <cstddef>
#include <iterator>

// Programs in entries that change the length of a frame.
namespace devmap::cases {
namespace {

using enum RedirectTracepoint;

/// Appends: calls bpf_xdp_adjust_head or bpf_xdp_adjust_tail, notes what it returned, and leaves the context in r1.
/// Begins as noting(), so the note is in r6.
Assembler adjusting(const Map& notes, bpf_func_id helper, std::int32_t delta) {
  using enum Register;
  auto code = noting(notes);
  code.move(r9, r1).move(r2, delta).call(helper).store(Width::word, r6, offsetof(EgressNote, result), r0).move(r1, r9);
  return code;
}

/// At the sink of port 0, with these bytes.
Fate delivered_as(const Frame& sent, const Frame& expected) {
  return {at_sink(0, changes(sent, expected))};
}

/// A frame that the program changes must come out so, and the helper must have returned 0.
void comes_out(EgressBench& bench, const Map& notes, std::string_view what, const Frame& sent, const Frame& expected) {
  bench.goes(what, sent, delivered_as(sent, expected));
  bench.c.equals("result of the helper", noted(bench.c, notes).result, 0);
}

void add_lengths(Registry& rules) {
  rules.add(egress_rule({
      .id = "egress.head-adjustment-is-sent",
      .states = "A frame whose head an entry's program moves is sent with its new beginning and length.",
      .source = {"net/core/xdp.c:xdp_update_frame_from_buff", "net/core/dev.c:bpf_prog_run_generic_xdp"},
      .catalogue = {"EGRESS-12"},
      .check =
          [](Case& c) {
            constexpr std::int16_t kGrown = 8;
            EgressBench bench(c);
            const auto notes = notes_for_egress(c);
            bench.redirect_to(0);

            auto growing = adjusting(notes, BPF_FUNC_xdp_adjust_head, -kGrown);
            for (std::int16_t i = 0; i < kGrown; ++i) write_byte(growing, i, 0x20 + i);
            bench.put(0, growing.return_value(XDP_PASS));
            const auto sent = bench.traffic.frame({.size = 100});
            auto expected = sent;
            for (std::int16_t i = kGrown; i > 0; --i) expected.insert(expected.begin(), std::byte(0x20 + i - 1));
            comes_out(bench, notes, "a frame of 100 bytes that the program extends by 8 at its head", sent, expected);

            // Without its first 4 bytes a frame with an 802.1Q header has its EtherType where one belongs.
            bench.put(0, adjusting(notes, BPF_FUNC_xdp_adjust_head, 4).return_value(XDP_PASS));
            const auto longer = bench.traffic.frame({.size = 100, .vlan = 7});
            comes_out(bench, notes, "a frame of 100 bytes that the program shortens by 4 at its head", longer,
                      Frame(std::next(longer.begin(), 4), longer.end()));
          },
  }));

  rules.add(egress_rule({
      .id = "egress.tail-adjustment-is-sent",
      .states = "A frame whose tail an entry's program moves is sent with its new length, bytes that it gains being 0.",
      .source = {"net/core/filter.c:bpf_xdp_adjust_tail"},
      .catalogue = {"EGRESS-12"},
      .check =
          [](Case& c) {
            EgressBench bench(c);
            const auto notes = notes_for_egress(c);
            bench.redirect_to(0);
            for (const std::int32_t delta : {-10, 10}) {
              bench.put(0, adjusting(notes, BPF_FUNC_xdp_adjust_tail, delta).return_value(XDP_PASS));
              const auto sent = bench.traffic.frame({.size = 100});
              auto expected = sent;
              expected.resize(delta < 0 ? 90 : 110);
              comes_out(bench, notes, fmt::format("a frame of 100 bytes after bpf_xdp_adjust_tail({})", delta), sent,
                        expected);
            }
          },
  }));

  rules.add(egress_rule({
      .id = "egress.head-grows-by-the-headroom-at-most",
      .states = "bpf_xdp_adjust_head in an entry's program fails with EINVAL for more room than there is in front of "
                "the frame (on a veth device 256 bytes less the 40 in which the kernel describes the frame), and the "
                "frame is sent as it is.",
      .since = {.major = 5, .minor = 14},
      .source = {"net/core/filter.c:bpf_xdp_adjust_head"},
      .catalogue = {"EGRESS-13"},
      .check =
          [](Case& c) {
            EgressBench bench(c);
            const auto notes = notes_for_egress(c);
            bench.redirect_to(0);
            for (const std::int32_t delta : {-200, -216, -220}) {
              // What was grown is given back, so that the frame can be compared.
              using enum Register;
              auto code = adjusting(notes, BPF_FUNC_xdp_adjust_head, delta);
              const auto refused = code.label();
              code.jump_if(Condition::not_equal, r0, 0, refused)
                  .move(r2, -delta)
                  .call(BPF_FUNC_xdp_adjust_head)
                  .place(refused)
                  .return_value(XDP_PASS);
              bench.put(0, code);
              bench.goes(fmt::format("a frame after bpf_xdp_adjust_head({}), taken back if it succeeded", delta),
                         delivered_to({0}));
              const auto result = noted(c, notes).result;
              c.equals("result of the helper", errno_name(-result), errno_name(delta == -220 ? EINVAL : 0));
            }
          },
  }));
}

void add_mtu(Registry& rules) {
  rules.add(egress_rule({
      .id = "egress.mtu-is-checked-before-the-program",
      .states = "The target's MTU is compared with the frame before the entry's program runs, and not again: a frame "
                "that the program makes too long is sent, and one that it would make short enough is refused with "
                "EMSGSIZE without running it.",
      .since = {.major = 5, .minor = 14},
      .source = {"kernel/bpf/devmap.c:__xdp_enqueue", "kernel/bpf/devmap.c:dev_map_generic_redirect"},
      .commits = {"cb261b594b41", "2ea5eabaf04a"},
      .catalogue = {"EGRESS-14", "EGRESS-01"},
      .needs = {features::redirect_trace()},
      .check =
          [](Case& c) {
            EgressBench bench(c);
            const auto notes = notes_for_egress(c);
            bench.redirect_to(0);
            c.must(set_mtu(bench.traffic.target(0), 100));
            bench.traffic.trace({redirect, redirect_err});

            bench.put(0, adjusting(notes, BPF_FUNC_xdp_adjust_tail, 10).return_value(XDP_PASS));
            const auto fits = bench.traffic.frame({.size = 118});
            auto expected = fits;
            expected.resize(128);
            comes_out(bench, notes, "a frame of 118 bytes that the program extends by 10, the MTU of t0 being 100",
                      fits, expected);
            bench.raises("xdp_redirect", "xdp_redirect");
            c.equals("runs of the program", noted(c, notes).runs, 1U);

            bench.put(0, adjusting(notes, BPF_FUNC_xdp_adjust_tail, -10).return_value(XDP_PASS));
            bench.goes("a frame of 128 bytes that the program would shorten by 10", bench.traffic.frame({.size = 128}),
                       nowhere());
            bench.raises("xdp_redirect_err EMSGSIZE", "xdp_redirect_err EMSGSIZE");
            c.equals("runs of the program so far", noted(c, notes).runs, 1U);
          },
  }));
}

}  // namespace

void add_egress_size(Registry& rules) {
  add_lengths(rules);
  add_mtu(rules);
}

}  // namespace devmap::cases
