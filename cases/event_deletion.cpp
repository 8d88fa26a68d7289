#include <cases/event.hpp>
#include <cases/released.hpp>
#include <cases/support.hpp>
#include <harness/net/features.hpp>
#include <harness/net/link.hpp>
#include <harness/spec/case.hpp>

#include <cerrno>
#include <chrono>

namespace devmap::cases {
namespace {

const std::string kNotification = "kernel/bpf/devmap.c:dev_map_notification";
const std::string kHashRemove = "kernel/bpf/devmap.c:dev_map_hash_remove_netdev";

/// A veth pair that is down: nobody sends through it.
VethPair pair_of(Case& c, std::uint32_t first_index = 0) {
  return c.must(create_veth({.first_index = first_index, .up = false}));
}

void put(Case& c, const DevMap& map, std::uint32_t key, std::uint32_t ifindex) {
  c.must(map.update(key, {.ifindex = ifindex}));
}

/// Deletes the device, which must come back quickly: the kernel waits for whoever holds it, for ever and saying so in
/// its log (net/core/dev.c:netdev_wait_allrefs_any).
void deletion_returns(Case& c, std::uint32_t ifindex) {
  using Clock = std::chrono::steady_clock;
  const auto limit = c.patience();
  const auto begin = Clock::now();
  c.must(delete_link(ifindex));
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin);
  c.holds("the deletion returns in time", took < limit, fmt::format("after {} ms", took.count()));
}

/// The elements that an iteration finds.
std::uint32_t elements_of(Case& c, const DevMap& map) {
  std::uint32_t count = 0;
  auto key = map.next_key({});
  for (; key; key = map.next_key(key.value())) {
    if (element(c, map, key.value())) ++count;
  }
  if (key.error() != ENOENT) c.must(key);
  return count;
}

void add_entries(Registry& rules) {
  rules.add({
      .id = "event.deleted-device-leaves-no-entry",
      .states = "When the deletion of a device returns, no entry for it is left, and entries for other devices are as "
                "they were.",
      .source = {kNotification, kHashRemove},
      .commits = {"ce197d83a9fc"},
      .catalogue = {"EVENT-01"},
      .needs = {features::veth()},
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            const auto pair = pair_of(c);
            put(c, map, 0, pair.first);
            put(c, map, 1, kLoopback);
            put(c, map, 2, pair.second);
            put(c, map, 3, pair.first);
            c.must(delete_link(pair.first));
            c.note("one end of a veth pair is deleted, and the other goes with it");
            has(c, map, 0, std::nullopt);
            has(c, map, 1, Element{.ifindex = kLoopback});
            has(c, map, 2, std::nullopt);
            has(c, map, 3, std::nullopt);
          },
  });

  rules.add({
      .id = "event.deleted-device-is-a-miss",
      .states = "bpf_redirect_map misses the key of an entry whose device was deleted.",
      .source = {kNotification},
      .catalogue = {"EVENT-01"},
      .variants = any_map(4),
      .needs = {features::veth()},
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            const auto pair = pair_of(c);
            put(c, map, kPresent, pair.first);
            const auto program = redirecting_program(c, map, kPresent, XDP_DROP);
            c.equals("what it returns before the deletion", returned_by(c, program), XDP_REDIRECT);
            c.must(delete_link(pair.first));
            c.equals("what it returns after the deletion", returned_by(c, program), XDP_DROP);
          },
  });

  rules.add({
      .id = "event.deleted-device-leaves-every-map",
      .states = "The deletion of a device removes the entries for it from every map that has any, of both types.",
      .source = {kNotification},
      .catalogue = {"EVENT-01"},
      .variants = once(),
      .needs = {features::veth()},
      .check =
          [](Case& c) {
            constexpr std::uint32_t kMaps = 16;
            const auto pair = pair_of(c);
            std::vector<DevMap> maps;
            maps.reserve(kMaps);
            for (std::uint32_t n = 0; n < kMaps; ++n) {
              const auto type = n % 2 == 0 ? DevMapType::devmap : DevMapType::devmap_hash;
              maps.push_back(c.must(DevMap::create({.type = type, .max_entries = kEntries})));
              put(c, maps.back(), kPresent, pair.first);
            }
            c.must(delete_link(pair.first));
            std::uint32_t without = 0;
            for (const auto& map : maps) without += element(c, map, kPresent) ? 0U : 1U;
            c.equals(fmt::format("of {} maps, those without an entry for the deleted device", kMaps), without, kMaps);
          },
  });

  rules.add({
      .id = "event.deleted-device-leaves-all-its-entries",
      .states = "The deletion of a device removes it from a map under however many keys it stands, and no other entry.",
      .source = {kNotification, kHashRemove},
      .catalogue = {"EVENT-01"},
      .variants = any_map(4),
      .needs = {features::veth()},
      .check =
          [](Case& c) {
            constexpr std::uint32_t kMany = 512;
            const auto map = c.devmap(kMany);
            const auto pair = pair_of(c);
            for (std::uint32_t key = 0; key < kMany; ++key) put(c, map, key, key % 4 == 0 ? kLoopback : pair.first);
            c.equals("elements before the deletion", elements_of(c, map), kMany);
            c.must(delete_link(pair.first));
            std::uint32_t of_lo = 0;
            for (std::uint32_t key = 0; key < kMany; key += 4) {
              of_lo += element(c, map, key) == Element{.ifindex = kLoopback} ? 1U : 0U;
            }
            c.equals("elements after the deletion", elements_of(c, map), kMany / 4);
            c.equals("those for lo, which is every fourth key", of_lo, kMany / 4);
          },
  });

  rules.add({
      .id = "event.deleted-device-makes-room",
      .states = "The entries that go with a device no longer count: a DEVMAP_HASH that was full takes as many others.",
      .refuses = {E2BIG},
      .source = {kHashRemove},
      .catalogue = {"EVENT-01"},
      .variants = devmap_hash_only({4}),
      .needs = {features::veth()},
      .check =
          [](Case& c) {
            const auto map = c.devmap(2);
            const auto pair = pair_of(c);
            put(c, map, 0, pair.first);
            put(c, map, 1, pair.first);
            const auto insert = [&](std::uint32_t key) { return map.update(key, {.ifindex = kLoopback}); };
            const auto insert_after_deletion = [&] {
              c.must(delete_link(pair.first));
              return insert(7);
            };
            c.refuses(insert(7), E2BIG).control(insert_after_deletion());
            c.succeeds(insert(8));
            c.refuses(insert(9), E2BIG).control(insert(8));
          },
  });

  rules.add({
      .id = "event.recreated-device-has-no-entry",
      .states = "A device that is made under the name and the number of a deleted one has none of its entries, and can "
                "be entered anew.",
      .source = {kNotification},
      .catalogue = {"EVENT-04"},
      .needs = {features::veth()},
      .check =
          [](Case& c) {
            constexpr std::uint32_t kNumber = 777;
            const auto map = c.devmap(kEntries);
            put(c, map, kPresent, pair_of(c, kNumber).first);
            c.must(delete_link(kNumber));
            c.equals("the number of the device made anew", pair_of(c, kNumber).first, kNumber);
            has(c, map, kPresent, std::nullopt);
            c.succeeds(map.update(kPresent, {.ifindex = kNumber}));
            has(c, map, kPresent, Element{.ifindex = kNumber});
          },
  });
}

