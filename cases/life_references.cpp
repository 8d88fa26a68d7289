#include <cases/life.hpp>
#include <cases/released.hpp>
#include <cases/support.hpp>
#include <harness/base/detached_mount.hpp>
#include <harness/base/scope_exit.hpp>
#include <harness/bpf/features.hpp>
#include <harness/net/features.hpp>
#include <harness/net/link.hpp>
#include <harness/spec/case.hpp>

#include <cerrno>
#include <filesystem>

namespace devmap::cases {
namespace {

const std::string kMapPut = "kernel/bpf/syscall.c:bpf_map_put";
const std::string kMapFree = "kernel/bpf/devmap.c:dev_map_free";
const std::string kPins = "kernel/bpf/inode.c:bpf_obj_do_pin";
const std::string kBind = "kernel/bpf/syscall.c:bpf_prog_bind_map";

void remove_pin(Case& c, const std::string& path) {
  std::error_code error;
  if (!std::filesystem::remove(path, error)) c.must(Expected<void>(failure("remove", error.value(), "a pin")));
}

/// A map and the program in its element, which hold each other:
///
///     map --element--> program --instructions--> map
///
/// Nothing else holds them, and nobody but the ids knows them.
struct Cycle {
  std::uint32_t map = 0;
  std::uint32_t program = 0;
};

Cycle make_cycle(Case& c, std::uint32_t ifindex) {
  const auto map = c.devmap(kEntries);
  const auto program =
      c.program(Assembler().lookup(map, kPresent).return_value(XDP_PASS), {.expected_attach_type = BPF_XDP_DEVMAP});
  c.must(map.update(kPresent, {.ifindex = ifindex, .program_fd = program.fd()}));
  return {.map = id_of(c, map), .program = id_of(c, program)};
}

/// Deletes the element of a cycle that is still there.
Reply<> break_cycle(const Cycle& cycle) {
  const auto map = Map::open_by_id(cycle.map);
  return map ? map.value().erase(kPresent) : Reply<>::refused(map.asked(), map.error());
}

void add_pin_rules(Registry& rules) {
  rules.add({
      .id = "life.pin-keeps-the-map",
      .states = "A pinned map that no descriptor leads to stays, with its elements.",
      .source = {kPins},
      .catalogue = {"LIFE-04"},
      .variants = any_map(4),
      .check =
          [](Case& c) {
            const auto mount = c.must(DetachedMount::open("bpf"));
            auto map = map_with_entry(c);
            const auto id = id_of(c, map);
            c.succeeds(map.pin(mount.path("map")));
            map.close();
            c.note("the map's last descriptor is closed");
            outwait_release(c);
            const auto opened = c.succeeds(DevMap::open_pinned(mount.path("map"), c.value_size()));
            c.equals("the id of the map that was pinned", id_of(c, opened), id);
            c.equals("the element", c.succeeds(opened.lookup(kPresent)), Element{.ifindex = kLoopback});
          },
  });

  rules.add({
      .id = "life.pin-keeps-the-program-of-an-element",
      .states = "The program of an element stays as long as its map is pinned.",
      .since = kProgramsInEntriesSince,
      .source = {kPins, "kernel/bpf/devmap.c:__dev_map_alloc_node"},
      .catalogue = {"LIFE-04", "LIFE-16"},
      .variants = any_map(8),
      .check =
          [](Case& c) {
            const auto mount = c.must(DetachedMount::open("bpf"));
            const auto program = [&] {
              const auto map = c.devmap(kEntries);
              const auto egress = c.egress_program();
              c.must(map.update(kPresent, {.ifindex = kLoopback, .program_fd = egress.fd()}));
              c.must(map.pin(mount.path("map")));
              return id_of(c, egress);
            }();
            outwait_release(c);
            c.succeeds(program_held(program));
            remove_pin(c, mount.path("map"));
            c.note("the pin is removed");
            program_goes(c, program);
          },
  });

  rules.add({
      .id = "life.unpinned-map-goes",
      .states = "A map goes once its pin is removed and its descriptors are closed.",
      .source = {"kernel/bpf/inode.c:bpf_free_inode", kMapPut},
      .catalogue = {"LIFE-04"},
      .check =
          [](Case& c) {
            const auto mount = c.must(DetachedMount::open("bpf"));
            auto map = map_with_entry(c);
            const auto id = id_of(c, map);
            c.must(map.pin(mount.path("map")));
            remove_pin(c, mount.path("map"));
            c.succeeds(map_held(id));
            map.close();
            c.note("the last descriptor is closed");
            map_goes(c, id);
          },
  });
}

void add_program_rules(Registry& rules) {
  rules.add({
      .id = "life.program-holds-its-map",
      .states = "A loaded program goes on redirecting through a map whose last descriptor was closed.",
      .source = {kMapPut},
      .catalogue = {"LIFE-16"},
      .check =
          [](Case& c) {
            auto map = map_with_entry(c);
            const auto id = id_of(c, map);
            const auto program = redirecting_program(c, map, kPresent, XDP_DROP);
            map.close();
            c.note("the map's last descriptor is closed");
            outwait_release(c);
            c.succeeds(map_held(id));
            c.equals("bpf_redirect_map for the key that is present", returned_by(c, program), XDP_REDIRECT);
          },
  });

  rules.add({
      .id = "life.map-goes-with-its-program",
      .states = "A map that only a program held goes when the program does.",
      .source = {kMapPut},
      .catalogue = {"LIFE-16"},
      .check =
          [](Case& c) {
            auto map = map_with_entry(c);
            const auto id = id_of(c, map);
            auto program = redirecting_program(c, map, kPresent, XDP_DROP);
            map.close();
            c.note("the map's last descriptor is closed");
            c.succeeds(map_held(id));
            program.close();
            c.note("the program's last descriptor is closed");
            map_goes(c, id);
          },
  });

  rules.add({
      .id = "life.map-holds-egress-programs",
      .states = "A program in an element stays loaded after its last descriptor was closed.",
      .since = kProgramsInEntriesSince,
      .source = {"kernel/bpf/devmap.c:__dev_map_alloc_node"},
      .catalogue = {"LIFE-16"},
      .variants = any_map(8),
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            auto egress = c.egress_program();
            const auto id = id_of(c, egress);
            c.must(map.update(kPresent, {.ifindex = kLoopback, .program_fd = egress.fd()}));
            egress.close();
            c.note("the program's last descriptor is closed");
            outwait_release(c);
            c.succeeds(program_held(id));
            c.equals("the element", c.succeeds(map.lookup(kPresent)), Element{.ifindex = kLoopback, .program_id = id});
          },
  });

