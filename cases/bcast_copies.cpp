#include <cases/bcast.hpp>
#include <cases/chapters.hpp>
#include <cases/fragments.hpp>
#include <cases/support.hpp>
#include <cases/traffic.hpp>
#include <harness/bpf/features.hpp>
#include <harness/net/features.hpp>

#include <cerrno>
#include <cstddef>

// The copies of a broadcast: what happens to one and not to the others, their order, and frames that cannot be copied.
namespace devmap::cases {
namespace {

using enum RedirectTracepoint;

/// A power of two, so that this is the number of buckets of a DEVMAP_HASH as well.
constexpr std::uint32_t kRoom = 64;
const std::string kNativeCopy = "kernel/bpf/devmap.c:dev_map_enqueue_clone";
const std::string kGenericCopy = "kernel/bpf/devmap.c:dev_map_redirect_clone";

/// An entry's program that adds to the free byte, which is n in frame n.
Program adding(Case& c, std::int32_t amount) {
  using enum Register;
  Assembler code;
  const auto out = code.label();
  code.load(Width::word, r2, r1, offsetof(xdp_md, data))
      .load(Width::word, r3, r1, offsetof(xdp_md, data_end))
      .move(r4, r2)
      .compute(Arithmetic::add, r4, Traffic::kFreeByte + 1)
      .jump_if(Condition::greater, r4, r3, out)
      .load(Width::byte, r5, r2, Traffic::kFreeByte)
      .compute(Arithmetic::add, r5, amount)
      .store(Width::byte, r2, Traffic::kFreeByte, r5)
      .place(out)
      .return_value(XDP_PASS);
  return c.program(code, {.expected_attach_type = BPF_XDP_DEVMAP,
                          .purpose = fmt::format("adds {} to byte {} of the frame", amount, Traffic::kFreeByte)});
}

std::string with_free_byte(std::uint32_t value) {
  return fmt::format("[{}] = {:02x}", Traffic::kFreeByte, value);
}

Rule copies_rule(Rule rule, const std::vector<Mode>& modes) {
  rule.variants = any_map(8).in(modes);
  rule.needs.insert(rule.needs.begin(), features::veth());
  if (modes != std::vector{Mode::native}) rule.needs.push_back(features::wide_values_in_skb_mode());
  return rule;
}

void each_sees_only_its_own_changes(Case& c) {
  Traffic t(c, {.ports = 3});
  const auto map = c.devmap(kEntries);
  for (std::uint32_t port = 0; port < 3; ++port) {
    const auto program = adding(c, static_cast<std::int32_t>(0x10U << port));
    c.must(map.update(port, {.ifindex = t.target(port), .program_fd = program.fd()}));
  }
  broadcast(t, map);
  c.note("the programs of the entries of t0, t1 and t2 add 0x10, 0x20 and 0x40 to a byte that is 0");
  c.equals("where a broadcast frame went, and as what", t.fate_of(t.frame()),
           Fate{at_sink(0, with_free_byte(0x10)), at_sink(1, with_free_byte(0x20)), at_sink(2, with_free_byte(0x40))});
}

void others_are_as_sent(Case& c) {
  constexpr std::uint32_t kPorts = 3;
  Traffic t(c, {.ports = kPorts});
  const auto program = adding(c, 0x10);
  const auto map = c.devmap(kEntries);
  broadcast(t, map);
  for (std::uint32_t changed = 0; changed < kPorts; ++changed) {
    const auto frame = t.frame();
    std::vector<Arrival> expected;
    expected.reserve(kPorts);
    for (std::uint32_t port = 0; port < kPorts; ++port) {
      const bool this_one = port == changed;
      c.must(map.update(port, {.ifindex = t.target(port), .program_fd = this_one ? program.fd() : 0}));
      expected.push_back(this_one ? at_sink(port, with_free_byte(0x10 + changed)) : at_sink(port));
    }
    c.equals(fmt::format("where a frame went, and as what, the entry of t{} having a program that changes it", changed),
             t.fate_of(frame), Fate(std::move(expected)));
  }
}

void add_independence(Registry& rules) {
  rules.add(copies_rule(
      {
          .id = "bcast.native-entry-programs-change-their-own-copies",
          .states = "What the program of an entry changes in a frame that a native program broadcasts, neither the "
                    "programs nor the receivers of other entries see.",
          .since = kBroadcastSince,
          .source = {kNativeCopy, "net/core/xdp.c:xdpf_clone"},
          .commits = {"e624d4ed4aa8"},
          .catalogue = {"BCAST-14"},
          .check = each_sees_only_its_own_changes,
      },
      {Mode::native}));
  rules.add(copies_rule(
      {
          .id = "bcast.native-copies-without-a-program-are-as-sent",
          .states = "Of a frame that a native program broadcasts, entries without a program get copies as it was sent, "
                    "whatever the program of another entry changes.",
          .since = kBroadcastSince,
          .source = {kNativeCopy, "net/core/xdp.c:xdpf_clone"},
          .commits = {"e624d4ed4aa8"},
          .catalogue = {"BCAST-14"},
          .check = others_are_as_sent,
      },
      {Mode::native}));

  const KernelVersion own_copies{.major = 7, .minor = 2};
  const std::vector<KernelVersion> backports = {{6, 18, 44}, {6, 12, 100}, {6, 1, 180}};
  rules.add(copies_rule(
      {
          .id = "bcast.generic-entry-programs-change-their-own-copies",
          .states = "What the program of an entry changes in a frame that an SKB-mode program broadcasts, neither the "
                    "programs nor the receivers of other entries see.",
          .since = own_copies,
          .backports = backports,
          .source = {"kernel/bpf/devmap.c:dev_map_generic_redirect", kGenericCopy},
          .commits = {"6001896f0098"},
          .catalogue = {"BCAST-15"},
          .check = each_sees_only_its_own_changes,
      },
      {Mode::generic}));
  rules.add(copies_rule(
      {
          .id = "bcast.generic-copies-without-a-program-are-as-sent",
          .states = "Of a frame that an SKB-mode program broadcasts, entries without a program get copies as it was "
                    "sent, whatever the program of another entry changes.",
          .since = own_copies,
          .backports = backports,
          .source = {"kernel/bpf/devmap.c:dev_map_generic_redirect", kGenericCopy},
          .commits = {"6001896f0098"},
          .catalogue = {"BCAST-15"},
          .check = others_are_as_sent,
      },
      {Mode::generic}));

  rules.add(copies_rule(
      {
          .id = "bcast.entry-program-drops-its-own-copy",
          .states = "An entry's program that drops its copy of a broadcast frame drops no other.",
          .since = kBroadcastSince,
          .source = {"kernel/bpf/devmap.c:dev_map_bpf_prog_run", "kernel/bpf/devmap.c:dev_map_bpf_prog_run_skb"},
          .commits = {"e624d4ed4aa8"},
          .catalogue = {"BCAST-16"},
          .check =
              [](Case& c) {
                Traffic t(c, {.ports = 3});
                const auto drop =
                    c.program(Assembler().return_value(XDP_DROP), {.expected_attach_type = BPF_XDP_DEVMAP});
                const auto map = c.devmap(kEntries);
                for (std::uint32_t port = 0; port < 3; ++port) c.must(map.update(port, {.ifindex = t.target(port)}));
                broadcast(t, map);
                const std::vector<std::vector<std::uint32_t>> others = {{1, 2}, {0, 2}, {0, 1}};
                for (std::uint32_t port = 0; port < 3; ++port) {
                  c.must(map.update(port, {.ifindex = t.target(port), .program_fd = drop.fd()}));
                  c.equals(fmt::format("where a frame went, the program of the entry of t{} dropping it", port),
                           t.fate_of(t.frame()), delivered_to(others.at(port)));
                  c.must(map.update(port, {.ifindex = t.target(port)}));
                }
              },
      },
      {Mode::native, Mode::generic}));
}

/// Where a broadcast is to go to, in the order in which it was put into the map.
struct Put {
  std::uint32_t key;
  std::uint32_t port;
};

/// Broadcasts one frame to three targets; the order in which they were handed their copies, by port.
std::vector<std::uint32_t> order_of_transmission(Case& c, const std::vector<Put>& entries) {
  Traffic t(c, {.ports = 3});
  const auto map = c.devmap(kRoom);
  for (const auto& [key, port] : entries) c.must(map.update(key, {.ifindex = t.target(port)}));
  broadcast(t, map);
  t.trace({devmap_xmit});
  c.equals("where a broadcast frame went", t.fate_of(t.frame()), delivered_to_first(3));
  std::vector<std::uint32_t> ports;
  for (const auto& event : t.events()) ports.push_back((event.to_ifindex - t.target(0)) / 2);
  return ports;
}

Rule order_rule(Rule rule, const Variants& variants) {
  rule.since = kBroadcastSince;
  rule.source = {"kernel/bpf/devmap.c:dev_map_enqueue_multi", "kernel/bpf/devmap.c:__dev_flush"};
  rule.catalogue = {"BCAST-17", "NATIVE-21"};
  rule.variants = variants;
  rule.needs = {features::veth(), features::redirect_trace()};
  return rule;
}

void add_order(Registry& rules) {
  rules.add(order_rule(
      {
          .id = "bcast.array-is-walked-by-ascending-keys",
          .states = "A native broadcast by a DEVMAP queues copies by ascending keys, and at the end of the poll the "
                    "devices transmit in the reverse of that order.",
          .check =
              [](Case& c) {
                c.equals("ports by the order of xdp_devmap_xmit, keys 0, 1, 2 being t0, t1, t2",
                         order_of_transmission(c, {{0, 0}, {1, 1}, {2, 2}}), std::vector<std::uint32_t>{2, 1, 0});
              },
      },
      devmap_only({4}).in({Mode::native})));
  rules.add(order_rule(
      {
          .id = "bcast.array-order-is-not-that-of-updates",
          .states = "The order in which a native broadcast by a DEVMAP transmits is that of the keys, whichever entry "
                    "was put in first.",
          .check =
              [](Case& c) {
                c.equals("ports by the order of xdp_devmap_xmit, t0, t1, t2 being put in as keys 63, 7, 1",
                         order_of_transmission(c, {{63, 0}, {7, 1}, {1, 2}}), std::vector<std::uint32_t>{0, 1, 2});
              },
      },
      devmap_only({4}).in({Mode::native})));
  rules.add(order_rule(
      {
          .id = "bcast.hash-is-walked-by-buckets",
          .states = "A native broadcast by a DEVMAP_HASH queues copies by ascending buckets, which are keys modulo "
                    "their number, and at the end of the poll the devices transmit in the reverse of that order.",
          .check =
              [](Case& c) {
                c.equals("ports by the order of xdp_devmap_xmit, t0, t1, t2 being put in as keys 63, 64 + 7, 128 + 1",
                         order_of_transmission(c, {{63, 0}, {kRoom + 7, 1}, {2 * kRoom + 1, 2}}),
                         std::vector<std::uint32_t>{0, 1, 2});
              },
      },
      devmap_hash_only({4}).in({Mode::native})));
  rules.add(order_rule(
      {
          .id = "bcast.hash-bucket-is-walked-from-its-latest-entry",
          .states = "A native broadcast by a DEVMAP_HASH visits the entries of one bucket from the one put in last to "
                    "the first, so that they transmit in the order in which they were put in.",
          .check =
              [](Case& c) {
                c.equals("ports by the order of xdp_devmap_xmit, t1, t2, t0 being put in as keys 5, 128 + 5, 64 + 5",
                         order_of_transmission(c, {{5, 1}, {2 * kRoom + 5, 2}, {kRoom + 5, 0}}),
                         std::vector<std::uint32_t>{1, 2, 0});
              },
      },
      devmap_hash_only({4}).in({Mode::native})));
}

Rule fragments_rule(Rule rule) {
  rule.variants = any_map(4).in({Mode::native, Mode::generic});
  rule.catalogue = {"BCAST-13"};
  rule.needs = {features::veth(), features::frags_programs(), features::redirect_trace(), small_pages()};
  return rule;
}

void is_delivered_to_a_single_device(Case& c) {
  Traffic t(c, {.mtu = kJumbo});
  const auto map = c.devmap(kEntries);
  c.must(map.update(0, {.ifindex = t.target(0)}));
  broadcast(t, map, {.program = {.flags = BPF_F_XDP_HAS_FRAGS}});
  t.trace({redirect, redirect_err});
  c.equals("where a frame of 8000 bytes went, broadcast by a map of t0", t.fate_of(t.frame({.size = kInFragments})),
           delivered_to({0}));
  c.equals("events", summary(t.events()), "xdp_redirect");
  c.must(map.update(1, {.ifindex = t.in1()}));
  broadcast(t, map, {.flags = kToOthers, .program = {.flags = BPF_F_XDP_HAS_FRAGS}});
  c.equals("where one went, broadcast by a map of t0 and the excluded ingress device",
           t.fate_of(t.frame({.size = kInFragments})), delivered_to({0}));
  c.equals("events", summary(t.events()), "xdp_redirect");
}

void add_fragments(Registry& rules) {
  rules.add(fragments_rule({
      .id = "bcast.frame-in-fragments-is-not-copied",
      .states = "A broadcast of a frame in several buffers to more than one device fails with EOPNOTSUPP, and nobody "
                "gets it.",
      .refuses = {EOPNOTSUPP},
      .since = {.major = 7, .minor = 2},
      // 6.1.178 and 5.15.212 took it too, where it cannot be seen: before 6.3 no frame in several buffers is redirected
      // natively, and one in generic mode is in a single buffer by then.
      .backports = {{7, 1, 4}, {6, 18, 39}, {6, 12, 96}, {6, 6, 145}},
      .source = {kNativeCopy, kGenericCopy},
      .commits = {"aa496720618f"},
      .danger = "kernels without the fix make copies that share the frame's buffers (CVE-2026-64355)",
      .check =
          [](Case& c) {
            Traffic t(c, {.ports = 3, .mtu = kJumbo});
            for (const std::uint32_t count : {2U, 3U}) {
              const auto map = c.devmap(kEntries);
              for (std::uint32_t port = 0; port < count; ++port) c.must(map.update(port, {.ifindex = t.target(port)}));
              broadcast(t, map, {.program = {.flags = BPF_F_XDP_HAS_FRAGS}});
              t.trace({redirect, redirect_err});
              c.equals(fmt::format("where a frame of 8000 bytes went, broadcast to {} devices", count),
                       t.fate_of(t.frame({.size = kInFragments})), nowhere());
              c.equals("events", summary(t.events()), "xdp_redirect_err " + c.expected_errno(EOPNOTSUPP));
              c.equals("where one of 1000 bytes went", t.fate_of(t.frame({.size = 1000})), delivered_to_first(count));
              c.equals("events", summary(t.events()), "xdp_redirect");
            }
          },
  }));

  auto single = fragments_rule({
      .id = "bcast.frame-in-fragments-goes-to-a-single-device",
      .states = "A native broadcast of a frame in several buffers delivers it where only one device is left to get it.",
      .since = {.major = 6, .minor = 3},
      .source = {"kernel/bpf/devmap.c:dev_map_enqueue_multi"},
      .check = is_delivered_to_a_single_device,
  });
  single.variants = any_map(4).in({Mode::native});
  rules.add(single);
  single.id = "bcast.generic-frame-in-fragments-goes-to-a-single-device";
  single.states =
      "A broadcast of an SKB-mode program delivers a frame that came in several buffers where only one device is left "
      "to get it.";
  single.since = kFragsProgramsSince;
  single.source = {"kernel/bpf/devmap.c:dev_map_redirect_multi"};
  single.variants = any_map(4).in({Mode::generic});
  rules.add(single);
}

}  // namespace

void add_bcast_copies(Registry& rules) {
  add_independence(rules);
  add_order(rules);
  add_fragments(rules);
}

}  // namespace devmap::cases
