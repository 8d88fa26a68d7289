#include <cases/fragments.hpp>
#include <cases/native.hpp>
#include <cases/support.hpp>
#include <cases/traffic.hpp>
#include <harness/bpf/features.hpp>
#include <harness/net/ethtool.hpp>
#include <harness/net/features.hpp>
#include <harness/net/link.hpp>
#include <harness/net/tun.hpp>

#include <cerrno>
#include <optional>

// What a device must be able to do to be a target of native redirects, and that bpf_redirect asks the same of it.
namespace devmap::cases {
namespace {

using enum RedirectTracepoint;

constexpr KernelVersion kFeatureBitsSince{.major = 6, .minor = 3};
const std::string kEnqueue = "kernel/bpf/devmap.c:__xdp_enqueue";
const std::string kVethFeatures = "drivers/net/veth.c:veth_set_xdp_features";
const std::string kDelivered = "xdp_redirect, xdp_devmap_xmit sent 1 of 1";

Rule native_rule(Rule rule) {
  rule.variants = any_map(4).in({Mode::native});
  rule.needs.insert(rule.needs.begin(), {features::veth(), features::gro_switch(), features::redirect_trace()});
  return rule;
}

/// The events of a frame whose device cannot transmit XDP frames.
std::string incapable(Case& c) {
  return "xdp_redirect_err " + c.expected_errno(EOPNOTSUPP);
}

/// One port, redirected to by a map, and a trace of what becomes of frames.
struct Bench {
  Traffic traffic;
  DevMap map;

