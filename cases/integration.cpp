#include <cases/chapters.hpp>
#include <harness/base/wait.hpp>
#include <harness/net/features.hpp>
#include <harness/net/frame.hpp>
#include <harness/net/link.hpp>
#include <harness/net/packet_socket.hpp>
#include <harness/net/xdp_link.hpp>
#include <harness/spec/case.hpp>

#include <linux/if_ether.h>
#include <linux/if_link.h>

#include <cerrno>
#include <cstddef>

// The whole path: a map, its entry, a program that redirects by it, the program attached, frames. The loopback device
// receives what it sends, so it is all that is needed. A frame that came back would be redirected again, for ever:
// whoever redirects it marks its first payload byte, and marked frames go to the stack.
//
//     packet socket --> lo --> program: not marked? redirect by the map --> lo
//                                       marked?     XDP_PASS --> packet socket
namespace devmap::cases {
namespace {

using std::chrono_literals::operator""s;

constexpr std::uint32_t kKey = 2;
constexpr std::uint32_t kEntries = 4;
constexpr std::int16_t kMarked = sizeof(ethhdr);  // where in the frame the mark is
constexpr std::uint8_t kMark = 0xee;
constexpr auto kLongWait = 2s;
constexpr KernelVersion kWideValuesSince{.major = 5, .minor = 15};
const std::vector<std::string> kSource = {"net/core/dev.c:do_xdp_generic",
                                          "net/core/filter.c:xdp_do_generic_redirect_map",
                                          "kernel/bpf/devmap.c:dev_map_generic_redirect"};

/// What the programs count, as it lies in the counters' only value.
struct Counts {
  std::uint64_t as_sent = 0;
  std::uint64_t came_back = 0;
};

enum class Marking : std::uint8_t { by_program, by_entry };

/// Everything but the attachment.
struct Path {
  DevMap map;
  Map counters;
  Program program;
  PacketSocket socket;

