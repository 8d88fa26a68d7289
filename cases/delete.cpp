#include <cases/chapters.hpp>
#include <cases/released.hpp>
#include <cases/support.hpp>
#include <harness/net/features.hpp>
#include <harness/net/link.hpp>
#include <harness/spec/case.hpp>

#include <cerrno>

namespace devmap::cases {
namespace {

const std::string kArray = "kernel/bpf/devmap.c:dev_map_delete_elem";
const std::string kHash = "kernel/bpf/devmap.c:dev_map_hash_delete_elem";
const std::string kSyscall = "kernel/bpf/syscall.c:map_delete_elem";

Documentation vague_return_value() {
  return {.where = "Documentation/bpf/map_devmap.rst",
          .statement = "bpf_map_delete_elem returns 0 on success, or a negative error",
          .agrees = false};
}

/// A program that calls bpf_map_delete_elem.
Reply<Program> load_deleting_program(Case& c, const Map& map) {
  constexpr std::int16_t kKeyOffset = -4;
  Assembler assembler;
  assembler.store(Width::word, Register::r10, kKeyOffset, 0)
      .move(Register::r2, Register::r10)
      .compute(Arithmetic::add, Register::r2, kKeyOffset)
      .load_map(Register::r1, map)
      .call(BPF_FUNC_map_delete_elem)
      .return_value(XDP_PASS);
  return Program::load({}, c.must(assembler.build()));
}

void add_errno_rules(Registry& rules) {
  rules.add({
      .id = "delete.flags-are-refused",
      .states = "Deleting has no flags: a word other than 0 in their place fails with EINVAL.",
      .refuses = {EINVAL},
      .source = {kSyscall},
      .catalogue = {"DELETE-07"},
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            for (const std::uint64_t flags : {1ULL, 2ULL, 4ULL, 1ULL << 32}) {
              c.must(map.update(kPresent, {.ifindex = kLoopback}));
              c.refuses(map.erase(kPresent, flags), EINVAL).control(map.erase(kPresent));
            }
          },
  });

  rules.add({
      .id = "delete.unreadable-key-is-efault",
      .states = "Deleting a key that cannot be read fails with EFAULT.",
      .refuses = {EFAULT},
      .source = {kSyscall},
      .check =
          [](Case& c) {
            const auto map = map_with_entry(c);
            c.refuses(map.erase_raw(nullptr), EFAULT).control(map.erase_raw(&kPresent));
          },
  });

  rules.add({
      .id = "delete.empty-slot-succeeds",
      .states = "Deleting from an empty slot of a DEVMAP succeeds, however often.",
      .source = {kArray},
      .catalogue = {"DELETE-01"},
      .documentation = {vague_return_value()},
      .variants = devmap_only(),
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            c.succeeds(map.erase(0));
            c.succeeds(map.erase(0));
            c.succeeds(map.erase(kEntries - 1));
          },
  });

  rules.add({
      .id = "delete.out-of-range-key-is-einval",
      .states = "Deleting a key that is out of range of a DEVMAP fails with EINVAL.",
      .refuses = {EINVAL},
      .source = {kArray},
      .catalogue = {"DELETE-02"},
      .documentation = {vague_return_value()},
      .variants = devmap_only(),
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            for (const std::uint32_t key : {kEntries, kEntries + 1, UINT32_MAX}) {
              c.refuses(map.erase(key), EINVAL).control(map.erase(kEntries - 1));
            }
          },
  });

  rules.add({
      .id = "delete.missing-key-is-enoent",
      .states = "Deleting a key that a DEVMAP_HASH does not have fails with ENOENT, also one that was just deleted.",
      .refuses = {ENOENT},
      .since = {.major = 5, .minor = 4},
      .source = {kHash},
      .catalogue = {"DELETE-03"},
      .documentation = {vague_return_value()},
      .variants = devmap_hash_only(),
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            const auto delete_once_inserted = [&](std::uint32_t key) {
              c.must(map.update(key, {.ifindex = kLoopback}));
              return map.erase(key);
            };
            c.note("the controls delete the same key after it was inserted");
            for (const std::uint32_t key : {0U, kEntries, UINT32_MAX}) {
              c.refuses(map.erase(key), ENOENT).control(delete_once_inserted(key));
              c.refuses(map.erase(key), ENOENT).control(delete_once_inserted(key));
            }
          },
  });

  rules.add({
      .id = "delete.one-bad-key-has-four-outcomes",
      .states = "The same key out of range of a DEVMAP is E2BIG to update, ENOENT to look up, EINVAL to delete, and "
                "followed by key 0.",
      .refuses = {E2BIG, ENOENT, EINVAL},
      .source = {kArray, "kernel/bpf/devmap.c:__dev_map_update_elem", "kernel/bpf/devmap.c:__dev_map_lookup_elem",
                 "kernel/bpf/devmap.c:dev_map_get_next_key"},
      .catalogue = {"DELETE-04"},
      .variants = devmap_only(),
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            constexpr std::uint32_t kOutside = kEntries;
            constexpr std::uint32_t kInside = kEntries - 1;
            c.refuses(map.update(kOutside, {.ifindex = kLoopback}), E2BIG)
                .control(map.update(kInside, {.ifindex = kLoopback}));
            c.refuses(map.lookup(kOutside), ENOENT).control(map.lookup(kInside));
            c.refuses(map.erase(kOutside), EINVAL).control(map.erase(kInside));
            c.equals("the key after it", c.succeeds(map.next_key(kOutside)), 0U);
          },
  });

  rules.add({
      .id = "delete.from-a-program-is-eacces",
      .states = "The verifier refuses a program that calls bpf_map_delete_elem on a device map with EACCES.",
      .refuses = {EACCES},
      .since = {.major = 5, .minor = 3},
      .source = {"kernel/bpf/verifier.c:record_func_map"},
      .commits = {"0cdbb4b09a06"},
      .catalogue = {"DELETE-06"},
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            auto other = DevMap::attributes({.value_size = c.value_size()});
            other.type = BPF_MAP_TYPE_HASH;
            const auto hash = c.must(Map::create(other));
            c.note("the control is the same program with a map of type hash");
            c.refuses(load_deleting_program(c, map), EACCES, "write into map forbidden")
                .control(load_deleting_program(c, hash));
          },
  });
}

