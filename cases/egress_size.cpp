#include <cases/egress.hpp>
#include <cases/fragments.hpp>
#include <cases/support.hpp>
#include <harness/base/kernel_word.hpp>
#include <harness/bpf/features.hpp>
#include <harness/net/features.hpp>
#include <harness/net/link.hpp>
#include <harness/net/packet_socket.hpp>
#include <harness/net/xdp_link.hpp>

#include <linux/if_link.h>

#include <cerrno>
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
      .states =
          "bpf_xdp_adjust_head in an entry's program fails with EINVAL for more room than there is in front of "
          "the frame (on a veth device 256 bytes less those in which the kernel describes the frame: 40, on a kernel "
          "of 32 bits 32), and the frame is sent as it is.",
      .refuses = {EINVAL},
      .since = {.major = 5, .minor = 14},
      .source = {"net/core/filter.c:bpf_xdp_adjust_head"},
      .catalogue = {"EGRESS-13"},
      .check =
          [](Case& c) {
            EgressBench bench(c);
            const auto notes = notes_for_egress(c);
            bench.redirect_to(0);
            const std::int32_t room = 256 - (kernel_pointer_size() == 8 ? 40 : 32);
            for (const std::int32_t delta : {-200, -room, -room - 4}) {
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
              if (delta < -room) {
                c.ends_in("result of the helper", result, EINVAL);
              } else {
                c.equals("result of the helper", result, 0);
              }
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
      .refuses = {EMSGSIZE},
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
            const auto refused = "xdp_redirect_err " + c.expected_errno(EMSGSIZE);
            bench.raises(refused, refused);
            c.equals("runs of the program so far", noted(c, notes).runs, 1U);
          },
  }));
}

/// Sends a frame in several buffers by an entry with a program of these flags.
void sends_fragments(Case& c, std::uint32_t egress_flags) {
  constexpr std::uint32_t kMtu = 9000;
  constexpr std::int16_t kByte = 30;
  const auto in = c.must(create_wire(0));
  const auto out = c.must(create_wire(1));
  for (const auto device : {in.first, in.second, out.first, out.second}) c.must(set_mtu(device, kMtu));
  Pollers pollers(Polling::offload);
  c.must(pollers.add(out));

  const auto notes = notes_for_egress(c);
  const auto map = c.devmap();
  auto code = noting(notes);
  write_byte(code, kByte, 0xaa).return_value(XDP_PASS);
  const auto egress = c.program(code, {.expected_attach_type = BPF_XDP_DEVMAP, .flags = egress_flags});
  c.must(map.update(0, {.ifindex = out.first, .program_fd = egress.fd()}));
  const auto main_program = c.succeeds(load(c, Assembler().redirect_map(map, 0, 0).exit(),
                                            {.flags = BPF_F_XDP_HAS_FRAGS, .purpose = "redirects fragments"}));
  const auto link = c.must(XdpLink::create(main_program, {.ifindex = in.second, .flags = XDP_FLAGS_DRV_MODE}));

  const auto sink = c.must(PacketSocket::open(out.second));
  const auto sent = make_frame(kInFragments);
  auto expected = sent;
  expected.at(kByte) = std::byte(0xaa);
  c.must(c.must(PacketSocket::open(in.first)).send(sent));
  const auto came = c.must(sink.receive(c.patience()));
  c.holds("the peer of the entry's device receives the 8000 bytes, byte 30 being aa", came == expected,
          came ? changes(sent, *came).substr(0, 40) : "nothing came");
  c.equals("runs of the program", noted(c, notes).runs, 1U);
  const auto length = noted(c, notes).length;
  c.holds("it finds a part of the frame between data and data_end", length > kByte && length < kInFragments,
          fmt::format("{} bytes", length));
}

void add_fragments(Registry& rules) {
  rules.add(egress_rule(
      {
          .id = "egress.frags-program-sees-the-linear-part",
          .states = "An entry's program that can take fragments finds the linear part of a fragmented frame between "
                    "data and data_end, and the whole frame is sent, with what the program wrote to it.",
          .since = {.major = 6, .minor = 3},
          .catalogue = {"EGRESS-17"},
          .needs = {features::frags_programs(), features::gro_switch(), small_pages()},
          .check = [](Case& c) { sends_fragments(c, BPF_F_XDP_HAS_FRAGS); },
      },
      {Mode::native}));

  auto unaware = egress_rule(
      {
          .id = "egress.program-without-frags-is-given-fragmented-frames-by-a-hash",
          .states =
              "A program without BPF_F_XDP_HAS_FRAGS in an entry of a DEVMAP_HASH is given fragmented frames by a "
              "main program with it, which the kernel does not refuse: it finds their linear part, and the whole "
              "frame is sent.",
          .since = {.major = 6, .minor = 3},
          .source = {"kernel/bpf/core.c:bpf_check_tail_call", "include/linux/bpf.h:map_type_contains_progs"},
          .catalogue = {"OWNER-08"},
          .needs = {features::frags_programs(), features::gro_switch(), small_pages()},
          .check = [](Case& c) { sends_fragments(c, 0); },
      },
      {Mode::native});
  unaware.variants = devmap_hash_only({8}).in({Mode::native});
  rules.add(unaware);
}

}  // namespace

void add_egress_size(Registry& rules) {
  add_lengths(rules);
  add_mtu(rules);
  add_fragments(rules);
}

}  // namespace devmap::cases