  rules.add({
      .id = "life.closed-map-releases-egress-programs",
      .states = "The programs in a map's elements go a little later than the map's last holder.",
      .since = kProgramsInEntriesSince,
      .source = {kMapFree},
      .catalogue = {"LIFE-17"},
      .variants = any_map(8),
      .check =
          [](Case& c) {
            auto map = c.devmap(kEntries);
            std::vector<std::uint32_t> ids;
            for (std::uint32_t key = 0; key < kEntries; ++key) {
              const auto egress = c.egress_program();
              c.must(map.update(key, {.ifindex = kLoopback, .program_fd = egress.fd()}));
              ids.push_back(id_of(c, egress));
            }
            for (const auto id : ids) c.succeeds(program_held(id));
            map.close();
            c.note("the map's last descriptor is closed");
            for (const auto id : ids) program_goes(c, id);
          },
  });

  rules.add({
      .id = "life.cycle-outlives-its-descriptors",
      .states = "A map and a program in its element that uses the same map stay when all their descriptors are closed.",
      .since = kProgramsInEntriesSince,
      .source = {"kernel/bpf/devmap.c:dev_map_ops"},
      .catalogue = {"LIFE-15"},
      .variants = any_map(8),
      .check =
          [](Case& c) {
            const auto cycle = make_cycle(c, kLoopback);
            // Where this is not reached, the end of the namespace takes the loopback device, and with it the element.
            const ScopeExit clean_up([&cycle] { (void)break_cycle(cycle); });
            c.note("all descriptors of both are closed");
            outwait_release(c);
            c.succeeds(map_held(cycle.map));
            c.succeeds(program_held(cycle.program));
          },
  });

  rules.add({
      .id = "life.cycle-ends-with-its-element",
      .states = "A map and a program in its element that uses the same map go when the element is deleted through a "
                "descriptor opened by id.",
      .since = kProgramsInEntriesSince,
      .source = {"kernel/bpf/devmap.c:__dev_map_entry_free"},
      .catalogue = {"LIFE-15"},
      .variants = any_map(8),
      .check =
          [](Case& c) {
            const auto cycle = make_cycle(c, kLoopback);
            const ScopeExit clean_up([&cycle] { (void)break_cycle(cycle); });
            c.note("all descriptors of both are closed");
            c.succeeds(break_cycle(cycle));
            program_goes(c, cycle.program);
            map_goes(c, cycle.map);
          },
  });

