#include <cases/live_targets.hpp>
#include <cases/native.hpp>
#include <cases/support.hpp>
#include <cases/traffic.hpp>
#include <harness/base/detached_mount.hpp>
#include <harness/base/processor.hpp>
#include <harness/bpf/features.hpp>
#include <harness/net/capture.hpp>
#include <harness/net/features.hpp>

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <map>

// Native redirects to veth devices: what their peers decide, and the events that tell.
namespace devmap::cases {
namespace {

using enum RedirectTracepoint;

constexpr std::uint32_t kKey = 1;
const std::string kTransmit = "drivers/net/veth.c:veth_xdp_xmit";

Rule traced(Rule rule, Mode mode) {
  rule.variants = any_map(4).in({mode});
  rule.needs.insert(rule.needs.begin(), {features::veth(), features::redirect_trace()});
  return rule;
}

/// One port, redirected to by a map, and a trace of what becomes of frames.
struct Bench {
  Traffic traffic;
  DevMap map;

  explicit Bench(Case& c) : traffic(c), map(c.devmap(kEntries)) {
    c.must(map.update(kKey, {.ifindex = traffic.target(0)}));
    traffic.run(traffic.main().redirect_map(map, kKey, 0).exit());
    traffic.trace({redirect, redirect_err, devmap_xmit});
  }
  void goes(Case& c, std::string_view what, const Frame& frame, const Fate& fate, std::string_view events) {
    c.equals(fmt::format("where {} went", what), traffic.fate_of(frame), fate);
    c.equals("events", summary(traffic.events()), std::string(events));
  }
};

/// What a frame raises whose program returns what bpf_redirect_map returned for a missing key.
void miss_raises(Case& c, const std::map<xdp_action, std::string>& by_flags) {
  Traffic t(c);
  const auto map = c.devmap(kEntries);
  t.trace({redirect, redirect_err, devmap_xmit, exception});
  for (const auto& [flags, events] : by_flags) {
    t.run(t.main().redirect_map(map, kMissing, flags).exit());
    const bool out = flags == XDP_PASS || flags == XDP_TX;
    const auto fate = t.fate_of(t.frame());
    if (out) c.equals(fmt::format("whether a miss with flags {} came out", int{flags}), fate != nowhere(), true);
    c.equals(fmt::format("events of a miss with flags {}", int{flags}), summary(t.events()), events);
  }
}

void add_misses(Registry& rules, Mode mode, std::string id, std::string source) {
  rules.add(traced(
      {
          .id = std::move(id),
          .states =
              fmt::format("A miss is no redirect to the tracepoints: {} a frame that takes the action for a "
                          "missing key raises xdp_exception where that is XDP_ABORTED, and no event of redirects.",
                          mode == Mode::native ? "in native mode" : "in SKB mode"),
          .since = {.major = 5, .minor = 3},
          .source = {std::move(source)},
          .catalogue = {mode == Mode::native ? "NATIVE-16" : "GENERIC-06"},
          .check =
              [](Case& c) {
                miss_raises(c, {{XDP_ABORTED, "xdp_exception"},
                                {XDP_DROP, "no event"},
                                {XDP_PASS, "no event"},
                                {XDP_TX, "no event"}});
              },
      },
      mode));
}

/// Sends a frame to in1, whose program sends it back to in0 by XDP_TX, and says whether in0 receives it, and whether it
/// does once a frame redirected to in1 has followed. Everything is done by one processor, which polls devices in the
/// order in which they were woken: a first marker elsewhere comes after in1 was polled, a second after in0 was.
struct SentBack {
  bool by_itself = false;
  bool woken = false;
};
SentBack send_back(Case& c, const VethPair& in, const VethPair& elsewhere) {
  const auto capture = c.must(Capture::open());
  const auto token = new_token();
  std::uint32_t number = 0;
  const auto next = [&] { return make_frame({.tag = {.token = token, .number = number++}}); };
  const auto frame = next();
  std::vector<HeardFrame> heard;
  const auto hear = [&](std::uint32_t at, const Frame& marker) {
    std::ranges::copy(c.must(capture.up_to({{.at = at, .frame = marker}}, c.patience())), std::back_inserter(heard));
  };
  const auto came = [&] {
    return std::ranges::any_of(heard,
                               [&](const HeardFrame& one) { return one.ifindex == in.first && one.bytes == frame; });
  };
  c.must(capture.send(in.first, frame));
  for (int again = 0; again < 2; ++again) {
    const auto marker = next();
    c.must(capture.send(elsewhere.first, marker));
    hear(elsewhere.second, marker);
  }
  SentBack result{.by_itself = came()};
  const auto to_in1 = c.must(DevMap::create({.type = DevMapType::devmap}));
  c.must(to_in1.update(kKey, {.ifindex = in.second}));
  run_live(c, redirecting_program(c, to_in1, kKey, 0));
  hear(in.first, live_frame());
  result.woken = came();
  return result;
}

void add_sending_back(Registry& rules) {
  rules.add({
      .id = "native.xdp-tx-does-not-wake-a-peer-without-a-program",
      .states = "A frame given XDP_TX on a veth device whose peer polls for GRO, without a program of its own, lies in "
                "the peer's ring until something else wakes the peer.",
      .since = {.major = 5, .minor = 13},
      .source = {"drivers/net/veth.c:veth_xdp_flush"},
      .variants = once().in({Mode::native}),
      .needs = {features::veth(), features::live_frames(), features::gro_switch()},
      .check =
          [](Case& c) {
            const auto processors = c.must(allowed_processors());
            c.must(stay_on_processor(processors.at(static_cast<std::size_t>(getpid()) % processors.size())));
            const auto in = c.must(create_wire(0));
            const auto elsewhere = c.must(create_wire(1));
            Pollers pollers(Polling::offload);
            c.must(pollers.add({.first = in.second, .second = in.first}));
            c.must(pollers.add(elsewhere));
            const auto back = c.program(Assembler().return_value(XDP_TX));
            const auto at_in1 = c.attach(back, in.second, Mode::native);

            const auto without = send_back(c, in, elsewhere);
            c.holds("the peer with GRO alone does not receive it by itself", !without.by_itself);
            c.holds("it does when a frame redirected to it follows", without.woken);
            const auto pass = passing_program(c);
            const auto at_in0 = c.attach(pass, in.first, Mode::native);
            c.holds("with a program it receives it by itself", send_back(c, in, elsewhere).by_itself);
          },
  });
}

}  // namespace

void add_native_veth(Registry& rules) {
  add_sending_back(rules);
  rules.add(traced(
      {
          .id = "native.redirect-raises-two-events",
          .states = "A frame that a native program redirects raises xdp_redirect, with the map and the key, and "
                    "xdp_devmap_xmit, with the number of frames the driver took.",
          .since = {.major = 5, .minor = 6},
          .source = {"kernel/bpf/devmap.c:bq_xmit_all", "net/core/filter.c:__xdp_do_redirect_frame"},
          .catalogue = {"NATIVE-01", "NATIVE-04"},
          .check =
              [](Case& c) {
                Bench bench(c);
                const auto& t = bench.traffic;
                c.equals("where a redirected frame went", bench.traffic.fate_of(bench.traffic.frame()),
                         delivered_to({0}));
                const auto events = bench.traffic.events();
                if (!c.equals("events", summary(events), "xdp_redirect, xdp_devmap_xmit sent 1 of 1")) return;
                c.holds("xdp_redirect tells in1, t0, the map and the key",
                        events[0].ifindex == t.in1() && events[0].to_ifindex == t.target(0) &&
                            events[0].map_id == id_of(c, bench.map) && events[0].map_index == kKey,
                        events[0].text());
                c.holds("xdp_devmap_xmit tells in1 and t0",
                        events[1].ifindex == t.in1() && events[1].to_ifindex == t.target(0), events[1].text());
              },
      },
      Mode::native));

  add_misses(rules, Mode::native, "native.miss-raises-no-event-of-redirects", "drivers/net/veth.c:veth_xdp_rcv_one");
  rules.add({
      .id = "native.redirects-by-map-have-no-tracepoints-of-their-own",
      .states = "There are no tracepoints xdp_redirect_map and xdp_redirect_map_err: xdp_redirect and "
                "xdp_redirect_err tell of redirects by map too.",
      .since = {.major = 6, .minor = 17},
      .source = {"include/trace/events/xdp.h"},
      .commits = {"a9a5f41b04dd"},
      .catalogue = {"NATIVE-04"},
      .variants = once(),
      .needs = {features::redirect_trace()},
      .check =
          [](Case& c) {
            const auto tracefs = c.must(DetachedMount::open("tracefs"));
            const auto exists = [&tracefs](std::string_view name) {
              return access(tracefs.path(fmt::format("events/xdp/{}/id", name)).c_str(), F_OK) == 0;
            };
            for (const auto* name : {"xdp_redirect", "xdp_redirect_err"}) {
              c.equals(fmt::format("whether there is a tracepoint {}", name), exists(name), true);
            }
            for (const auto* name : {"xdp_redirect_map", "xdp_redirect_map_err"}) {
              c.equals(fmt::format("whether there is a tracepoint {}", name), exists(name), false);
            }
          },
  });

  rules.add(traced(
      {
          .id = "native.veth-whose-peer-is-down-is-enxio-of-the-driver",
          .states = "A native redirect to a veth device whose peer is down is carried out, and the driver refuses the "
                    "frames with ENXIO.",
          .refuses = {ENXIO},
          .source = {kTransmit},
          .catalogue = {"NATIVE-09"},
          .check =
              [](Case& c) {
                Bench bench(c);
                auto& t = bench.traffic;
                c.must(set_up(t.sink(0), false));
                bench.goes(c, "a frame while s0 is down", t.frame(), nowhere(),
                           fmt::format("xdp_redirect, xdp_devmap_xmit {} sent 0 of 1", c.expected_errno(ENXIO)));
                c.must(set_up(t.sink(0)));
                bench.goes(c, "a frame after s0 is up again", t.frame(), delivered_to({0}),
                           "xdp_redirect, xdp_devmap_xmit sent 1 of 1");
              },
      },
      Mode::native));

  rules.add(traced(
      {
          .id = "native.veth-drops-frames-above-the-mtu-of-its-peer",
          .states = "A veth device drops a redirected frame of more bytes than its peer's MTU plus 18; "
                    "xdp_devmap_xmit counts the drop and tells no error.",
          .source = {kTransmit},
          .catalogue = {"NATIVE-10", "LIMIT-05"},
          .check =
              [](Case& c) {
                Bench bench(c);
                auto& t = bench.traffic;
                c.must(set_mtu(t.sink(0), 100));
                bench.goes(c, "a frame of 119 bytes, the MTU of s0 being 100", t.frame({.size = 119}), nowhere(),
                           "xdp_redirect, xdp_devmap_xmit sent 0 of 1");
                bench.goes(c, "a frame of 118 bytes", t.frame({.size = 118}), delivered_to({0}),
                           "xdp_redirect, xdp_devmap_xmit sent 1 of 1");
              },
      },
      Mode::native));
}

void add_generic_veth(Registry& rules) {
  const std::string source = "net/core/dev.c:generic_xdp_tx";
  rules.add(traced(
      {
          .id = "generic.redirect-raises-one-event",
          .states = "A frame that an SKB-mode program redirects raises xdp_redirect and no xdp_devmap_xmit.",
          .source = {"net/core/filter.c:xdp_do_generic_redirect_map"},
          .catalogue = {"GENERIC-01"},
          .check =
              [](Case& c) {
                Bench bench(c);
                bench.goes(c, "a redirected frame", bench.traffic.frame(), delivered_to({0}), "xdp_redirect");
              },
      },
      Mode::generic));
  add_misses(rules, Mode::generic, "generic.miss-raises-no-event-of-redirects", "net/core/dev.c:do_xdp_generic");
  rules.add(traced(
      {
          .id = "generic.losses-in-the-driver-raise-no-event",
          .states = "A frame that an SKB-mode program redirects and that the driver then drops, as its peer is down or "
                    "its peer's MTU too small, raises xdp_redirect without an error and nothing else.",
          .source = {source},
          .catalogue = {"GENERIC-04"},
          .check =
              [](Case& c) {
                Bench bench(c);
                auto& t = bench.traffic;
                c.must(set_mtu(t.sink(0), 100));
                bench.goes(c, "a frame of 119 bytes, the MTU of s0 being 100", t.frame({.size = 119}), nowhere(),
                           "xdp_redirect");
                bench.goes(c, "a frame of 118 bytes", t.frame({.size = 118}), delivered_to({0}), "xdp_redirect");
                c.must(set_up(t.sink(0), false));
                bench.goes(c, "a frame while s0 is down", t.frame(), nowhere(), "xdp_redirect");
              },
      },
      Mode::generic));
}

}  // namespace devmap::cases
