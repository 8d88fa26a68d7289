#include <cases/native.hpp>
#include <cases/support.hpp>
#include <cases/traffic.hpp>
#include <harness/net/device_state.hpp>
#include <harness/net/devices.hpp>
#include <harness/net/ethtool.hpp>
#include <harness/net/features.hpp>
#include <harness/net/link.hpp>
#include <harness/net/packet_socket.hpp>
#include <harness/net/segmentation.hpp>
#include <harness/net/tun.hpp>

// Devices of all kinds as targets of redirects in SKB mode.
namespace devmap::cases {
namespace {

using enum RedirectTracepoint;

const std::string kRedirect = "kernel/bpf/devmap.c:dev_map_generic_redirect";
const std::string kTransmit = "net/core/dev.c:generic_xdp_tx";

Rule device_rule(Rule rule) {
  rule.source = {kRedirect, kTransmit};
  rule.catalogue = {"GENERIC-02"};
  rule.variants = any_map(4).in({Mode::generic});
  rule.needs.insert(rule.needs.begin(), {features::veth(), features::redirect_trace()});
  return rule;
}

/// Redirects a frame to a device and judges where it came out, as far as the traffic kit sees it; the frame.
Frame redirected_to(Case& c, Traffic& t, std::string_view name, std::uint32_t ifindex, const Fate& expected) {
  const auto map = c.devmap(kEntries);
  c.must(map.update(kPresent, {.ifindex = ifindex}));
  t.run(t.main().redirect_map(map, kPresent, 0).exit());
  t.trace({redirect, redirect_err});
  const auto frame = t.frame();
  c.equals(fmt::format("where a frame redirected to {} came out", name), t.fate_of(frame), expected);
  c.equals("events", summary(t.events()), "xdp_redirect");
  return frame;
}

void add_stacked(Registry& rules) {
  rules.add(device_rule({
      .id = "generic.veth-whose-peer-does-not-poll-is-a-target",
      .states = "A frame redirected in SKB mode to a veth device whose peer has neither a program nor GRO is delivered "
                "to the peer.",
      .check =
          [](Case& c) {
            Traffic t(c, {.polling = Polling::none});
            redirected_to(c, t, "a veth device without a polling peer", t.target(0), delivered_to({0}));
          },
  }));
  rules.add(device_rule({
      .id = "generic.macvlan-is-a-target",
      .states = "A frame redirected in SKB mode to a macvlan device leaves through the device below it.",
      .needs = {features::macvlan()},
      .check =
          [](Case& c) {
            Traffic t(c);
            await_carrier(c, t.target(0));
            const auto upper = c.must(create_macvlan(t.target(0), {.name = "upper", .ifindex = distinct_ifindex(50)}));
            redirected_to(c, t, "a macvlan device on top of t0", upper, delivered_to({0}));
          },
  }));
  rules.add(device_rule({
      .id = "generic.bridge-is-a-target",
      .states = "A frame redirected in SKB mode to a bridge leaves through the bridge's ports.",
      .needs = {features::bridge()},
      .check =
          [](Case& c) {
            Traffic t(c, {.ports = 2});
            const auto bridge = c.must(create_bridge({.name = "bridge7", .ifindex = distinct_ifindex(50)}));
            for (std::uint32_t port = 0; port < 2; ++port) {
              await_carrier(c, t.target(port));
              c.must(set_master(t.target(port), bridge));
            }
            redirected_to(c, t, "a bridge whose ports are t0 and t1", bridge, delivered_to({0, 1}));
          },
  }));
}

void add_single(Registry& rules) {
  rules.add(device_rule({
      .id = "generic.loopback-is-a-target",
      .states = "A frame redirected in SKB mode to the loopback device comes in there.",
      .check =
          [](Case& c) {
            Traffic t(c);
            c.must(set_up(kLoopback));
            const auto at_lo = c.must(PacketSocket::open(kLoopback));
            const auto frame = redirected_to(c, t, "lo", kLoopback, Fate{{.place = t.place_of(kLoopback)}});
            c.holds("lo hears the frame", c.must(at_lo.receive(c.patience())) == frame);
          },
  }));
  rules.add(device_rule({
      .id = "generic.tap-is-a-target",
      .states = "A frame redirected in SKB mode to a tap device is what its reader gets.",
      .needs = {features::tun()},
      .check =
          [](Case& c) {
            Traffic t(c);
            const auto tap = c.must(Tun::create({.name = "tap7", .ifindex = distinct_ifindex(50)}));
            const auto frame = redirected_to(c, t, "a tap device", tap.ifindex(), nowhere());
            c.holds("its reader gets the frame", c.must(tap.read(c.patience())) == frame);
          },
  }));
  auto without_reader = device_rule({
      .id = "generic.tap-without-reader-loses-frames",
      .states = "A frame redirected in SKB mode to a tap device whose reader has gone is lost, with an xdp_redirect "
                "without an error.",
      .needs = {features::tun()},
      .check =
          [](Case& c) {
            Traffic t(c);
            auto tap = c.must(Tun::create({.name = "tap7", .ifindex = distinct_ifindex(50), .persistent = true}));
            const auto frame = redirected_to(c, t, "a tap device", tap.ifindex(), nowhere());
            c.holds("its reader gets the frame", c.must(tap.read(c.patience())) == frame);
            tap.close();
            (void)redirected_to(c, t, "the tap device without its reader", tap.ifindex(), nowhere());
          },
  });
  without_reader.catalogue = {"GENERIC-04"};
  rules.add(std::move(without_reader));
  rules.add(device_rule({
      .id = "generic.tun-is-a-target",
      .states = "A frame redirected in SKB mode to a tun device, which carries packets without an Ethernet header, is "
                "what its reader gets, with its Ethernet header.",
      .needs = {features::tun()},
      .check =
          [](Case& c) {
            Traffic t(c);
            const auto tun =
                c.must(Tun::create({.layer = Tun::Layer::tun, .name = "tun7", .ifindex = distinct_ifindex(50)}));
            const auto frame = redirected_to(c, t, "a tun device", tun.ifindex(), nowhere());
            const auto read = c.must(tun.read(c.patience()));
            c.holds("its reader gets the frame, Ethernet header included", read == frame,
                    read ? changes(frame, *read) : "nothing");
          },
  }));

  struct Kind {
    const char* name;
    Feature feature;
    Expected<std::uint32_t> (*create)(const DeviceSpec&);
  };
  for (const auto& kind : {Kind{"ifb", features::ifb(), create_ifb}, Kind{"dummy", features::dummy(), create_dummy}}) {
    rules.add(device_rule({
        .id = fmt::format("generic.{}-is-a-target", kind.name),
        .states = fmt::format("A redirect in SKB mode to a device of kind {} succeeds, and the device swallows the "
                              "frame.",
                              kind.name),
        .needs = {kind.feature},
        .check =
            [kind](Case& c) {
              Traffic t(c);
              const auto device =
                  c.must(kind.create({.name = fmt::format("{}7", kind.name), .ifindex = distinct_ifindex(50)}));
              redirected_to(c, t, fmt::format("a device of kind {}", kind.name), device, nowhere());
            },
    }));
  }
}

void add_segmentation(Registry& rules) {
  Rule rule = device_rule({
      .id = "generic.frame-to-be-segmented-above-the-mtu-is-emsgsize",
      .states = "A frame that TCP left to a veth device to be cut into segments (TSO) is one frame to the SKB-mode "
                "program on its peer, and where it is longer than the target's MTU allows its redirect fails with "
                "EMSGSIZE; with the sender's TSO off its segments are redirected.",
      .refuses = {EMSGSIZE},
      .needs = {features::gro_switch()},
      .check =
          [](Case& c) {
            constexpr std::uint16_t kSegment = 1000;
            constexpr int kMostAttempts = 50;
            Traffic t(c);
            const auto map = c.devmap(kEntries);
            c.must(map.update(kPresent, {.ifindex = t.target(0)}));
            t.run(t.main().redirect_map(map, kPresent, 0).exit());
            t.trace({redirect, redirect_err});
            for (const bool tso : {true, false}) {
              c.must(set_tcp_segmentation(t.in0(), tso));
              std::size_t came_out = 0;
              // Some kernels skip events of a softirq and do not tell (RedirectTrace): the segments are sent again.
              std::vector<RedirectEvent> events;
              for (int attempt = 0; attempt < kMostAttempts && events.empty(); ++attempt) {
                c.must(send_to_be_segmented(t.in0(), make_tcp_frame(2 * std::size_t{kSegment}), kSegment));
                came_out = t.fates().strangers();
                events = t.events();
              }
              const auto* const on = tso ? "on" : "off";
              c.equals(fmt::format("frames that came out for two segments of 1000 bytes, TSO of in0 {}", on), came_out,
                       tso ? 0U : 2U);
              if (!c.holds("an event was seen", !events.empty())) return;
              c.equals("the first of them", summary({events.front()}),
                       tso ? "xdp_redirect_err " + c.expected_errno(EMSGSIZE) : "xdp_redirect");
            }
          },
  });
  rule.source = {"include/linux/filter.h:xdp_ok_fwd_dev", kRedirect};
  rule.catalogue = {"GENERIC-03"};
  rules.add(std::move(rule));
}

}  // namespace

void add_generic_devices(Registry& rules) {
  add_stacked(rules);
  add_single(rules);
  add_segmentation(rules);
  add_generic_fragments(rules);
}

}  // namespace devmap::cases