void add_effect_rules(Registry& rules) {
  rules.add({
      .id = "delete.ends-lookups",
      .states = "A lookup after the deletion of a key does not find it.",
      .refuses = {ENOENT},
      .source = {kArray, kHash},
      .catalogue = {"DELETE-05"},
      .check =
          [](Case& c) {
            const auto map = map_with_entry(c);
            const auto look_up_once_inserted = [&] {
              c.must(map.update(kPresent, {.ifindex = kLoopback}));
              return map.lookup(kPresent);
            };
            c.succeeds(map.erase(kPresent));
            c.note("the control looks it up after it was inserted again");
            c.refuses(map.lookup(kPresent), ENOENT).control(look_up_once_inserted());
          },
  });

  rules.add({
      .id = "delete.ends-redirects",
      .states = "A redirect after the deletion of a key misses it and gives the fallback action.",
      .source = {kArray, kHash},
      .catalogue = {"DELETE-05"},
      .check =
          [](Case& c) {
            const auto map = map_with_entry(c);
            const auto program = redirecting_program(c, map, kPresent, XDP_DROP);
            c.equals("bpf_redirect_map before the deletion", returned_by(c, program), XDP_REDIRECT);
            c.succeeds(map.erase(kPresent));
            c.equals("bpf_redirect_map after the deletion", returned_by(c, program), XDP_DROP);
          },
  });

  rules.add({
      .id = "delete.leaves-other-keys",
      .states = "Deleting a key leaves all others, also those in the same hash bucket.",
      .source = {kArray, kHash},
      .check =
          [](Case& c) {
            const bool hashed = c.type() == DevMapType::devmap_hash;
            // All in the bucket of key 0 of a hash with as many buckets as entries.
            const std::vector<std::uint32_t> keys =
                hashed ? std::vector{0U, kEntries, 2 * kEntries} : std::vector{0U, 1U, 2U};
            for (const auto deleted : keys) {
              const auto map = c.devmap(kEntries);
              for (const auto key : keys) c.must(map.update(key, {.ifindex = kLoopback}));
              c.succeeds(map.erase(deleted));
              for (const auto key : keys) {
                c.equals(fmt::format("key {} is there after the deletion of key {}", key, deleted),
                         static_cast<bool>(map.lookup(key)), key != deleted);
              }
            }
          },
  });

  rules.add({
      .id = "delete.releases-the-program",
      .states = "Deleting an element gives up its program, which goes a little later where nothing else holds it.",
      .since = {.major = 5, .minor = 8},
      .source = {"kernel/bpf/devmap.c:__dev_map_entry_free"},
      .catalogue = {"DELETE-08"},
      .variants = any_map(8),
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            auto egress = c.egress_program();
            const auto id = c.must(egress.info()).id;
            c.must(map.update(kPresent, {.ifindex = kLoopback, .program_fd = egress.fd()}));
            egress.close();
            c.succeeds(program_held(id));
            c.succeeds(map.erase(kPresent));
            program_goes(c, id);
          },
  });

  rules.add({
      .id = "delete.releases-the-device",
      .states = "A device whose element was deleted can be removed: the map holds it no longer.",
      .source = {"kernel/bpf/devmap.c:__dev_map_entry_free"},
      .catalogue = {"DELETE-08"},
      .variants = any_map(4),
      .needs = {features::veth()},
      .check =
          [](Case& c) {
            const auto pair = c.must(create_veth({.up = false}));
            const auto map = c.devmap(kEntries);
            c.must(map.update(kPresent, {.ifindex = pair.first}));
            c.succeeds(map.erase(kPresent));
            // The kernel waits here for whoever still holds the device.
            const auto removed = delete_link(pair.first);
            c.holds("the device can be removed", removed.has_value(), removed ? "" : removed.error().text());
          },
  });
}

}  // namespace

void add_delete_chapter(Registry& rules) {
  rules.chapter("delete", "Element delete");
  add_errno_rules(rules);
  add_effect_rules(rules);
}

}  // namespace devmap::cases
