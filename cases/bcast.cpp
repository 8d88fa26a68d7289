#include <cases/bcast.hpp>
#include <cases/chapters.hpp>
#include <cases/support.hpp>
#include <cases/traffic.hpp>
#include <harness/net/features.hpp>

#include <cerrno>

namespace devmap::cases {

void broadcast(Traffic& t, const DevMap& map, const Broadcast& how) {
  t.run(t.main().redirect_map(map, how.key, how.flags).exit(), how.program);
}

namespace {

using enum RedirectTracepoint;

constexpr std::uint32_t kNoSuchKey = 77;
const std::vector<std::string> kSource = {"kernel/bpf/devmap.c:dev_map_enqueue_multi",
                                          "kernel/bpf/devmap.c:dev_map_redirect_multi"};

Rule broadcast_rule(Rule rule, const std::vector<Mode>& modes = {Mode::native, Mode::generic}) {
  rule.since = kBroadcastSince;
  rule.commits = {"e624d4ed4aa8"};
  rule.variants = any_map(4).in(modes);
  rule.needs.insert(rule.needs.begin(), features::veth());
  if (rule.source.empty()) rule.source = kSource;
  return rule;
}

/// A map with these devices under the keys from 0.
DevMap map_of(Case& c, const std::vector<std::uint32_t>& devices, std::uint32_t entries = 64) {
  auto map = c.devmap(entries);
  for (std::uint32_t key = 0; key < devices.size(); ++key) c.must(map.update(key, {.ifindex = devices.at(key)}));
  return map;
}

std::vector<std::uint32_t> targets_of(const Traffic& t) {
  std::vector<std::uint32_t> all;
  all.reserve(t.devices().ports());
  for (std::uint32_t port = 0; port < t.devices().ports(); ++port) all.push_back(t.target(port));
  return all;
}

void goes(Case& c, Traffic& t, std::string_view what, const Fate& expected) {
  c.equals(fmt::format("where {} went", what), t.fate_of(t.frame()), expected);
}

void add_destinations(Registry& rules) {
  for (const std::uint32_t count : {1U, 2U, 8U, 33U}) {
    const bool one = count == 1;
    rules.add(broadcast_rule({
        .id = one ? "bcast.1-entry-gets-a-copy" : fmt::format("bcast.{}-entries-get-a-copy-each", count),
        .states = one ? "A broadcast by a map of 1 entry delivers one copy of the frame, unchanged, to its device."
                      : fmt::format("A broadcast by a map of {} entries delivers one copy of the frame, unchanged, to "
                                    "the device of each.",
                                    count),
        .catalogue = {"BCAST-01"},
        .check =
            [count](Case& c) {
              Traffic t(c, {.ports = count});
              const auto map = map_of(c, targets_of(t));
              broadcast(t, map);
              goes(c, t, "a broadcast frame", delivered_to_first(count));
            },
    }));
  }

  rules.add(broadcast_rule({
      .id = "bcast.empty-map-drops-the-frame",
      .states = "A broadcast by an empty map is a success that delivers nothing: the frame is dropped, with an "
                "xdp_redirect event without an error.",
      .catalogue = {"BCAST-03"},
      .needs = {features::redirect_trace()},
      .check =
          [](Case& c) {
            Traffic t(c);
            const auto map = c.devmap();
            broadcast(t, map);
            t.trace({redirect, redirect_err, devmap_xmit});
            goes(c, t, "a broadcast frame", nowhere());
            c.equals("events", summary(t.events()), "xdp_redirect");
          },
  }));

  rules.add(broadcast_rule({
      .id = "bcast.key-selects-nothing",
      .states = "A broadcast delivers to every entry whatever the key, which only shows in the event: with the device "
                "under it, or with 0 where there is none.",
      .source = {"include/linux/filter.h:__bpf_xdp_redirect_map"},
      .catalogue = {"BCAST-02"},
      .documentation = {{.where = "Documentation/bpf/map_devmap.rst",
                         .statement = "The key is ignored if BPF_F_BROADCAST is set"}},
      .needs = {features::redirect_trace()},
      .check =
          [](Case& c) {
            Traffic t(c, {.ports = 2});
            const auto map = map_of(c, targets_of(t));
            t.trace({redirect, redirect_err});
            for (const auto& [key, device] : {std::pair{1U, t.target(1)}, {kNoSuchKey, 0U}}) {
              broadcast(t, map, {.key = key});
              goes(c, t, fmt::format("a frame broadcast with key {}", key), delivered_to({0, 1}));
              const auto events = t.events();
              if (!c.equals("events", summary(events), "xdp_redirect")) continue;
              c.equals("map_index of the event", events.front().map_index, key);
              c.equals("to_ifindex of the event is that of the key", events.front().to_ifindex, device);
            }
          },
  }));

  rules.add(broadcast_rule({
      .id = "bcast.device-under-two-keys-gets-two-copies",
      .states = "A device that is in the map under two keys gets two copies of a broadcast frame.",
      .catalogue = {"BCAST-09"},
      .check =
          [](Case& c) {
            Traffic t(c, {.ports = 2});
            const auto map = map_of(c, {t.target(0), t.target(1), t.target(0)});
            broadcast(t, map);
            goes(c, t, "a broadcast frame, t0 being under two keys", delivered_to({0, 0, 1}));
          },
  }));
}

void add_ingress(Registry& rules) {
  rules.add(broadcast_rule({
      .id = "bcast.ingress-gets-a-copy",
      .states = "A broadcast delivers a copy through the device that received the frame, if it is in the map.",
      .catalogue = {"BCAST-04"},
      .check =
          [](Case& c) {
            Traffic t(c);
            const auto map = map_of(c, {t.in1(), t.target(0)});
            broadcast(t, map);
            goes(c, t, "a frame broadcast by a map of in1 and t0", Fate{at_in0(), at_sink(0)});
          },
  }));
  rules.add(broadcast_rule({
      .id = "bcast.ingress-is-excluded-where-asked",
      .states = "A broadcast with BPF_F_EXCLUDE_INGRESS leaves the device that received the frame out, and delivers to "
                "nobody where it is the only one in the map.",
      .source = {"kernel/bpf/devmap.c:is_ifindex_excluded"},
      .catalogue = {"BCAST-05"},
      .check =
          [](Case& c) {
            Traffic t(c, {.ports = 2});
            for (const auto& devices : {std::vector{t.in1(), t.target(0), t.target(1)},
                                        {t.target(0), t.in1(), t.target(1)},
                                        {t.target(0), t.target(1), t.in1()}}) {
              const auto map = map_of(c, devices);
              broadcast(t, map, {.flags = kToOthers});
              goes(c, t, "a frame broadcast to others than the ingress device", delivered_to({0, 1}));
            }
            const auto alone = map_of(c, {t.in1()});
            broadcast(t, alone, {.flags = kToOthers});
            goes(c, t, "a frame broadcast by a map of in1 alone", nowhere());
          },
  }));
  rules.add(broadcast_rule({
      .id = "bcast.exclusion-without-broadcast-excludes-nothing",
      .states =
          "BPF_F_EXCLUDE_INGRESS without BPF_F_BROADCAST excludes nothing: a frame redirected to the entry of the "
          "device that received it goes back out.",
      .source = {"include/linux/filter.h:__bpf_xdp_redirect_map"},
      .catalogue = {"BCAST-06"},
      .check =
          [](Case& c) {
            Traffic t(c);
            const auto map = map_of(c, {t.in1()});
            broadcast(t, map, {.flags = BPF_F_EXCLUDE_INGRESS});
            goes(c, t, "a frame redirected to the entry of in1 with BPF_F_EXCLUDE_INGRESS", sent_back());
          },
  }));
}

void add_unusable_targets(Registry& rules) {
  rules.add(broadcast_rule(
      {
          .id = "bcast.native-skips-targets-that-are-down",
          .states = "A broadcast of a native program skips a device that is down, wherever it is in the map, and "
                    "delivers to all others, without an error.",
          .source = {"kernel/bpf/devmap.c:is_valid_dst"},
          .catalogue = {"BCAST-10"},
          .needs = {features::redirect_trace()},
          .check =
              [](Case& c) {
                Traffic t(c, {.ports = 3});
                const auto map = map_of(c, targets_of(t));
                broadcast(t, map);
                t.trace({redirect, redirect_err});
                for (const std::uint32_t down : {0U, 1U, 2U}) {
                  c.must(set_up(t.target(down), false));
                  std::vector<std::uint32_t> others = {0, 1, 2};
                  std::erase(others, down);
                  goes(c, t, fmt::format("a frame broadcast while t{} is down", down), delivered_to(others));
                  c.equals("events", summary(t.events()), "xdp_redirect");
                  c.must(set_up(t.target(down)));
                }
              },
      },
      {Mode::native}));
  rules.add(broadcast_rule(
      {
          .id = "bcast.native-skips-targets-that-are-too-small",
          .states = "A broadcast of a native program skips a device whose MTU the frame exceeds, and delivers to all "
                    "others, without an error.",
          .source = {"kernel/bpf/devmap.c:is_valid_dst"},
          .catalogue = {"BCAST-10"},
          .needs = {features::redirect_trace()},
          .check =
              [](Case& c) {
                Traffic t(c, {.ports = 3});
                const auto map = map_of(c, targets_of(t));
                broadcast(t, map);
                t.trace({redirect, redirect_err});
                for (const std::uint32_t small : {0U, 1U, 2U}) {
                  c.must(set_mtu(t.target(small), 100));
                  std::vector<std::uint32_t> others = {0, 1, 2};
                  std::erase(others, small);
                  c.equals(fmt::format("where a frame of 119 bytes went, the MTU of t{} being 100", small),
                           t.fate_of(t.frame({.size = 119})), delivered_to(others));
                  c.equals("events", summary(t.events()), "xdp_redirect");
                  c.must(set_mtu(t.target(small), 1500));
                }
                c.must(set_mtu(t.target(1), 100));
                c.equals("where one of 118 bytes went", t.fate_of(t.frame({.size = 118})), delivered_to_first(3));
              },
      },
      {Mode::native}));

  rules.add(broadcast_rule(
      {
          .id = "bcast.generic-stops-at-a-target-that-is-down",
          .states = "A broadcast of an SKB-mode program fails with ENETDOWN at the first device that is down: devices "
                    "before it keep their copies, and those after it get none.",
          .refuses = {ENETDOWN},
          .source = {"kernel/bpf/devmap.c:dev_map_redirect_multi"},
          .catalogue = {"BCAST-11"},
          .documentation = {{.where = "Documentation/bpf/map_devmap.rst",
                             .statement = "broadcast to all the interfaces in the map",
                             .agrees = false}},
          .needs = {features::redirect_trace()},
          .check =
              [](Case& c) {
                Traffic t(c, {.ports = 3});
                const auto map = map_of(c, targets_of(t));
                broadcast(t, map);
                t.trace({redirect, redirect_err});
                for (const std::uint32_t down : {0U, 1U, 2U}) {
                  c.must(set_up(t.target(down), false));
                  goes(c, t, fmt::format("a frame broadcast while t{} is down", down), delivered_to_first(down));
                  c.equals("events", summary(t.events()), "xdp_redirect_err " + c.expected_errno(ENETDOWN));
                  c.must(set_up(t.target(down)));
                }
              },
      },
      {Mode::generic}));
  rules.add(broadcast_rule(
      {
          .id = "bcast.generic-stops-at-a-target-that-is-too-small",
          .states = "A broadcast of an SKB-mode program fails with EMSGSIZE at the first device whose MTU the frame "
                    "exceeds: devices before it keep their copies, and those after it get none.",
          .refuses = {EMSGSIZE},
          .source = {"kernel/bpf/devmap.c:dev_map_redirect_multi"},
          .catalogue = {"BCAST-11"},
          .needs = {features::redirect_trace()},
          .check =
              [](Case& c) {
                Traffic t(c, {.ports = 3});
                const auto map = map_of(c, targets_of(t));
                broadcast(t, map);
                t.trace({redirect, redirect_err});
                c.must(set_mtu(t.target(1), 100));
                c.equals("where a frame of 119 bytes went, the MTU of t1 being 100", t.fate_of(t.frame({.size = 119})),
                         delivered_to_first(1));
                c.equals("events", summary(t.events()), "xdp_redirect_err " + c.expected_errno(EMSGSIZE));
                c.equals("where one of 118 bytes went", t.fate_of(t.frame({.size = 118})), delivered_to_first(3));
                c.equals("events", summary(t.events()), "xdp_redirect");
              },
      },
      {Mode::generic}));
  rules.add(broadcast_rule(
      {
          .id = "bcast.generic-error-does-not-name-the-device",
          .states = "The xdp_redirect_err of an SKB-mode broadcast names the device under the program's key, whichever "
                    "device it failed at.",
          .source = {"net/core/filter.c:xdp_do_generic_redirect_map"},
          .catalogue = {"BCAST-11"},
          .needs = {features::redirect_trace()},
          .check =
              [](Case& c) {
                constexpr std::uint32_t kKey = 2;
                Traffic t(c, {.ports = 3});
                const auto map = map_of(c, targets_of(t));
                broadcast(t, map, {.key = kKey});
                t.trace({redirect_err});
                for (const std::uint32_t down : {0U, 1U}) {
                  c.must(set_up(t.target(down), false));
                  goes(c, t, fmt::format("a frame broadcast while t{} is down", down), delivered_to_first(down));
                  const auto events = t.events();
                  if (!c.equals("events", events.size(), 1U)) return;
                  c.equals("to_ifindex of the event", events.front().to_ifindex, t.target(kKey));
                  c.must(set_up(t.target(down)));
                }
              },
      },
      {Mode::generic}));
}

}  // namespace

void add_bcast_chapter(Registry& rules) {
  rules.chapter("bcast", "Broadcast");
  add_destinations(rules);
  add_ingress(rules);
  add_unusable_targets(rules);
  add_bcast_devices(rules);
  add_bcast_copies(rules);
}

}  // namespace devmap::cases