  /// The peer of t0 has GRO or not, and no program.
  Bench(Case& c, bool with_gro) : traffic(c, {.polling = Polling::offload}), map(c.devmap(kEntries)) {
    if (!with_gro) c.must(set_gro(traffic.sink(0), false));
    c.must(map.update(kPresent, {.ifindex = traffic.target(0)}));
    traffic.run(traffic.main().redirect_map(map, kPresent, 0).exit());
    traffic.trace({redirect, redirect_err, devmap_xmit});
  }
  void is_target(Case& c, std::string_view when) {
    c.equals(fmt::format("where a frame redirected to t0 went {}", when), traffic.fate_of(traffic.frame()),
             delivered_to({0}));
    c.equals("events", summary(traffic.events()), kDelivered);
  }
  void is_no_target(Case& c, std::string_view when) { is_no_target(c, when, incapable(c)); }
  void is_no_target(Case& c, std::string_view when, const std::string& events) {
    c.equals(fmt::format("where a frame redirected to t0 went {}", when), traffic.fate_of(traffic.frame()), nowhere());
    c.equals("events", summary(traffic.events()), events);
  }
};

void add_peers(Registry& rules) {
  rules.add(native_rule({
      .id = "native.veth-whose-peer-has-a-program-is-a-target",
      .states = "A veth device whose peer has a native XDP program is a target of native redirects, also without GRO.",
      .source = {kVethFeatures, "drivers/net/veth.c:veth_xdp_xmit"},
      .catalogue = {"NATIVE-08"},
      .check =
          [](Case& c) {
            Bench bench(c, false);
            const auto pass = passing_program(c);
            const auto attached = c.attach(pass, bench.traffic.sink(0), Mode::native);
            bench.is_target(c, "while s0 has a native program");
          },
  }));
  rules.add(native_rule({
      .id = "native.veth-whose-peer-has-gro-is-a-target",
      .states = "A veth device whose peer has GRO switched on is a target of native redirects, also without a program "
                "on the peer.",
      .since = {.major = 5, .minor = 13},
      .source = {kVethFeatures, "drivers/net/veth.c:veth_set_features"},
      .commits = {"d3256efd8e8b"},
      .catalogue = {"NATIVE-08"},
      .check =
          [](Case& c) {
            Bench bench(c, true);
            bench.is_target(c, "while s0 has GRO switched on and no program");
          },
  }));

  for (const bool by_features : {false, true}) {
    Rule rule = native_rule({
        .id = by_features ? "native.veth-whose-peer-does-not-poll-is-no-target"
                          : "native.veth-whose-peer-does-not-poll-refuses-frames",
        .states = by_features ? "A native redirect to a veth device whose peer has neither a native program nor GRO "
                                "fails with EOPNOTSUPP before it is queued; a program in SKB mode does not help."
                              : "A native redirect to a veth device whose peer has neither a native program nor GRO is "
                                "queued, and the driver refuses the frame with ENXIO; a program in SKB mode does not "
                                "help.",
        .refuses = {by_features ? EOPNOTSUPP : ENXIO},
        .source = {kVethFeatures, kEnqueue},
        .commits = {"8267fc71abb2"},
        .catalogue = {"NATIVE-08"},
        .check =
            [by_features](Case& c) {
              const auto events =
                  by_features ? incapable(c)
                              : fmt::format("xdp_redirect, xdp_devmap_xmit {} sent 0 of 1", c.expected_errno(ENXIO));
              Bench bench(c, false);
              bench.is_no_target(c, "while s0 has neither a program nor GRO", events);
              const auto pass = passing_program(c);
              std::optional<XdpAttachment> attached(c.attach(pass, bench.traffic.sink(0), Mode::generic));
              bench.is_no_target(c, "while s0 has a program in SKB mode", events);
              attached.reset();
              attached.emplace(c.attach(pass, bench.traffic.sink(0), Mode::native));
              bench.is_target(c, "while s0 has the same program natively");
            },
    });
    if (by_features) {
      rule.since = kFeatureBitsSince;
    } else {
      rule.until = kFeatureBitsSince;
    }
    rules.add(rule);
  }

  rules.add(native_rule({
      .id = "native.target-gains-and-loses-its-ability-with-its-peers-program",
      .states = "A redirect asks anew for every frame whether its device can transmit: with a native program attached "
                "to a veth device's peer it can, with the program detached it cannot, without an update of the map.",
      .refuses = {EOPNOTSUPP},
      .since = kFeatureBitsSince,
      .source = {kEnqueue, kVethFeatures},
      .commits = {"8267fc71abb2"},
      .catalogue = {"NATIVE-19", "NATIVE-08"},
      .check =
          [](Case& c) {
            Bench bench(c, false);
            bench.is_no_target(c, "before s0 has a program");
            const auto pass = passing_program(c);
            std::optional<XdpAttachment> attached(c.attach(pass, bench.traffic.sink(0), Mode::native));
            bench.is_target(c, "after a program is attached to s0");
            attached.reset();
            bench.is_no_target(c, "after it is detached");
            attached.emplace(c.attach(pass, bench.traffic.sink(0), Mode::native));
            bench.is_target(c, "after it is attached again");
          },
  }));
  rules.add(native_rule({
      .id = "native.target-gains-and-loses-its-ability-with-its-peers-gro",
      .states = "A redirect asks anew for every frame whether its device can transmit: with GRO switched on at a veth "
                "device's peer it can, with GRO switched off it cannot, without an update of the map.",
      .refuses = {EOPNOTSUPP},
      .since = kFeatureBitsSince,
      .source = {kEnqueue, kVethFeatures},
      .commits = {"8267fc71abb2"},
      .catalogue = {"NATIVE-19", "NATIVE-08"},
      .check =
          [](Case& c) {
            Bench bench(c, true);
            bench.is_target(c, "while s0 has GRO");
            c.must(set_gro(bench.traffic.sink(0), false));
            bench.is_no_target(c, "after GRO of s0 is switched off");
            c.must(set_gro(bench.traffic.sink(0), true));
            bench.is_target(c, "after it is switched on again");
          },
  }));
}

/// A main program that redirects every frame to a device by its number.
Assembler redirecting_to(const Traffic& t, std::uint32_t ifindex) {
  return t.main()
      .move(Register::r1, static_cast<std::int32_t>(ifindex))
      .move(Register::r2, 0)
      .call(BPF_FUNC_redirect)
      .exit();
}

void add_by_ifindex(Registry& rules) {
  Rule nameless = native_rule({
      .id = "native.redirect-by-ifindex-names-no-map",
      .states = "A frame redirected by bpf_redirect raises the events of one redirected by a map, xdp_redirect with "
                "2147483647 for the map.",
      .since = {.major = 5, .minor = 13},
      .source = {"net/core/filter.c:bpf_xdp_redirect", "include/trace/events/xdp.h"},
      .catalogue = {"NATIVE-22"},
      .check =
          [](Case& c) {
            Traffic t(c);
            t.run(redirecting_to(t, t.target(0)));
            t.trace({redirect, redirect_err, devmap_xmit});
            c.equals("where a frame redirected to t0 by its ifindex went", t.fate_of(t.frame()), delivered_to({0}));
            const auto events = t.events();
            if (!c.equals("events", summary(events), kDelivered)) return;
            c.equals("map_id of xdp_redirect", events.front().map_id, kNoMapId);
            c.equals("to_ifindex of xdp_redirect is t0", events.front().to_ifindex, t.target(0));
          },
  });
  nameless.variants = once().in({Mode::native});
  rules.add(nameless);

  Rule same = native_rule({
      .id = "native.redirect-by-ifindex-asks-the-same-of-the-device",
      .states = "A redirect by bpf_redirect fails like one by a map: with ENETDOWN where the device is down, with "
                "EMSGSIZE where the frame exceeds its MTU by more than 18 bytes, and with EOPNOTSUPP where it cannot "
                "transmit XDP frames.",
      .refuses = {ENETDOWN, EMSGSIZE, EOPNOTSUPP},
      .source = {kEnqueue, "include/linux/filter.h:xdp_ok_fwd_dev"},
      .catalogue = {"NATIVE-22"},
      .check =
          [](Case& c) {
            Traffic t(c);
            t.run(redirecting_to(t, t.target(0)));
            t.trace({redirect, redirect_err});
            const auto fails = [&](std::string_view what, const Frame& frame, int code) {
              c.equals(fmt::format("where {} went", what), t.fate_of(frame), nowhere());
              c.equals("events", summary(t.events()), "xdp_redirect_err " + c.expected_errno(code));
            };
            const auto succeeds = [&](std::string_view what, const Frame& frame) {
              c.equals(fmt::format("where {} went", what), t.fate_of(frame), delivered_to({0}));
              c.equals("events", summary(t.events()), "xdp_redirect");
            };
            c.must(set_up(t.target(0), false));
            fails("a frame redirected to t0 by its ifindex while it is down", t.frame(), ENETDOWN);
            c.must(set_up(t.target(0)));
            succeeds("a frame after t0 is up again", t.frame());
            c.must(set_mtu(t.target(0), 100));
            fails("a frame of 119 bytes, the MTU of t0 being 100", t.frame({.size = 119}), EMSGSIZE);
            succeeds("a frame of 118 bytes", t.frame({.size = 118}));
            c.must(set_up(kLoopback));
            t.run(redirecting_to(t, kLoopback));
            fails("a frame redirected to lo by its ifindex", t.frame(), EOPNOTSUPP);
          },
  });
  same.variants = once().in({Mode::native});
  rules.add(same);

  rules.add({
      .id = "native.redirect-by-ifindex-runs-no-program-of-an-entry",
      .states = "A frame redirected by bpf_redirect is not given to the program of a map entry for the device.",
      .since = {.major = 5, .minor = 8},
      .source = {"net/core/filter.c:bpf_xdp_redirect", "kernel/bpf/devmap.c:dev_xdp_enqueue"},
      .catalogue = {"NATIVE-22"},
      .variants = any_map(8).in({Mode::native}),
      .needs = {features::veth()},
      .check =
          [](Case& c) {
            Traffic t(c);
            const auto drop = c.program(Assembler().return_value(XDP_DROP), {.expected_attach_type = BPF_XDP_DEVMAP});
            const auto map = c.devmap(kEntries);
            c.must(map.update(kPresent, {.ifindex = t.target(0), .program_fd = drop.fd()}));
            t.run(t.main().redirect_map(map, kPresent, 0).exit());
            c.equals("where a frame redirected to the entry of t0, whose program drops it, went", t.fate_of(t.frame()),
                     nowhere());
            t.run(redirecting_to(t, t.target(0)));
            c.equals("where one redirected to t0 by its ifindex went", t.fate_of(t.frame()), delivered_to({0}));
          },
  });
}

Rule fragments_rule(Rule rule, Mode mode) {
  rule.variants = any_map(4).in({mode});
  rule.needs = {features::veth(), features::tun(), features::frags_programs(), features::redirect_trace(),
                small_pages()};
  return rule;
}

void veth_takes_fragments(Case& c) {
  Traffic t(c, {.mtu = kJumbo});
  const auto map = c.devmap(kEntries);
  c.must(map.update(kPresent, {.ifindex = t.target(0)}));
  t.run(t.main().redirect_map(map, kPresent, 0).exit(), {.flags = BPF_F_XDP_HAS_FRAGS});
  t.trace({redirect, redirect_err});
  c.equals("where a frame of 8000 bytes redirected to t0 went", t.fate_of(t.frame({.size = kInFragments})),
           delivered_to({0}));
  c.equals("events", summary(t.events()), "xdp_redirect");
}

/// Redirects a frame in several buffers, and one in a single buffer, to a tap device.
void redirect_to_tap(Case& c, bool takes_fragments) {
  Traffic t(c, {.mtu = kJumbo});
  const auto tap = c.must(Tun::create({.name = "tap7", .ifindex = distinct_ifindex(50)}));
  c.must(set_mtu(tap.ifindex(), kJumbo));
  const auto map = c.devmap(kEntries);
  c.must(map.update(kPresent, {.ifindex = tap.ifindex()}));
  t.run(t.main().redirect_map(map, kPresent, 0).exit(), {.flags = BPF_F_XDP_HAS_FRAGS});
  t.trace({redirect, redirect_err});
  const auto large = t.frame({.size = kInFragments});
  c.equals("where else a frame of 8000 bytes redirected to a tap device went", t.fate_of(large), nowhere());
  c.equals("events", summary(t.events()), takes_fragments ? "xdp_redirect" : incapable(c));
  if (takes_fragments) c.holds("its reader gets the frame", c.must(tap.read(c.patience())) == large);
  const auto small = t.frame({.size = 1000});
  c.equals("where else one of 1000 bytes went", t.fate_of(small), nowhere());
  c.equals("events", summary(t.events()), "xdp_redirect");
  c.holds("the next frame its reader gets is that one", c.must(tap.read(c.patience())) == small);
}

}  // namespace

void add_native_features(Registry& rules) {
  add_peers(rules);
  add_by_ifindex(rules);
  rules.add(fragments_rule(
      {
          .id = "native.veth-takes-frames-in-fragments",
          .states = "A frame in several buffers that a native program redirects to a veth device is delivered whole.",
          .since = {.major = 6, .minor = 3},
          .source = {kEnqueue, kVethFeatures},
          .catalogue = {"NATIVE-18"},
          .check = veth_takes_fragments,
      },
      Mode::native));
  rules.add(fragments_rule(
      {
          .id = "native.device-that-takes-no-fragments-is-no-target-of-them",
          .states = "A native redirect of a frame in several buffers to a device that can only transmit single buffers,"
                    " here a tap device, fails with EOPNOTSUPP.",
          .refuses = {EOPNOTSUPP},
          .since = kFeatureBitsSince,
          .source = {kEnqueue},
          .catalogue = {"NATIVE-18"},
          .check = [](Case& c) { redirect_to_tap(c, false); },
      },
      Mode::native));
}

/// With an SKB-mode program the frame is made linear before Linux 6.9, and comes out whole all the same.
void add_generic_fragments(Registry& rules) {
  rules.add(fragments_rule(
      {
          .id = "generic.veth-takes-frames-in-fragments",
          .states =
              "A frame in several buffers that an SKB-mode program redirects to a veth device is delivered whole.",
          .since = kFragsProgramsSince,
          .source = {"kernel/bpf/devmap.c:dev_map_generic_redirect", "net/core/dev.c:netif_skb_check_for_xdp"},
          .catalogue = {"GENERIC-07"},
          .check = veth_takes_fragments,
      },
      Mode::generic));
  rules.add(fragments_rule(
      {
          .id = "generic.every-device-takes-frames-in-fragments",
          .states = "An SKB-mode redirect of a frame in several buffers does not ask whether the device can transmit "
                    "such: a tap device, which can only transmit single buffers of XDP, delivers it whole.",
          .since = kFragsProgramsSince,
          .source = {"kernel/bpf/devmap.c:dev_map_generic_redirect", "net/core/dev.c:netif_skb_check_for_xdp"},
          .catalogue = {"GENERIC-07"},
          .check = [](Case& c) { redirect_to_tap(c, true); },
      },
      Mode::generic));
}

}  // namespace devmap::cases