  [[nodiscard]] Counts counts(Case& c) const { return c.must(counters.lookup<Counts>(0)); }
};

/// Loads the frame's address into r2 and jumps away where the frame ends before the byte for the mark.
void load_frame(Assembler& code, Assembler::Label too_short) {
  code.load(Width::word, Register::r2, Register::r1, offsetof(xdp_md, data))
      .load(Width::word, Register::r3, Register::r1, offsetof(xdp_md, data_end))
      .move(Register::r4, Register::r2)
      .compute(Arithmetic::add, Register::r4, kMarked + 1)
      .jump_if(Condition::greater, Register::r4, Register::r3, too_short);
}

void count(Assembler& code, const Map& counters, std::int16_t which) {
  code.load_map_value(Register::r6, counters, 0).move(Register::r7, 1).atomic_add(Register::r6, which, Register::r7);
}

Program main_program(Case& c, const DevMap& map, const Map& counters, Marking marking) {
  Assembler code;
  const auto came_back = code.label();
  const auto pass = code.label();
  load_frame(code, pass);
  code.load(Width::byte, Register::r5, Register::r2, kMarked).jump_if(Condition::equal, Register::r5, kMark, came_back);
  if (marking == Marking::by_program) code.store(Width::byte, Register::r2, kMarked, kMark);
  count(code, counters, offsetof(Counts, as_sent));
  code.redirect_map(map, kKey, XDP_PASS).exit();
  code.place(came_back);
  count(code, counters, offsetof(Counts, came_back));
  return c.program(code.place(pass).return_value(XDP_PASS));
}

Program marking_egress_program(Case& c) {
  Assembler code;
  const auto too_short = code.label();
  load_frame(code, too_short);
  code.store(Width::byte, Register::r2, kMarked, kMark);
  return c.program(code.place(too_short).return_value(XDP_PASS), {.expected_attach_type = BPF_XDP_DEVMAP});
}

/// The path with no entry yet, the device up.
Path arrange(Case& c, Marking marking = Marking::by_program) {
  c.must(silence_ipv6());
  c.must(set_up(kLoopback));
  auto map = c.devmap(kEntries);
  auto counters = c.must(Map::create({.type = BPF_MAP_TYPE_ARRAY, .value_size = sizeof(Counts)}));
  auto program = main_program(c, map, counters, marking);
  return {.map = std::move(map),
          .counters = std::move(counters),
          .program = std::move(program),
          .socket = c.must(PacketSocket::open(kLoopback))};
}

Reply<XdpLink> attach(const Path& path) {
  return XdpLink::create(path.program, {.ifindex = kLoopback, .flags = XDP_FLAGS_SKB_MODE});
}

std::vector<std::byte> marked(std::vector<std::byte> frame) {
  frame.at(kMarked) = std::byte{kMark};
  return frame;
}

/// The next frame that comes in must be this one.
void receives(Case& c, const Path& path, std::string_view what, const std::vector<std::byte>& stated) {
  const auto frame = c.must(path.socket.receive(kLongWait));
  std::string observed = "no frame came in";
  if (frame == stated) {
    observed = fmt::format("so, {} bytes, the payload starting with {:#04x}", frame->size(), frame->at(kMarked));
  } else if (frame) {
    observed = fmt::format("{} bytes: {:02x}", frame->size(), fmt::join(*frame, " "));
  }
  c.holds(what, frame == stated, observed);
}

void counted(Case& c, const Path& path, const Counts& stated) {
  // The socket can have the frame before the system call of the sender, on another CPU, sees all of the count.
  (void)wait_until([&] { return path.counts(c).came_back >= stated.came_back; }, kLongWait);
  const auto counts = path.counts(c);
  c.equals("frames the program saw as they were sent", counts.as_sent, stated.as_sent);
  c.equals("frames the program saw come back marked", counts.came_back, stated.came_back);
}

void goes_round(Case& c) {
  const auto path = arrange(c);
  c.succeeds(path.map.update(kKey, {.ifindex = kLoopback}));
  const auto attached = c.succeeds(attach(path));
  const auto frame = make_frame();
  c.must(path.socket.send(frame));
  receives(c, path, "the frame received is the one sent, with the program's mark", marked(frame));
  counted(c, path, {.as_sent = 1, .came_back = 1});
}

Variants in_skb_mode(const Variants& variants) {
  return variants.in({Mode::generic});
}

}  // namespace

void add_integration_chapter(Registry& rules) {
  rules.chapter("integration", "The whole path on the loopback device");

  rules.add({
      .id = "integration.redirected-frame-is-received",
      .states = "A frame that an SKB-mode program on the loopback device redirects to that device by its map entry is "
                "received there, with what the program wrote into it.",
      .source = kSource,
      .variants = in_skb_mode(any_map(4)),
      .check = goes_round,
  });

  rules.add({
      .id = "integration.redirected-frame-is-received-with-wide-values",
      .states = "A map with 8-byte values, whose entries could hold programs, redirects the frames of an SKB-mode "
                "program as one with 4-byte values does.",
      .since = kWideValuesSince,
      .source = kSource,
      .commits = {"2ea5eabaf04a"},
      .variants = in_skb_mode(any_map(8)),
      .check = goes_round,
  });

  rules.add({
      .id = "integration.every-frame-is-redirected",
      .states = "Every frame sent through the loopback device reaches the program there, is redirected and comes back "
                "once.",
      .source = kSource,
      .variants = in_skb_mode(any_map(4)),
      .needs = {features::wide_values_in_skb_mode()},
      .check =
          [](Case& c) {
            constexpr std::uint64_t kFrames = 64;
            const auto path = arrange(c);
            c.must(path.map.update(kKey, {.ifindex = kLoopback}));
            const auto attached = c.must(attach(path));
            for (std::uint64_t i = 0; i < kFrames; ++i) c.must(path.socket.send(make_frame()));
            counted(c, path, {.as_sent = kFrames, .came_back = kFrames});
          },
  });

  rules.add({
      .id = "integration.test-run-gives-the-verdict-and-sends-nothing",
      .states = "BPF_PROG_TEST_RUN of the attached program gives the verdict and the bytes that a received frame gets, "
                "and sends no frame.",
      .source = {"net/bpf/test_run.c:bpf_prog_test_run_xdp"},
      .variants = in_skb_mode(any_map(4)),
      .needs = {features::wide_values_in_skb_mode()},
      .check =
          [](Case& c) {
            const auto path = arrange(c);
            c.must(path.map.update(kKey, {.ifindex = kLoopback}));
            const auto attached = c.must(attach(path));
            const auto frame = make_frame();
            const auto run =
                c.must(path.program.test_run({.repeat = 1, .data_in = frame, .data_out_room = frame.size()}));
            c.equals("verdict for a frame as sent", run.return_value, std::uint32_t{XDP_REDIRECT});
            c.holds("the run gives back the frame with the program's mark", run.data_out == marked(frame));
            const auto again = c.must(path.program.test_run({.repeat = 1, .data_in = marked(frame)}));
            c.equals("verdict for a frame that came back", again.return_value, std::uint32_t{XDP_PASS});
            // Both runs were counted by the program itself. Had one sent its frame, that frame would come in first.
            const auto next = make_frame(kShortestFrame, 1);
            c.must(path.socket.send(next));
            receives(c, path, "the first frame received is the one sent after the runs", marked(next));
            counted(c, path, {.as_sent = 2, .came_back = 2});
          },
  });

  rules.add({
      .id = "integration.entry-inserted-and-deleted-under-an-attached-program",
      .states = "An attached program redirects from the moment its map has the entry, and takes the fallback action "
                "again from the moment the entry is deleted.",
      .source = kSource,
      .variants = in_skb_mode(any_map(4)),
      .needs = {features::wide_values_in_skb_mode()},
      .check =
          [](Case& c) {
            const auto path = arrange(c);
            const auto attached = c.must(attach(path));
            const auto frame = make_frame();
            // What passes by the fallback action is marked as well; only what is redirected comes back.
            c.must(path.socket.send(frame));
            receives(c, path, "without an entry the frame goes to the stack", marked(frame));
            counted(c, path, {.as_sent = 1, .came_back = 0});
            c.succeeds(path.map.update(kKey, {.ifindex = kLoopback}));
            c.must(path.socket.send(frame));
            receives(c, path, "with the entry the frame goes round", marked(frame));
            counted(c, path, {.as_sent = 2, .came_back = 1});
            c.succeeds(path.map.erase(kKey));
            c.must(path.socket.send(frame));
            receives(c, path, "after the deletion the frame goes to the stack", marked(frame));
            counted(c, path, {.as_sent = 3, .came_back = 1});
          },
  });

  rules.add({
      .id = "integration.detached-program-leaves-frames-alone",
      .states = "After the last reference to a program's link is closed, frames pass as they were sent.",
      .source = {"net/core/dev.c:bpf_xdp_link_release"},
      .variants = in_skb_mode(any_map(4)),
      .needs = {features::wide_values_in_skb_mode()},
      .check =
          [](Case& c) {
            const auto path = arrange(c);
            c.must(path.map.update(kKey, {.ifindex = kLoopback}));
            const auto frame = make_frame();
            {
              const auto attached = c.must(attach(path));
              c.must(path.socket.send(frame));
              receives(c, path, "while it is attached the frame is marked", marked(frame));
            }
            c.must(path.socket.send(frame));
            receives(c, path, "after that the frame is as sent", frame);
            counted(c, path, {.as_sent = 1, .came_back = 1});
          },
  });

  rules.add({
      .id = "integration.program-in-the-entry-writes-what-is-received",
      .states = "The program in a map entry runs on a frame that an SKB-mode program redirects by it, and what it "
                "writes is what the device receives.",
      .since = kWideValuesSince,
      .source = {"kernel/bpf/devmap.c:dev_map_bpf_prog_run_skb"},
      .commits = {"2ea5eabaf04a"},
      .variants = in_skb_mode(any_map(8)),
      .check =
          [](Case& c) {
            const auto path = arrange(c, Marking::by_entry);
            const auto egress = marking_egress_program(c);
            c.succeeds(path.map.update(kKey, {.ifindex = kLoopback, .program_fd = egress.fd()}));
            const auto attached = c.succeeds(attach(path));
            const auto frame = make_frame();
            c.must(path.socket.send(frame));
            receives(c, path, "the frame received has the mark of the entry's program", marked(frame));
            counted(c, path, {.as_sent = 1, .came_back = 1});
          },
  });

  rules.add({
      .id = "integration.redirect-by-index-does-not-look",
      .states = "bpf_redirect, which takes an ifindex and no map, returns XDP_REDIRECT also for an ifindex that no "
                "device has.",
      .source = {"net/core/filter.c:bpf_xdp_redirect"},
      .variants = once(),
      .check =
          [](Case& c) {
            for (const std::int32_t ifindex : {std::int32_t{kLoopback}, 0, INT32_MAX}) {
              const auto program = c.program(
                  Assembler().move(Register::r1, ifindex).move(Register::r2, 0).call(BPF_FUNC_redirect).exit());
              const auto run = c.must(program.test_run({.repeat = 1, .data_in = make_frame()}));
              c.equals(fmt::format("bpf_redirect(ifindex {}, flags 0)", ifindex), run.return_value,
                       std::uint32_t{XDP_REDIRECT});
            }
          },
  });

  rules.add({
      .id = "integration.loopback-takes-no-native-program",
      .states = "The loopback device takes XDP programs in SKB mode only: a native one is refused with EOPNOTSUPP.",
      .refuses = {EOPNOTSUPP},
      .source = {"net/core/dev.c:dev_xdp_attach"},
      .variants = once(),
      .check =
          [](Case& c) {
            const auto program = c.program(Assembler().return_value(XDP_PASS));
            c.refuses(XdpLink::create(program, {.ifindex = kLoopback, .flags = XDP_FLAGS_DRV_MODE}), EOPNOTSUPP)
                .control(XdpLink::create(program, {.ifindex = kLoopback, .flags = XDP_FLAGS_SKB_MODE}));
          },
  });
}

}  // namespace devmap::cases
