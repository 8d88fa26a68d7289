#include <cases/attach.hpp>
#include <cases/chapters.hpp>
#include <cases/live_targets.hpp>
#include <cases/support.hpp>
#include <harness/bpf/features.hpp>
#include <harness/net/counting_sink.hpp>
#include <harness/net/devices.hpp>
#include <harness/net/ethtool.hpp>
#include <harness/net/features.hpp>
#include <harness/net/link.hpp>
#include <harness/net/packet_socket.hpp>
#include <harness/net/redirect_trace.hpp>
#include <harness/net/tun.hpp>
#include <harness/spec/case.hpp>

#include <cerrno>

// Devices of all kinds as targets of native redirects, driven by live frames.
namespace devmap::cases {
namespace {

using enum RedirectTracepoint;

const std::string kEnqueue = "kernel/bpf/devmap.c:__xdp_enqueue";

/// The events of a live frame that is redirected to a device.
std::vector<RedirectEvent> events_of_redirect(Case& c, std::uint32_t ifindex) {
  const auto map = c.devmap(kEntries);
  c.must(map.update(kPresent, {.ifindex = ifindex}));
  const auto program = redirecting_program(c, map, kPresent, 0);
  const std::vector<std::uint32_t> programs = {id_of(c, program)};
  // What loopback devices transmit cannot be told apart: every namespace has one of this number.
  auto trace = ifindex == kLoopback
                   ? c.trace({redirect, redirect_err}, {.programs = programs})
                   : c.trace({redirect, redirect_err, devmap_xmit}, {.programs = programs, .devices = {ifindex}});
  run_live(c, program);
  return c.must(trace.events());
}

/// A redirect to the device must fail at once, for want of a way to transmit.
void no_target(Case& c, std::uint32_t ifindex) {
  const auto events = events_of_redirect(c, ifindex);
  if (!c.equals("events of a redirect to it", events.size(), 1U)) return;
  c.equals("the event", name_of(events.front().tracepoint), name_of(redirect_err));
  c.ends_in("its err", events.front().err, EOPNOTSUPP);
  c.equals("its to_ifindex", events.front().to_ifindex, ifindex);
}

struct Kind {
  const char* name;
  Feature feature;
  std::uint32_t (*make)(Case& c);
  KernelVersion since = {};
  std::vector<KernelVersion> backports = {};
  std::vector<std::string> commits = {};
};

void add_incapable(Registry& rules) {
  const std::vector<Kind> kinds = {
      {"loopback", features::veth(),
       [](Case& c) {
         c.must(set_up(kLoopback));
         return kLoopback;
       }},
      {"bridge", features::bridge(),
       [](Case& c) { return c.must(create_bridge({.name = "br0", .ifindex = distinct_ifindex(50)})); }},
      {"macvlan", features::macvlan(),
       [](Case& c) {
         return c.must(create_macvlan(c.must(create_veth()).first, {.name = "mv0", .ifindex = distinct_ifindex(50)}));
       }},
      {"vlan", features::vlan(),
       [](Case& c) {
         return c.must(create_vlan(c.must(create_veth()).first, 5, {.name = "vlan5", .ifindex = distinct_ifindex(50)}));
       }},
      {"ifb", features::ifb(),
       [](Case& c) { return c.must(create_ifb({.name = "ifb7", .ifindex = distinct_ifindex(50)})); }},
      {"dummy", features::dummy(),
       [](Case& c) { return c.must(create_dummy({.name = "dummy7", .ifindex = distinct_ifindex(50)})); }},
      {"vxlan", features::vxlan(),
       [](Case& c) { return c.must(create_vxlan(5, {.name = "vxlan5", .ifindex = distinct_ifindex(50)})); }},
      {"bond-without-ports",
       features::bond(),
       [](Case& c) { return c.must(create_bond({.name = "bond7", .ifindex = distinct_ifindex(50)})); },
       {.major = 6, .minor = 8},
       {{6, 7, 6}, {6, 6, 18}},
       {"9b0ed890ac2a"}},
  };
  for (const auto& kind : kinds) {
    rules.add({
        .id = fmt::format("native.{}-is-no-target", kind.name),
        .states = fmt::format("A native redirect to a device that cannot transmit XDP frames, here {}, fails with "
                              "EOPNOTSUPP before it is queued.",
                              kind.name),
        .refuses = {EOPNOTSUPP},
        .since = kind.since,
        .backports = kind.backports,
        .source = {kEnqueue},
        .commits = kind.commits,
        .catalogue = {"NATIVE-07"},
        .variants = any_map(4),
        .needs = {kind.feature, features::veth(), features::live_frames(), features::redirect_trace()},
        .check = [make = kind.make](Case& c) { no_target(c, make(c)); },
    });
  }

  rules.add({
      .id = "native.tun-is-no-target",
      .states = "A native redirect to a tun device, which has no Ethernet header, fails with EOPNOTSUPP before it is "
                "queued.",
      .refuses = {EOPNOTSUPP},
      .source = {kEnqueue},
      .catalogue = {"NATIVE-07"},
      .variants = any_map(4),
      .needs = {features::tun(), features::live_frames(), features::redirect_trace()},
      .check =
          [](Case& c) {
            const auto tun =
                c.must(Tun::create({.layer = Tun::Layer::tun, .name = "tun7", .ifindex = distinct_ifindex(50)}));
            no_target(c, tun.ifindex());
          },
  });
}

void add_tap(Registry& rules) {
  rules.add({
      .id = "native.tap-with-a-reader-is-a-target",
      .states = "Whoever reads a tap device gets the frames that are redirected to it.",
      .source = {"drivers/net/tun.c:tun_xdp_xmit"},
      .catalogue = {"NATIVE-12"},
      .variants = any_map(4),
      .needs = {features::tun(), features::live_frames(), features::redirect_trace()},
      .check =
          [](Case& c) {
            const auto tap = c.must(Tun::create({.name = "tap7", .ifindex = distinct_ifindex(50)}));
            const auto events = events_of_redirect(c, tap.ifindex());
            c.holds("the reader gets the frame", c.must(tap.read(c.patience())) == live_frame());
            if (!c.equals("events", events.size(), 2U)) return;
            c.equals("the first event", name_of(events[0].tracepoint), name_of(redirect));
            c.equals("the second", name_of(events[1].tracepoint), name_of(devmap_xmit));
            c.equals("frames that the driver took", events[1].sent, 1);
          },
  });

  rules.add({
      .id = "native.tap-without-a-reader-refuses-frames",
      .states = "A redirect to a tap device that nobody has open succeeds, and its driver then refuses the frame with "
                "ENXIO.",
      .refuses = {ENXIO},
      .source = {"drivers/net/tun.c:tun_xdp_xmit"},
      .catalogue = {"NATIVE-12"},
      .variants = any_map(4),
      .needs = {features::tun(), features::live_frames(), features::redirect_trace()},
      .check =
          [](Case& c) {
            auto tap = c.must(Tun::create({.name = "tap7", .ifindex = distinct_ifindex(50), .persistent = true}));
            tap.close();
            const auto events = events_of_redirect(c, tap.ifindex());
            if (!c.equals("events", events.size(), 2U)) return;
            c.equals("the first event", name_of(events[0].tracepoint), name_of(redirect));
            c.equals("the second", name_of(events[1].tracepoint), name_of(devmap_xmit));
            c.ends_in("its err", events[1].err, ENXIO);
            c.equals("frames that it refused", events[1].drops, 1);
          },
  });
}

void add_queues(Registry& rules) {
  rules.add({
      .id = "native.veth-with-fewer-queues-than-its-peer-is-no-target",
      .states = "A native redirect to a veth device that has fewer receive queues than its peer has transmit queues "
                "fails with EOPNOTSUPP, although the peer polls; with as many it is a target.",
      .refuses = {EOPNOTSUPP},
      .since = {.major = 6, .minor = 3},
      .source = {"drivers/net/veth.c:veth_set_xdp_features", kEnqueue},
      .variants = any_map(4),
      .needs = {features::veth(), features::gro_switch(), veth_channels(), features::live_frames(),
                features::redirect_trace()},
      .check =
          [](Case& c) {
            const auto pair = c.must(
                create_veth({.first_index = distinct_ifindex(50), .second_index = distinct_ifindex(51), .queues = 2}));
            c.must(set_gro(pair.second, true));
            c.must(set_channels(pair.first, 1, 2));
            c.note("the device has 1 receive queue, its peer 2 transmit queues, and GRO");
            no_target(c, pair.first);
            c.must(set_channels(pair.first, 2, 2));
            c.note("the device has 2 receive queues");
            const auto events = events_of_redirect(c, pair.first);
            if (!c.equals("events of a redirect to it", events.size(), 2U)) return;
            c.equals("frames that the driver took", events[1].sent, 1);
          },
  });
}

void add_bond(Registry& rules) {
  rules.add({
      .id = "native.bond-sends-through-its-active-port",
      .states = "Frames redirected to a bond in active-backup mode leave through its active port.",
      .since = {.major = 5, .minor = 15},
      .source = {"drivers/net/bonding/bond_main.c:bond_xdp_xmit"},
      .catalogue = {"NATIVE-13"},
      .variants = any_map(4),
      .needs = {features::veth(), features::bond(), features::live_frames()},
      .check =
          [](Case& c) {
            constexpr std::uint32_t kFrames = 4;
            constexpr std::uint8_t kMarker = 0xff;
            struct Port {
              VethPair pair;
              CountingSink sink;
            };
            const auto bond = c.must(create_bond({.name = "bond7"}));
            std::vector<Port> ports;
            ports.reserve(2);
            for (std::uint32_t n = 0; n < 2; ++n) {
              const auto pair = c.must(create_veth({.first_name = fmt::format("port{}", n),
                                                    .second_name = fmt::format("far{}", n),
                                                    .queues = 1,
                                                    .up = false}));
              auto sink = c.must(CountingSink::attach(pair.second));
              c.must(set_up(pair.second));
              c.must(set_master(pair.first, bond));
              ports.push_back({.pair = pair, .sink = std::move(sink)});
            }
            const auto map = c.devmap(kEntries);
            c.must(map.update(kPresent, {.ifindex = bond}));
            run_live(c, redirecting_program(c, map, kPresent, 0), {.frames = kFrames});
            std::vector<std::uint64_t> arrived_at;
            arrived_at.reserve(ports.size());
            for (const auto& port : ports) {
              c.must(c.must(PacketSocket::open(port.pair.first)).send(make_frame(kShortestFrame, kMarker)));
              if (!port.sink.wait_for(1, kMarker, c.patience()))
                c.must(Expected<void>(failure("wait for a marker", 0)));
              arrived_at.push_back(c.must(port.sink.total()) - 1);
            }
            c.equals("frames through the active and the backup port", arrived_at, arrived(kFrames, 0));
          },
  });
}

}  // namespace

void add_native_devices(Registry& rules) {
  add_incapable(rules);
  add_tap(rules);
  add_queues(rules);
  add_bond(rules);
}

}  // namespace devmap::cases
