#include <cases/event.hpp>
#include <cases/foreign_targets.hpp>
#include <cases/released.hpp>
#include <cases/support.hpp>
#include <cases/traffic.hpp>
#include <harness/base/wait.hpp>
#include <harness/net/device_state.hpp>
#include <harness/net/features.hpp>
#include <harness/net/link.hpp>
#include <harness/net/netns.hpp>
#include <harness/spec/case.hpp>

#include <cerrno>
#include <optional>

namespace devmap::cases {
namespace {

const std::string kNotification = "kernel/bpf/devmap.c:dev_map_notification";
const std::string kHashRemove = "kernel/bpf/devmap.c:dev_map_hash_remove_netdev";
const std::string kUpdate = "kernel/bpf/devmap.c:dev_map_update_elem";
const std::string kMove = "net/core/dev.c:__dev_change_net_namespace";

/// The number that a device has in each of two namespaces.
constexpr std::uint32_t kNumber = 777;

/// Makes a veth pair that is down in a namespace, and enters its first end, from there.
void enter_from(Case& c, const NetNs& where, const DevMap& map, std::uint32_t key, const VethSpec& spec) {
  c.must(where.run([&] {
    const auto pair = c.must(create_veth(spec));
    c.must(map.update(key, {.ifindex = pair.first}));
  }));
}

void add_moves(Registry& rules) {
  rules.add({
      .id = "event.moved-device-leaves-no-entry",
      .states = "When a device has been moved to another namespace, no entry for it is left; entries for its peer, "
                "which stayed, are as they were.",
      .source = {kNotification, kMove},
      .catalogue = {"EVENT-06"},
      .needs = {features::veth()},
      .check =
          [](Case& c) {
            const auto elsewhere = c.must(NetNs::create());
            const auto pair = c.must(create_veth({.up = false}));
            const auto map = c.devmap(kEntries);
            c.must(map.update(0, {.ifindex = pair.first}));
            c.must(map.update(1, {.ifindex = pair.second}));
            c.must(move_to(pair.first, elsewhere));
            has(c, map, 0, std::nullopt);
            has(c, map, 1, Element{.ifindex = pair.second});
          },
  });

  rules.add({
      .id = "event.device-that-came-back-has-no-entry",
      .states = "A device that was moved to another namespace and back, under its old number, has none of its entries, "
                "and can be entered anew.",
      .source = {kNotification, kMove},
      .catalogue = {"EVENT-06", "EVENT-04"},
      .variants = any_map(4),
      .needs = {features::veth()},
      .check =
          [](Case& c) {
            const auto here = c.must(NetNs::current());
            const auto elsewhere = c.must(NetNs::create());
            const auto number = c.must(create_veth({.first_index = kNumber, .up = false})).first;
            const auto map = c.devmap(kEntries);
            c.must(map.update(kPresent, {.ifindex = number}));
            c.must(move_to(number, elsewhere));
            c.must(elsewhere.run([&] { c.must(move_to(number, here)); }));
            c.equals("the name of the device of that number", c.must(device_state(number)).name, "a0");
            has(c, map, kPresent, std::nullopt);
            c.succeeds(map.update(kPresent, {.ifindex = number}));
            has(c, map, kPresent, Element{.ifindex = number});
          },
  });

  rules.add({
      .id = "event.programs-go-when-the-device-moves",
      .states = "The program of an entry is let go of when the entry's device is moved to another namespace.",
      .since = {.major = 5, .minor = 8},
      .source = {kNotification, "kernel/bpf/devmap.c:__dev_map_entry_free"},
      .catalogue = {"EVENT-02", "EVENT-06"},
      .variants = any_map(8),
      .needs = {features::veth()},
      .check =
          [](Case& c) {
            const auto elsewhere = c.must(NetNs::create());
            const auto pair = c.must(create_veth({.up = false}));
            const auto map = c.devmap(kEntries);
            const auto program = [&] {
              const auto egress = c.egress_program();
              c.must(map.update(kPresent, {.ifindex = pair.first, .program_fd = egress.fd()}));
              return id_of(c, egress);
            }();
            c.succeeds(program_held(program));
            c.must(move_to(pair.first, elsewhere));
            c.note("the device is moved");
            program_goes(c, program);
          },
  });
}

void add_namespaces_that_go(Registry& rules) {
  rules.add({
      .id = "event.deleted-namespace-leaves-no-entry",
      .states = "Entries do not keep a namespace: once nothing else does, the entries for its devices go with them, "
                "that of its loopback device too.",
      .source = {kNotification, "net/core/net_namespace.c:cleanup_net"},
      .catalogue = {"EVENT-07"},
      .needs = {features::veth()},
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            c.must(map.update(0, {.ifindex = kLoopback}));
            {
              const auto elsewhere = c.must(NetNs::create());
              enter_from(c, elsewhere, map, 1, {.first_index = kNumber, .up = false});
              c.must(elsewhere.run([&] { c.must(map.update(2, {.ifindex = kLoopback})); }));
              has(c, map, 1, Element{.ifindex = kNumber});
              has(c, map, 2, Element{.ifindex = kLoopback});
            }
            c.note("the last descriptor of the namespace is closed");
            // The kernel takes down one namespace after the other, also those of other processes.
            for (const std::uint32_t key : {1U, 2U}) {
              c.holds(fmt::format("the element under key {} goes", key),
                      wait_until([&] { return !element(c, map, key); }, c.patience()));
            }
            has(c, map, 0, Element{.ifindex = kLoopback});
          },
  });
}

void add_crossing(Registry& rules) {
  rules.add({
      .id = "event.lookup-shows-the-foreign-number",
      .states =
          "An element that was inserted from another namespace is seen from everywhere under the number its device "
          "has there.",
      .source = {kUpdate},
      .catalogue = {"EVENT-08"},
      .needs = {features::veth()},
      .check =
          [](Case& c) {
            const auto elsewhere = c.must(NetNs::create());
            const auto map = c.devmap(kEntries);
            enter_from(c, elsewhere, map, kPresent, {.first_index = kNumber, .up = false});
            has(c, map, kPresent, Element{.ifindex = kNumber});
            c.equals("what this namespace has under that number", errno_name(device_state(kNumber).error().code),
                     "ENODEV");
          },
  });

  rules.add({
      .id = "event.insert-looks-in-the-callers-namespace",
      .states = "An insert looks its ifindex up in the namespace of the thread that asks, wherever the map was made.",
      .refuses = {EINVAL},
      .source = {kUpdate},
      .catalogue = {"EVENT-08"},
      .needs = {features::veth()},
      .check =
          [](Case& c) {
            const auto elsewhere = c.must(NetNs::create());
            const auto map = c.devmap(kEntries);
            c.must(elsewhere.run([&] { c.must(create_veth({.first_index = kNumber, .up = false})); }));
            const auto insert = [&] { return map.update(kPresent, {.ifindex = kNumber}); };
            const auto insert_from_there = [&] {
              std::optional<Reply<>> reply;
              c.must(elsewhere.run([&] { reply = insert(); }));
              return *reply;
            };
            c.refuses(insert(), EINVAL).control(insert_from_there());
          },
  });

  rules.add({
      .id = "event.redirect-crosses-namespaces",
      .states = "A frame redirected to an entry for a device of another namespace leaves through that device.",
      .source = {"kernel/bpf/devmap.c:__xdp_enqueue", "kernel/bpf/devmap.c:dev_map_generic_redirect"},
      .catalogue = {"EVENT-08"},
      .variants = any_map(4).in({Mode::native, Mode::generic}),
      .needs = {features::veth()},
      .check =
          [](Case& c) {
            Traffic t(c);
            ForeignTargets foreign(c, 1, t.in1());
            const auto map = c.devmap(kEntries);
            foreign.enter(c, map, kPresent, 0);
            t.run(t.main().redirect_map(map, kPresent, 0).exit());
            c.note(
                fmt::format("the entry is for device {} of another namespace, a number that the receiving device "
                            "has in this one",
                            foreign.device(0)));
            c.equals("where the frame went in this namespace", t.fate_of(t.frame()), nowhere());
            c.equals("frames through the device of the other one", foreign.arrivals(c), std::vector<std::uint64_t>{1});
          },
  });
}

void add_equal_numbers(Registry& rules) {
  rules.add({
      .id = "event.deletion-goes-by-device-not-by-number",
      .states = "The deletion of a device leaves the entry for a device of the same number in another namespace as it "
                "is.",
      .since = {.major = 4, .minor = 20},
      .source = {kNotification, kHashRemove},
      .commits = {"f592f804831f"},
      .catalogue = {"EVENT-12"},
      .needs = {features::veth()},
      .check =
          [](Case& c) {
            const auto elsewhere = c.must(NetNs::create());
            const auto map = c.devmap(kEntries);
            const VethSpec spec{.first_index = kNumber, .up = false};
            c.must(map.update(0, {.ifindex = c.must(create_veth(spec)).first}));
            enter_from(c, elsewhere, map, 1, spec);
            const Element same{.ifindex = kNumber};
            has(c, map, 0, same);
            has(c, map, 1, same);
            c.must(elsewhere.run([&] { c.must(delete_link(kNumber)); }));
            c.note("the other namespace's device is deleted");
            has(c, map, 0, same);
            has(c, map, 1, std::nullopt);
            c.must(delete_link(kNumber));
            c.note("this namespace's device is deleted");
            has(c, map, 0, std::nullopt);
          },
  });
}

}  // namespace

void add_event_namespace_rules(Registry& rules) {
  add_moves(rules);
  add_namespaces_that_go(rules);
  add_crossing(rules);
  add_equal_numbers(rules);
}

}  // namespace devmap::cases
