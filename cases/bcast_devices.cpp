#include <cases/bcast.hpp>
#include <cases/chapters.hpp>
#include <cases/foreign_targets.hpp>
#include <cases/support.hpp>
#include <cases/traffic.hpp>
#include <harness/net/device_state.hpp>
#include <harness/net/devices.hpp>
#include <harness/net/features.hpp>
#include <harness/net/link.hpp>
#include <harness/net/packet_socket.hpp>
#include <harness/spec/case.hpp>

#include <cerrno>

// Broadcasts to and past devices of particular kinds and places.
namespace devmap::cases {
namespace {

const std::string kExcluded = "kernel/bpf/devmap.c:is_ifindex_excluded";
const std::string kUppers = "kernel/bpf/devmap.c:get_upper_ifindexes";
const std::string kGeneric = "kernel/bpf/devmap.c:dev_map_redirect_multi";

/// Adds macvlan devices number `from` to before `to` on top of a device. They stay down: they count all the same.
void stack_up(Case& c, std::uint32_t lower, std::uint32_t from, std::uint32_t to) {
  for (auto n = from; n < to; ++n) c.must(create_macvlan(lower, {.name = fmt::format("upper{}", n), .up = false}));
}

void add_uppers(Registry& rules) {
  rules.add({
      .id = "bcast.uppers-of-ingress-are-excluded",
      .states =
          "BPF_F_EXCLUDE_INGRESS leaves out, with the receiving device, the devices on top of it: a macvlan device "
          "gets no copy.",
      .since = {.major = 5, .minor = 15},
      .source = {kUppers, kExcluded},
      .commits = {"aeea1b86f936"},
      .catalogue = {"BCAST-07"},
      .variants = any_map(4).in({Mode::generic}),  // a macvlan device is no target of native redirects
      .needs = {features::veth(), features::macvlan()},
      .check =
          [](Case& c) {
            Traffic t(c);
            const auto upper = c.must(create_macvlan(t.in1(), {.name = "upper"}));
            await_carrier(c, t.in1());
            const auto map = c.devmap(kEntries);
            c.must(map.update(0, {.ifindex = upper}));
            c.must(map.update(1, {.ifindex = t.target(0)}));
            c.note("what the macvlan device sends leaves through the receiving device below it");
            broadcast(t, map);
            c.equals("where the copies of a broadcast went", t.fate_of(t.frame()), Fate{at_in0(), at_sink(0)});
            broadcast(t, map, {.flags = kToOthers});
            c.equals("where those went without ingress", t.fate_of(t.frame()), delivered_to({0}));
          },
  });

  for (const auto& fact : {std::string("eight"), std::string("nine")}) {
    const bool nine = fact == "nine";
    Rule rule{
        .id = nine ? "bcast.nine-uppers-are-too-many" : "bcast.eight-uppers-are-excluded",
        .states =
            nine ? "A broadcast with BPF_F_EXCLUDE_INGRESS from a device with more than 8 devices on top of it fails "
                   "with EOVERFLOW, and nobody gets a copy."
                 : "A broadcast with BPF_F_EXCLUDE_INGRESS from a device with 8 devices on top of it goes to all "
                   "others.",
        .since = nine ? KernelVersion{.major = 7, .minor = 0} : KernelVersion{.major = 5, .minor = 15},
        .source = {kUppers},
        .catalogue = {"BCAST-08", "LIMIT-02"},
        .variants = any_map(4).in({Mode::native, Mode::generic}),
        .needs = {features::veth(), features::macvlan(), features::redirect_trace()},
        .check =
            [nine](Case& c) {
              Traffic t(c);
              stack_up(c, t.in1(), 0, nine ? 9 : 8);
              const auto map = c.devmap(kEntries);
              c.must(map.update(0, {.ifindex = t.target(0)}));
              broadcast(t, map, {.flags = kToOthers});
              t.trace({RedirectTracepoint::redirect, RedirectTracepoint::redirect_err});
              c.equals(fmt::format("where a frame went with {} devices on top", nine ? 9 : 8), t.fate_of(t.frame()),
                       nine ? nowhere() : delivered_to({0}));
              c.equals("events", summary(t.events()),
                       nine ? "xdp_redirect_err " + c.expected_errno(EOVERFLOW) : "xdp_redirect");
            },
    };
    if (nine) {
      rule.backports = {{6, 18, 17}, {6, 12, 77}, {6, 1, 167}};
      rule.refuses = {EOVERFLOW};
      rule.commits = {"b7bf516c3ecd"};
      rule.danger = "kernels without the fix overwrite their stack and panic (CVE-2026-23359)";
    }
    rules.add(rule);
  }
}

void add_places(Registry& rules) {
  rules.add({
      .id = "bcast.loopback-gets-a-copy-in-skb-mode",
      .states = "In SKB mode a broadcast goes to the loopback device too.",
      .since = kBroadcastSince,
      .source = {kGeneric},
      .catalogue = {"BCAST-12"},
      .variants = any_map(4).in({Mode::generic}),
      .needs = {features::veth()},
      .check =
          [](Case& c) {
            Traffic t(c);
            c.must(set_up(kLoopback));
            const auto at_lo = c.must(PacketSocket::open(kLoopback));
            const auto map = c.devmap(kEntries);
            c.must(map.update(0, {.ifindex = t.target(0)}));
            c.must(map.update(1, {.ifindex = kLoopback}));
            broadcast(t, map);
            const auto frame = t.frame();
            t.send({frame});
            c.holds("lo hears the frame", c.must(at_lo.receive(c.patience())) == frame);
          },
  });

  rules.add({
      .id = "bcast.exclusion-goes-by-device-not-by-number",
      .states =
          "BPF_F_EXCLUDE_INGRESS leaves out the receiving device, and no device of another namespace that has the "
          "same number there.",
      .since = kBroadcastSince,
      .source = {kExcluded},
      .catalogue = {"BCAST-19"},
      .variants = any_map(4).in({Mode::native, Mode::generic}),
      .needs = {features::veth()},
      .known = {{.reason = "The kernel compares interface numbers, which every namespace counts on its own: a target "
                           "whose number happens to be that of the receiving device gets no copy.",
                 .since = kBroadcastSince}},
      .check =
          [](Case& c) {
            Traffic t(c);
            ForeignTargets foreign(c, 2, t.in1());
            const auto map = c.devmap(kEntries);
            foreign.enter(c, map, 0, 0);
            foreign.enter(c, map, 1, 1);
            c.note(fmt::format("the receiving device has the number {}, the two targets in another namespace {} and {}",
                               t.in1(), foreign.device(0), foreign.device(1)));
            const std::vector<std::uint64_t> one_each{1, 1};
            broadcast(t, map);
            c.equals("where else a broadcast went", t.fate_of(t.frame()), nowhere());
            c.equals("copies of a broadcast at each target", foreign.arrivals(c), one_each);
            broadcast(t, map, {.flags = kToOthers});
            c.equals("where else one without ingress went", t.fate_of(t.frame()), nowhere());
            c.equals("copies of one without ingress", foreign.arrivals(c), one_each);
          },
  });
}

}  // namespace

void add_bcast_devices(Registry& rules) {
  add_uppers(rules);
  add_places(rules);
}

}  // namespace devmap::cases