  rules.add({
      .id = "life.cycle-ends-with-its-device",
      .states = "A map and a program in its element that uses the same map go when the element's device is removed.",
      .since = kProgramsInEntriesSince,
      .source = {"kernel/bpf/devmap.c:dev_map_notification"},
      .catalogue = {"LIFE-15"},
      .variants = any_map(8),
      .needs = {features::veth()},
      .check =
          [](Case& c) {
            const auto pair = c.must(create_veth({.up = false}));
            const auto cycle = make_cycle(c, pair.first);
            const ScopeExit clean_up([&cycle] { (void)break_cycle(cycle); });
            c.note("all descriptors of both are closed, and the device is removed");
            c.must(delete_link(pair.first));
            program_goes(c, cycle.program);
            map_goes(c, cycle.map);
          },
  });
}

void add_device_rules(Registry& rules) {
  rules.add({
      .id = "life.map-does-not-keep-devices",
      .states = "A device can be removed while an element of a map leads to it.",
      .source = {"kernel/bpf/devmap.c:dev_map_notification"},
      .catalogue = {"LIFE-17"},
      .variants = any_map(4),
      .needs = {features::veth()},
      .check =
          [](Case& c) {
            const auto pair = c.must(create_veth({.up = false}));
            const auto map = c.devmap(kEntries);
            c.must(map.update(kPresent, {.ifindex = pair.first}));
            // The kernel waits here for whoever still holds the device.
            const auto removed = delete_link(pair.first);
            c.holds("the device can be removed", removed.has_value(), removed ? "" : removed.error().text());
          },
  });

  rules.add({
      .id = "life.closed-map-releases-devices",
      .states = "A device can be removed after a map with an element for it has gone.",
      .source = {kMapFree},
      .commits = {"071cdecec57f"},
      .catalogue = {"LIFE-17"},
      .variants = any_map(4),
      .needs = {features::veth()},
      .check =
          [](Case& c) {
            const auto pair = c.must(create_veth({.up = false}));
            auto map = c.devmap(kEntries);
            c.must(map.update(kPresent, {.ifindex = pair.first}));
            const auto id = id_of(c, map);
            map.close();
            map_goes(c, id);
            const auto removed = delete_link(pair.first);
            c.holds("the device can be removed", removed.has_value(), removed ? "" : removed.error().text());
          },
  });
}

void add_bind_rules(Registry& rules) {
  constexpr KernelVersion kBindSince{.major = 5, .minor = 10};

  rules.add({
      .id = "life.any-program-can-be-bound",
      .states = "BPF_PROG_BIND_MAP binds a device map to a program of any type, also where the map belongs to XDP "
                "programs already.",
      .since = kBindSince,
      .source = {kBind},
      .catalogue = {"LIFE-18"},
      .check =
          [](Case& c) {
            const auto map = map_with_entry(c);
            const auto owner = redirecting_program(c, map, kPresent, XDP_DROP);
            using Type = std::pair<std::uint32_t, const char*>;
            for (const auto& [type, name] :
                 {Type(BPF_PROG_TYPE_SOCKET_FILTER, "a socket filter"), Type(BPF_PROG_TYPE_SCHED_CLS, "a classifier"),
                  Type(BPF_PROG_TYPE_XDP, "an XDP program")}) {
              c.note(std::string("to ") + name);
              c.succeeds(c.program(Assembler().return_value(0), {.type = type}).bind(map));
            }
          },
  });

  rules.add({
      .id = "life.tracing-program-can-be-bound",
      .states = "BPF_PROG_BIND_MAP binds a device map to a tracing program.",
      .since = kBindSince,
      .source = {kBind},
      .catalogue = {"LIFE-18"},
      .needs = {features::tracing_programs()},
      .check =
          [](Case& c) {
            const auto map = map_with_entry(c);
            const auto program = c.program(Assembler().return_value(0), {.type = BPF_PROG_TYPE_RAW_TRACEPOINT});
            c.succeeds(program.bind(map));
          },
  });

  rules.add({
      .id = "life.bound-program-does-not-own-the-map",
      .states = "A map that was first bound to a program of another type can be used by XDP programs afterwards.",
      .since = kBindSince,
      .source = {kBind},
      .catalogue = {"LIFE-18"},
      .check =
          [](Case& c) {
            const auto map = map_with_entry(c);
            const auto other = c.program(Assembler().return_value(0), {.type = BPF_PROG_TYPE_SOCKET_FILTER});
            c.succeeds(other.bind(map));
            const auto program =
                c.succeeds(Program::load({}, c.must(Assembler().redirect_map(map, kPresent, XDP_DROP).exit().build())));
            c.equals("bpf_redirect_map for the key that is present", returned_by(c, program), XDP_REDIRECT);
          },
  });

  rules.add({
      .id = "life.bound-map-is-held",
      .states = "A map that is bound to a program stays until the program goes.",
      .since = kBindSince,
      .source = {kBind},
      .catalogue = {"LIFE-18"},
      .variants = any_map(4),
      .check =
          [](Case& c) {
            auto map = map_with_entry(c);
            const auto id = id_of(c, map);
            auto program = c.program(Assembler().return_value(XDP_PASS));
            c.must(program.bind(map));
            map.close();
            c.note("the map's last descriptor is closed");
            outwait_release(c);
            c.succeeds(map_held(id));
            program.close();
            c.note("the program's last descriptor is closed");
            map_goes(c, id);
          },
  });
}

}  // namespace

void add_life_reference_rules(Registry& rules) {
  add_pin_rules(rules);
  add_program_rules(rules);
  add_device_rules(rules);
  add_bind_rules(rules);
}

}  // namespace devmap::cases
