#include <cases/chapters.hpp>
#include <cases/egress.hpp>
#include <cases/released.hpp>
#include <cases/support.hpp>
#include <harness/net/features.hpp>
#include <harness/net/link.hpp>
#include <harness/net/xdp_link.hpp>
#include <harness/spec/case.hpp>

#include <linux/if_link.h>

#include <functional>

// Programs in map entries.
namespace devmap::cases {
namespace {

constexpr std::uint32_t kKey = 1;
constexpr KernelVersion kEntryProgramsSince{.major = 5, .minor = 8};

/// Puts a program into the entry under kKey and closes it; its id.
std::uint32_t put_program(Case& c, const DevMap& map, std::uint32_t ifindex) {
  const auto egress = c.egress_program();
  const auto id = c.must(egress.info()).id;
  c.must(map.update(kKey, {.ifindex = ifindex, .program_fd = egress.fd()}));
  return id;
}

void is_held(Case& c, std::string_view when, std::uint32_t id) {
  c.equals(fmt::format("opening the program by its id, {}", when), errno_name(program_held(id).error()), errno_name(0));
}

Rule entry_program_rule(Rule rule) {
  rule.since = kEntryProgramsSince;
  rule.variants = any_map(8);
  return rule;
}

void add_identity(Registry& rules) {
  rules.add(entry_program_rule({
      .id = "egress.lookup-gives-program-id",
      .states = "A lookup gives the id of an entry's program, and 0 for an entry without one.",
      .source = {"kernel/bpf/devmap.c:__dev_map_alloc_node"},
      .catalogue = {"EGRESS-18"},
      .check =
          [](Case& c) {
            const auto map = c.devmap();
            const auto egress = c.egress_program();
            const auto id = c.must(egress.info()).id;
            c.succeeds(map.update(kKey, {.ifindex = kLoopback, .program_fd = egress.fd()}));
            c.holds("the second word of the value is the id of the program",
                    c.succeeds(map.lookup(kKey)).program_id == id);
            c.succeeds(map.update(kKey, {.ifindex = kLoopback}));
            c.equals("the second word of the value without a program", c.succeeds(map.lookup(kKey)).program_id, 0U);
          },
  }));

  rules.add(entry_program_rule({
      .id = "egress.fdinfo-does-not-name-entry-programs",
      .states = "The fdinfo of a map does not tell the programs of its entries.",
      .source = {"kernel/bpf/syscall.c:bpf_map_show_fdinfo"},
      .catalogue = {"EGRESS-18"},
      .check =
          [](Case& c) {
            const auto map = c.devmap();
            put_program(c, map, kLoopback);
            for (const char* field : {"prog_id", "prog_ids", "egress_prog_id"}) {
              c.equals(fmt::format("line {} of fdinfo", field), c.must(map.fdinfo(field)),
                       std::optional<std::uint64_t>{});
            }
            c.holds("there is a line map_type", c.must(map.fdinfo("map_type")).has_value());
          },
  }));
}

void add_lifetime(Registry& rules) {
  const std::vector<std::string> source = {"kernel/bpf/devmap.c:__dev_map_entry_free"};
  rules.add(entry_program_rule({
      .id = "egress.entry-holds-its-program",
      .states = "An entry keeps its program loaded after the last descriptor of the program is closed.",
      .source = source,
      .catalogue = {"EGRESS-19"},
      .check =
          [](Case& c) {
            const auto map = c.devmap();
            auto unused = c.egress_program();
            const auto unused_id = c.must(unused.info()).id;
            const auto id = put_program(c, map, kLoopback);
            unused.close();
            c.note("the last descriptor of one in no entry is closed");
            program_goes(c, unused_id);
            is_held(c, "after its last descriptor is closed", id);
          },
  }));

  struct Release {
    const char* slug;
    const char* what;
    std::function<void(Case&, const DevMap&)> act;
  };
  for (const auto& release :
       {Release{"deleting-the-entry", "deleting the entry",
                [](Case& c, const DevMap& map) { c.must(map.erase(kKey)); }},
        Release{"replacing-the-entry", "replacing the entry by one without a program",
                [](Case& c, const DevMap& map) { c.must(map.update(kKey, {.ifindex = kLoopback})); }},
        Release{"closing-the-map", "closing the map", [](Case&, const DevMap&) {}}}) {
    rules.add(entry_program_rule({
        .id = fmt::format("egress.{}-releases-its-program", release.slug),
        .states = fmt::format("After {}, an entry's program that nothing else holds is unloaded.", release.what),
        .source = source,
        .catalogue = {"EGRESS-19"},
        .check =
            [release](Case& c) {
              std::uint32_t id = 0;
              std::optional<DevMap> map(c.devmap());
              id = put_program(c, *map, kLoopback);
              is_held(c, "while the entry is there", id);
              release.act(c, *map);
              if (release.slug == std::string_view("closing-the-map")) map.reset();
              c.note(fmt::format("after {}", release.what));
              program_goes(c, id);
            },
    }));
  }

  rules.add(entry_program_rule({
      .id = "egress.deleting-the-device-releases-its-program",
      .states = "After an entry's device is deleted, the entry's program that nothing else holds is unloaded.",
      .source = {"kernel/bpf/devmap.c:dev_map_notification"},
      .catalogue = {"EGRESS-19"},
      .needs = {features::veth()},
      .check =
          [](Case& c) {
            const auto map = c.devmap();
            const auto pair = c.must(create_veth({.up = false}));
            const auto id = put_program(c, map, pair.first);
            is_held(c, "while the device is there", id);
            c.must(delete_link(pair.first));
            c.note("the device is deleted");
            program_goes(c, id);
          },
  }));

  rules.add(entry_program_rule({
      .id = "egress.detaching-the-main-program-keeps-entry-programs",
      .states = "An entry keeps its program when the program that redirects by the map is detached and unloaded.",
      .source = source,
      .catalogue = {"EGRESS-19"},
      .needs = {features::veth()},
      .check =
          [](Case& c) {
            const auto map = c.devmap();
            const auto pair = c.must(create_veth({.up = false}));
            const auto id = put_program(c, map, pair.first);
            std::uint32_t main_id = 0;
            {
              const auto main = redirecting_program(c, map, kKey, 0);
              main_id = c.must(main.info()).id;
              const auto link = c.must(XdpLink::create(main, {.ifindex = pair.first, .flags = XDP_FLAGS_DRV_MODE}));
            }
            c.note("the main program is detached and closed");
            program_goes(c, main_id);
            is_held(c, "after the main program is gone", id);
          },
  }));
}

}  // namespace

void add_egress_chapter(Registry& rules) {
  rules.chapter("egress", "Programs in map entries");
  add_identity(rules);
  add_lifetime(rules);
  add_egress_verdicts(rules);
  add_egress_context(rules);
  add_egress_size(rules);
  add_egress_batches(rules);
}

}  // namespace devmap::cases