void add_references(Registry& rules) {
  rules.add({
      .id = "event.programs-go-with-the-device",
      .states = "The program of an entry is let go of when the entry's device is deleted.",
      .since = kProgramsInEntriesSince,
      .source = {"kernel/bpf/devmap.c:__dev_map_entry_free"},
      .catalogue = {"EVENT-02"},
      .variants = any_map(8),
      .needs = {features::veth()},
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            const auto pair = pair_of(c);
            const auto program = [&] {
              const auto egress = c.egress_program();
              c.must(map.update(kPresent, {.ifindex = pair.first, .program_fd = egress.fd()}));
              return id_of(c, egress);
            }();
            outwait_release(c);
            c.succeeds(program_held(program));
            c.must(delete_link(pair.first));
            c.note("the device is deleted");
            program_goes(c, program);
          },
  });

  rules.add({
      .id = "event.map-never-blocks-deletion",
      .states = "The deletion of a device returns although maps have entries for it.",
      .source = {kNotification},
      .commits = {"ce197d83a9fc"},
      .catalogue = {"EVENT-03"},
      .needs = {features::veth()},
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            const auto pair = pair_of(c);
            for (std::uint32_t key = 0; key < kEntries; ++key) put(c, map, key, pair.first);
            deletion_returns(c, pair.first);
          },
  });

  rules.add({
      .id = "event.freed-map-never-blocks-deletion",
      .states = "The deletion of a device returns while maps with entries for it are being freed.",
      .source = {"kernel/bpf/devmap.c:dev_map_free"},
      .commits = {"071cdecec57f"},
      .catalogue = {"EVENT-03"},
      .variants = any_map(4),
      .needs = {features::veth()},
      .check =
          [](Case& c) {
            const auto pair = pair_of(c);
            for (int again = 0; again < 8; ++again) {
              const auto map = c.devmap(kEntries);
              for (std::uint32_t key = 0; key < kEntries; ++key) put(c, map, key, pair.first);
            }
            c.note("the last descriptors of 8 maps with entries for the device are closed");
            deletion_returns(c, pair.first);
          },
  });

  rules.add({
      .id = "event.deletion-ignores-a-frozen-map",
      .states =
          "The deletion of a device removes its entries also from a frozen map, from which system calls can delete "
          "none: EPERM.",
      .refuses = {EPERM},
      .source = {kNotification},
      .catalogue = {"EVENT-09"},
      .variants = any_map(4),
      .needs = {features::veth()},
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            const auto pair = pair_of(c);
            put(c, map, kPresent, pair.first);
            c.must(map.freeze());
            c.ends_in("what deleting the entry by a system call comes to", map.erase(kPresent).error(), EPERM);
            c.must(delete_link(pair.first));
            has(c, map, kPresent, std::nullopt);
          },
  });

  rules.add({
      .id = "event.deletion-ignores-access-modes",
      .states =
          "The deletion of a device removes its entries whatever the descriptors of the map allow, here one that is "
          "read-only and can delete none: EPERM.",
      .refuses = {EPERM},
      .source = {kNotification},
      .catalogue = {"EVENT-09"},
      .variants = any_map(4),
      .needs = {features::veth()},
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            const auto pair = pair_of(c);
            put(c, map, kPresent, pair.first);
            const auto reader = c.must(Map::open_by_id(id_of(c, map), BPF_F_RDONLY));
            c.ends_in("what deleting the entry through a read-only descriptor comes to", reader.erase(kPresent).error(),
                      EPERM);
            c.must(delete_link(pair.first));
            has(c, map, kPresent, std::nullopt);
          },
  });
}

}  // namespace

void add_event_deletion_rules(Registry& rules) {
  add_entries(rules);
  add_references(rules);
}

}  // namespace devmap::cases
