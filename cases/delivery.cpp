#include <cases/chapters.hpp>
#include <cases/support.hpp>
#include <cases/traffic.hpp>
#include <harness/net/features.hpp>
#include <harness/net/packet_socket.hpp>

#include <cerrno>

// Where a frame redirected by a map goes, in what native and SKB mode have in common.
namespace devmap::cases {
namespace {

using enum RedirectTracepoint;

constexpr std::uint32_t kKey = 1;
const std::vector<std::string> kSource = {"kernel/bpf/devmap.c:dev_map_enqueue",
                                          "kernel/bpf/devmap.c:dev_map_generic_redirect"};
const std::vector<std::string> kCheck = {"include/linux/filter.h:xdp_ok_fwd_dev"};

Rule in_both_modes(Rule rule) {
  rule.variants = any_map(4).in({Mode::native, Mode::generic});
  rule.needs.insert(rule.needs.begin(), features::veth());
  if (rule.source.empty()) rule.source = kSource;
  return rule;
}

/// A map with this device under kKey.
DevMap map_to(Case& c, std::uint32_t ifindex) {
  auto map = c.devmap(kEntries);
  c.must(map.update(kKey, {.ifindex = ifindex}));
  return map;
}

/// Attaches a program that redirects every frame to this key.
std::uint32_t redirect_all(Traffic& t, const DevMap& map, std::uint32_t key = kKey, std::uint64_t flags = 0) {
  return t.run(t.main().redirect_map(map, key, flags).exit());
}

void goes(Case& c, Traffic& t, std::string_view what, const Frame& frame, const Fate& expected) {
  c.equals(fmt::format("where {} went", what), t.fate_of(frame), expected);
}

void add_success(Registry& rules) {
  const auto delivers = [](Case& c) {
    Traffic t(c, {.ports = 2});
    const auto map = map_to(c, t.target(1));
    redirect_all(t, map);
    goes(c, t, "a frame redirected to the entry of t1", t.frame(), delivered_to({1}));
  };
  rules.add(in_both_modes({
      .id = "delivery.frame-leaves-through-the-entrys-device",
      .states =
          "A frame redirected to an entry leaves through the entry's device, once, and the device's peer receives "
          "the bytes that were sent.",
      .catalogue = {"NATIVE-01", "GENERIC-01"},
      .check = delivers,
  }));
  Rule wide = in_both_modes({
      .id = "delivery.frame-leaves-through-the-device-of-a-wide-entry",
      .states = "A frame redirected to an entry of 8 bytes without a program leaves through the entry's device, once, "
                "and the device's peer receives the bytes that were sent.",
      .since = {.major = 5, .minor = 15},
      .catalogue = {"NATIVE-01", "GENERIC-01"},
      .needs = {features::wide_values_in_skb_mode()},
      .check = delivers,
  });
  wide.variants = any_map(8).in({Mode::native, Mode::generic});
  rules.add(wide);

  rules.add(in_both_modes({
      .id = "delivery.what-a-frame-carries-does-not-matter",
      .states = "Frames of any EtherType, with or without an 802.1Q header, are redirected with their bytes unchanged.",
      .catalogue = {"NATIVE-01", "GENERIC-01"},
      .check =
          [](Case& c) {
            Traffic t(c);
            const auto map = map_to(c, t.target(0));
            redirect_all(t, map);
            for (const auto& [name, protocol] :
                 {std::pair{"bare", Protocol::bare}, {"IPv4", Protocol::ipv4_udp}, {"IPv6", Protocol::ipv6_udp}}) {
              for (const std::size_t size : {100U, 1514U}) {
                const FrameSpec spec{.size = size, .protocol = protocol};
                goes(c, t, fmt::format("a frame of {} bytes, {}", size, name), t.frame(spec), delivered_to({0}));
                FrameSpec tagged = spec;
                tagged.vlan = 7;
                goes(c, t, fmt::format("the same with an 802.1Q header"), t.frame(tagged), delivered_to({0}));
              }
            }
          },
  }));

  rules.add(in_both_modes({
      .id = "delivery.the-stack-does-not-see-redirected-frames",
      .states =
          "A redirected frame reaches neither the network stack of the device that received it nor packet sockets "
          "on the device it leaves through.",
      .source = {"drivers/net/veth.c:veth_xdp_xmit", "net/core/dev.c:generic_xdp_tx"},
      .catalogue = {"NATIVE-02", "GENERIC-05"},
      .check =
          [](Case& c) {
            Traffic t(c, {.taps = true});
            const auto map = map_to(c, t.target(0));
            redirect_all(t, map);
            goes(c, t, "a redirected frame", t.frame(), delivered_to({0}));
            const auto ordinary = t.frame();
            const auto sender = c.must(PacketSocket::open(t.target(0)));
            c.must(sender.send_as_the_stack_does());
            await_carrier(c, t.target(0));
            c.must(sender.send(ordinary));
            c.equals("where a frame went that was sent through t0 in the ordinary way", t.fates().of(ordinary),
                     Fate{{.place = {.kind = Place::Kind::tap, .number = 0}}, at_sink(0)});
            t.run(t.main().return_value(XDP_PASS));
            goes(c, t, "a frame with XDP_PASS", t.frame(), to_stack());
          },
  }));

  rules.add(in_both_modes({
      .id = "delivery.order-is-kept",
      .states = "Frames redirected to one device leave it in the order in which they were received.",
      .source = {"kernel/bpf/devmap.c:bq_enqueue"},
      .catalogue = {"NATIVE-03"},
      .check =
          [](Case& c) {
            Traffic t(c);
            const auto map = map_to(c, t.target(0));
            redirect_all(t, map);
            t.send(t.frames(5));
            c.equals("the order of frames 0 to 4 at the sink", t.fates().order_at({Place::Kind::sink, 0}),
                     std::vector<std::uint32_t>{0, 1, 2, 3, 4});
          },
  }));

  rules.add(in_both_modes({
      .id = "delivery.ingress-device-may-be-the-target",
      .states = "A frame redirected to an entry of the device that received it goes back out of that device.",
      .catalogue = {"NATIVE-15", "GENERIC-06"},
      .check =
          [](Case& c) {
            Traffic t(c);
            const auto map = map_to(c, t.in1());
            redirect_all(t, map);
            goes(c, t, "a frame redirected to the entry of in1", t.frame(), sent_back());
          },
  }));
}

void add_misses(Registry& rules) {
  rules.add(in_both_modes({
      .id = "delivery.miss-has-the-action-of-the-flags",
      .states = "A frame whose program returns what bpf_redirect_map returned for a missing key is dropped for flags 0 "
                "and 1, given to the stack for 2, and sent back for 3.",
      .since = {.major = 5, .minor = 3},
      .source = {"drivers/net/veth.c:veth_xdp_rcv_one", "net/core/dev.c:do_xdp_generic"},
      .catalogue = {"NATIVE-16", "GENERIC-06"},
      .check =
          [](Case& c) {
            Traffic t(c);
            const auto map = map_to(c, t.target(0));
            for (const auto& [flags, fate] : {std::pair{XDP_ABORTED, nowhere()},
                                              {XDP_DROP, nowhere()},
                                              {XDP_PASS, to_stack()},
                                              {XDP_TX, sent_back()}}) {
              redirect_all(t, map, kMissing, flags);
              goes(c, t, fmt::format("a frame redirected to a missing key with flags {}", int{flags}), t.frame(), fate);
            }
          },
  }));

  rules.add(in_both_modes({
      .id = "delivery.refused-flags-drop-the-frame",
      .states = "A frame whose program returns what bpf_redirect_map returned for unknown flags is dropped, with an "
                "xdp_exception event, also where the key is present.",
      .since = {.major = 5, .minor = 3},
      .source = {"include/linux/filter.h:__bpf_xdp_redirect_map"},
      .catalogue = {"NATIVE-17"},
      .needs = {features::redirect_trace()},
      .check =
          [](Case& c) {
            Traffic t(c);
            const auto map = map_to(c, t.target(0));
            redirect_all(t, map, kKey, 0x20);
            t.trace({redirect, redirect_err, exception});
            goes(c, t, "a frame redirected with flags 0x20", t.frame(), nowhere());
            c.equals("events", summary(t.events()), "xdp_exception");
          },
  }));
}

/// The frame must be dropped with one xdp_redirect_err of this errno.
void is_refused(Case& c, Traffic& t, std::string_view what, const Frame& frame, int code) {
  goes(c, t, what, frame, nowhere());
  c.equals("events", summary(t.events()), "xdp_redirect_err " + c.expected_errno(code));
}

/// The first frame's program finds kKey and returns XDP_DROP: where what it found is kept, the second would be
/// redirected to it, as it is given XDP_REDIRECT and no more. The third finds kKey as well, and is redirected.
Assembler bare_between_hits(const Traffic& t, const DevMap& map, const Map& counter) {
  auto code = t.main();
  const auto later = code.label();
  const auto bare = code.label();
  number_the_frame(code, counter).jump_if(Condition::not_equal, Register::r7, 0, later);
  code.redirect_map(map, kKey, 0).return_value(XDP_DROP).place(later);
  code.jump_if(Condition::equal, Register::r7, 1, bare).redirect_map(map, kKey, 0).exit();
  return code.place(bare).return_value(XDP_REDIRECT);
}

void add_refusals(Registry& rules) {
  rules.add(in_both_modes({
      .id = "delivery.target-that-is-down-is-enetdown",
      .states =
          "A redirect to a device that is down fails with ENETDOWN when the frame comes, and the frame is dropped; "
          "with the device up again frames leave through it, without an update of the map.",
      .refuses = {ENETDOWN},
      .source = kCheck,
      .catalogue = {"NATIVE-05", "GENERIC-03", "GENERIC-08"},
      .needs = {features::redirect_trace()},
      .check =
          [](Case& c) {
            Traffic t(c);
            const auto map = map_to(c, t.target(0));
            redirect_all(t, map);
            t.trace({redirect, redirect_err});
            c.must(set_up(t.target(0), false));
            is_refused(c, t, "a frame redirected to t0 while it is down", t.frame(), ENETDOWN);
            c.must(set_up(t.target(0)));
            goes(c, t, "a frame after t0 is up again", t.frame(), delivered_to({0}));
            c.equals("events", summary(t.events()), "xdp_redirect");
          },
  }));

  rules.add(in_both_modes({
      .id = "delivery.frame-above-the-mtu-is-emsgsize",
      .states = "A frame of more bytes than the target's MTU plus 18 (an Ethernet and an 802.1Q header) is not "
                "redirected, but fails with EMSGSIZE and is dropped.",
      .refuses = {EMSGSIZE},
      .source = kCheck,
      .catalogue = {"NATIVE-06", "GENERIC-03", "GENERIC-08", "LIMIT-05"},
      .needs = {features::redirect_trace()},
      .check =
          [](Case& c) {
            constexpr std::uint32_t kMtu = 100;
            Traffic t(c);
            const auto map = map_to(c, t.target(0));
            redirect_all(t, map);
            t.trace({redirect, redirect_err});
            c.must(set_mtu(t.target(0), kMtu));
            is_refused(c, t, "a frame of 119 bytes, the MTU of t0 being 100", t.frame({.size = kMtu + 19}), EMSGSIZE);
            goes(c, t, "a frame of 118 bytes", t.frame({.size = kMtu + 18}), delivered_to({0}));
            c.equals("events", summary(t.events()), "xdp_redirect");
          },
  }));

  rules.add(in_both_modes({
      .id = "delivery.redirect-without-a-target-is-ebadrqc",
      .states =
          "A program that returns XDP_REDIRECT without having called a redirect helper has its frame dropped, with "
          "EBADRQC in xdp_redirect_err.",
      .refuses = {EBADRQC},
      .since = kFreshStateSince,  // before, a redirect that a program has left is carried out
      .backports = kFreshStateBackports,
      .source = {"net/core/filter.c:xdp_do_redirect", "net/core/filter.c:xdp_do_generic_redirect"},
      .commits = {"401cb7dae813"},
      .catalogue = {"GENERIC-09", "GENERIC-08"},
      .needs = {features::redirect_trace()},
      .check =
          [](Case& c) {
            Traffic t(c);
            const auto map = map_to(c, t.target(0));
            const auto counter = frame_counter(c);
            t.run(bare_between_hits(t, map, counter));
            t.trace({redirect, redirect_err});
            goes(c, t, "a frame whose program finds the entry of t0 and returns XDP_DROP", t.frame(), nowhere());
            is_refused(c, t, "a frame with XDP_REDIRECT and no target", t.frame(), EBADRQC);
            goes(c, t, "a frame with XDP_REDIRECT and the entry of t0", t.frame(), delivered_to({0}));
            c.equals("events", summary(t.events()), "xdp_redirect");
          },
  }));
}

void add_wire(Registry& rules) {
  rules.add(in_both_modes({
      .id = "delivery.wire-with-an-end-that-is-down-carries-nothing",
      .states = "A veth device that is down, or whose peer is, receives no frame that its program could redirect; with "
                "both up again it does.",
      .source = {"drivers/net/veth.c:veth_xmit"},
      .check =
          [](Case& c) {
            Traffic t(c);
            const auto map = map_to(c, t.target(0));
            redirect_all(t, map);
            const auto sender = c.must(PacketSocket::open(t.in0()));
            for (const auto down : {t.in1(), t.in0()}) {
              const auto* const name = down == t.in1() ? "in1" : "in0";
              const auto lost = t.frame();
              const auto next = t.frame();
              c.must(set_up(down, false));
              c.note(fmt::format("a frame is sent through in0 while {} is down: {}", name,
                                 sender.send(lost) ? "taken" : "refused"));
              c.must(set_up(down));
              t.send({next});
              const auto fates = t.fates();
              c.equals(fmt::format("where a frame sent while {} was down went", name), fates.of(lost), nowhere());
              c.equals("where one sent after that went", fates.of(next), delivered_to({0}));
            }
          },
  }));
}

}  // namespace

void add_delivery_chapter(Registry& rules) {
  rules.chapter("delivery", "Delivery of redirected frames, in either mode");
  add_success(rules);
  add_misses(rules);
  add_refusals(rules);
  add_wire(rules);
}

}  // namespace devmap::cases
