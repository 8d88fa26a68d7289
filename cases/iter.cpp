#include <cases/chapters.hpp>
#include <harness/bpf/features.hpp>
#include <harness/bpf/map_iteration.hpp>
#include <harness/net/link.hpp>
#include <harness/spec/case.hpp>

#include <algorithm>
#include <bit>
#include <cerrno>

namespace devmap::cases {
namespace {

using Keys = std::vector<std::uint32_t>;

constexpr std::uint32_t kEntries = 4;
const std::string kArrayNext = "kernel/bpf/devmap.c:dev_map_get_next_key";
const std::string kHashNext = "kernel/bpf/devmap.c:dev_map_hash_get_next_key";
const std::string kSyscallNext = "kernel/bpf/syscall.c:map_get_next_key";

Documentation next_key_page(const char* statement) {
  return {.where = "include/uapi/linux/bpf.h, BPF_MAP_GET_NEXT_KEY", .statement = statement, .agrees = false};
}

DevMap map_with(Case& c, const Keys& keys, std::uint32_t max_entries = kEntries) {
  auto map = c.devmap(max_entries);
  for (const auto key : keys) c.must(map.update(key, {.ifindex = kLoopback}));
  return map;
}

/// The keys of a walk from the first to the last, at most `limit` of them; `visit` is called with each of them before
/// the next one is asked for.
template <class Visit>
Keys walk(Case& c, const DevMap& map, std::size_t limit, Visit visit) {
  Keys keys;
  auto next = map.next_key(std::nullopt);
  while (next && keys.size() < limit) {
    keys.push_back(next.value());
    visit(next.value());
    next = map.next_key(next.value());
  }
  if (!next && next.error() != ENOENT) c.succeeds(std::move(next));
  return keys;
}

Keys walk(Case& c, const DevMap& map) {
  constexpr std::size_t kLimit = 32;
  return walk(c, map, kLimit, [](std::uint32_t) {});
}

void add_array_rules(Registry& rules) {
  rules.add({
      .id = "iter.flags-are-refused",
      .states = "Asking for the next key has no flags: a word other than 0 in their place fails with EINVAL.",
      .refuses = {EINVAL},
      .source = {kSyscallNext},
      .check =
          [](Case& c) {
            const auto map = map_with(c, {0});
            std::uint32_t next = 0;
            for (const std::uint64_t flags : {1ULL, 4ULL, 1ULL << 32}) {
              c.refuses(map.next_key_raw(nullptr, &next, flags), EINVAL).control(map.next_key_raw(nullptr, &next));
            }
          },
  });

  rules.add({
      .id = "iter.unreadable-key-is-efault",
      .states = "Asking for the key after one that cannot be read fails with EFAULT; NULL alone means the first key.",
      .refuses = {EFAULT},
      .source = {kSyscallNext},
      .check =
          [](Case& c) {
            const auto map = map_with(c, {0, 1});
            const auto* const unmapped = std::bit_cast<const void*>(std::uintptr_t{1});
            std::uint32_t next = 0;
            c.refuses(map.next_key_raw(unmapped, &next), EFAULT).control(map.next_key_raw(nullptr, &next));
          },
  });

  rules.add({
      .id = "iter.array-walk-is-over-all-indices",
      .states = "A walk over a DEVMAP gives every index from 0 to max_entries - 1, whether it has an element or not.",
      .source = {kArrayNext},
      .catalogue = {"ITER-01"},
      .documentation = {next_key_page("zero and the first key where the key is not found")},
      .variants = devmap_only(),
      .check =
          [](Case& c) {
            const Keys all{0, 1, 2, 3};
            c.equals("the keys of an empty map", walk(c, map_with(c, {})), all);
            c.equals("the keys of a map with an element under key 2", walk(c, map_with(c, {2})), all);
            c.equals("the keys of a full map", walk(c, map_with(c, all)), all);
          },
  });

  rules.add({
      .id = "iter.array-walk-ends-with-the-last-index",
      .states = "No key follows the last index of a DEVMAP: ENOENT.",
      .refuses = {ENOENT},
      .source = {kArrayNext},
      .catalogue = {"ITER-01"},
      .variants = devmap_only(),
      .check =
          [](Case& c) {
            const auto map = map_with(c, {});
            c.refuses(map.next_key(kEntries - 1), ENOENT).control(map.next_key(kEntries - 2));
          },
  });

  rules.add({
      .id = "iter.out-of-range-key-restarts",
      .states = "Key 0 follows a key that is out of range of a DEVMAP.",
      .source = {kArrayNext},
      .catalogue = {"ITER-02"},
      .documentation = {{.where = "include/uapi/linux/bpf.h, BPF_MAP_GET_NEXT_KEY",
                         .statement = "zero and the first key where the key is not found"}},
      .variants = devmap_only(),
      .check =
          [](Case& c) {
            const auto map = map_with(c, {});
            for (const std::uint32_t key : {kEntries, kEntries + 1, UINT32_MAX - 1, UINT32_MAX}) {
              c.equals(fmt::format("the key after {}", key), c.succeeds(map.next_key(key)), 0U);
            }
          },
  });
}

void add_hash_rules(Registry& rules) {
  rules.add({
      .id = "iter.empty-hash-has-no-first-key",
      .states = "An empty DEVMAP_HASH has no first key: ENOENT.",
      .refuses = {ENOENT},
      .source = {kHashNext},
      .catalogue = {"ITER-03"},
      .variants = devmap_hash_only(),
      .check =
          [](Case& c) {
            const auto map = map_with(c, {});
            const auto first_once_inserted = [&] {
              c.must(map.update(0, {.ifindex = kLoopback}));
              return map.next_key(std::nullopt);
            };
            c.note("the control asks after an element was inserted");
            c.refuses(map.next_key(std::nullopt), ENOENT).control(first_once_inserted());
          },
  });

  rules.add({
      .id = "iter.empty-hash-has-no-next-key",
      .states = "In an empty DEVMAP_HASH no key follows any other: ENOENT.",
      .refuses = {ENOENT},
      .source = {kHashNext},
      .catalogue = {"ITER-04"},
      .documentation = {next_key_page("zero and the first key where the key is not found")},
      .variants = devmap_hash_only(),
      .check =
          [](Case& c) {
            const auto map = map_with(c, {});
            const auto next_once_inserted = [&](std::uint32_t key) {
              c.must(map.update(0, {.ifindex = kLoopback}));
              auto next = map.next_key(key);
              c.must(map.erase(0));
              return next;
            };
            c.note("the controls ask after an element was inserted under key 0");
            for (const std::uint32_t key : {1U, 12345U}) {
              c.refuses(map.next_key(key), ENOENT).control(next_once_inserted(key));
            }
          },
  });

  rules.add({
      .id = "iter.unknown-key-restarts",
      .states = "The first key follows a key that a DEVMAP_HASH does not have.",
      .source = {kHashNext},
      .catalogue = {"ITER-04"},
      .documentation = {{.where = "include/uapi/linux/bpf.h, BPF_MAP_GET_NEXT_KEY",
                         .statement = "zero and the first key where the key is not found"}},
      .variants = devmap_hash_only(),
      .check =
          [](Case& c) {
            const auto map = map_with(c, {1, 2, 3});
            const auto first = c.must(map.next_key(std::nullopt));
            for (const std::uint32_t key : {0U, 5U, 12345U, UINT32_MAX}) {
              c.equals(fmt::format("the key after {}", key), c.succeeds(map.next_key(key)), first);
            }
          },
  });

  rules.add({
      .id = "iter.deleted-key-restarts",
      .states = "The first key follows a key of a DEVMAP_HASH that was deleted during the walk.",
      .source = {kHashNext},
      .catalogue = {"ITER-04"},
      .variants = devmap_hash_only(),
      .check =
          [](Case& c) {
            const auto map = map_with(c, {1, 2, 3});
            const auto first = c.must(map.next_key(std::nullopt));
            const auto second = c.must(map.next_key(first));
            c.must(map.erase(second));
            c.equals("the key after the deleted one", c.succeeds(map.next_key(second)), first);
          },
  });

  rules.add({
      .id = "iter.hash-walk-gives-each-key-once",
      .states = "A walk over a DEVMAP_HASH that nobody changes gives every key once and no other, and then ENOENT.",
      .refuses = {ENOENT},
      .source = {kHashNext},
      .variants = devmap_hash_only(),
      .check =
          [](Case& c) {
            const Keys keys{0, 3, 4, 0x80000000, UINT32_MAX};
            const auto map = map_with(c, keys, 8);
            auto walked = walk(c, map);
            const auto last = walked.back();
            std::ranges::sort(walked);
            c.equals("the keys of the walk, sorted", walked, keys);
            c.refuses(map.next_key(last), ENOENT).control(map.next_key(std::nullopt));
          },
  });

  rules.add({
      .id = "iter.hash-walk-is-bucket-by-bucket",
      .states = "A walk over a DEVMAP_HASH goes by the key modulo the number of buckets, which is max_entries rounded "
                "up to a power of two.",
      .source = {"kernel/bpf/devmap.c:dev_map_index_hash", kHashNext},
      .catalogue = {"ITER-05"},
      .documentation = {{.where = "Documentation/bpf/map_devmap.rst",
                         .statement = "a hash of the key is computed, which costs time",
                         .agrees = false}},
      .variants = devmap_hash_only(),
      .check =
          [](Case& c) {
            // Five entries make eight buckets.
            constexpr std::uint32_t kFive = 5;
            c.equals("the keys of a walk", walk(c, map_with(c, {23, 6, 9, 5, 16}, kFive)), Keys({16, 9, 5, 6, 23}));
          },
  });

  rules.add({
      .id = "iter.hash-walk-is-newest-first-in-a-bucket",
      .states = "A walk over a DEVMAP_HASH gives the keys of one bucket in the order of their last writing, newest "
                "first.",
      .source = {"kernel/bpf/devmap.c:__dev_map_hash_update_elem", kHashNext},
      .catalogue = {"ITER-05", "ITER-06"},
      .variants = devmap_hash_only(),
      .check =
          [](Case& c) {
            const auto map = map_with(c, {0, 4, 8, 1});
            c.equals("the keys of a walk", walk(c, map), Keys({8, 4, 0, 1}));
            c.must(map.update(4, {.ifindex = kLoopback}));
            c.equals("the keys of a walk after key 4 was written again", walk(c, map), Keys({4, 8, 0, 1}));
          },
  });

  rules.add({
      .id = "iter.rewriting-walk-of-one-bucket-never-ends",
      .states = "A walk over a DEVMAP_HASH that writes each key again before it asks for the next goes back and forth "
                "between the two newest keys of a bucket for ever.",
      .source = {"kernel/bpf/devmap.c:__dev_map_hash_update_elem"},
      .catalogue = {"ITER-06"},
      .variants = devmap_hash_only(),
      .check =
          [](Case& c) {
            constexpr std::size_t kSteps = 8;
            const auto map = map_with(c, {0, 4, 8});
            const auto keys =
                walk(c, map, kSteps, [&](std::uint32_t key) { c.must(map.update(key, {.ifindex = kLoopback})); });
            c.equals("the first keys of the walk", keys, Keys({8, 4, 8, 4, 8, 4, 8, 4}));
          },
  });

  rules.add({
      .id = "iter.deleting-walk-empties-the-hash",
      .states = "A walk over a DEVMAP_HASH that deletes each key before it asks for the next gives every key once, and "
                "leaves the map empty.",
      .source = {kHashNext},
      .catalogue = {"ITER-07"},
      .variants = devmap_hash_only(),
      .check =
          [](Case& c) {
            constexpr std::size_t kLimit = 32;
            const Keys keys{0, 1, 4, 5, 8, 9, 12345};
            const auto map = map_with(c, keys, 8);
            auto walked = walk(c, map, kLimit, [&](std::uint32_t key) { c.must(map.erase(key)); });
            std::ranges::sort(walked);
            c.equals("the keys of the walk, sorted", walked, keys);
            c.equals("the keys left", walk(c, map), Keys());
          },
  });
}

void add_address_rules(Registry& rules) {
  rules.add({
      .id = "iter.unwritable-next-key-is-efault",
      .states = "Asking for a key that there is, with a buffer that cannot be written, fails with EFAULT.",
      .refuses = {EFAULT},
      .source = {kSyscallNext},
      .catalogue = {"ITER-12"},
      .check =
          [](Case& c) {
            const auto map = map_with(c, {0, 1});
            std::uint32_t next = 0;
            c.refuses(map.next_key_raw(nullptr, nullptr), EFAULT).control(map.next_key_raw(nullptr, &next));
            const auto first = next;
            c.refuses(map.next_key_raw(&first, nullptr), EFAULT).control(map.next_key_raw(&first, &next));
          },
  });

  rules.add({
      .id = "iter.end-wins-over-bad-buffer-address",
      .states = "Asking for a key that there is not fails with ENOENT whatever the buffer.",
      .refuses = {ENOENT},
      .source = {kSyscallNext},
      .catalogue = {"ITER-12"},
      .check =
          [](Case& c) {
            const auto map = map_with(c, {kEntries - 1});
            constexpr std::uint32_t kLast = kEntries - 1;
            std::uint32_t next = 0;
            c.refuses(map.next_key_raw(&kLast, nullptr), ENOENT).control(map.next_key_raw(nullptr, &next));
          },
  });
}

/// A hash map like the variant's device map, which has what device maps lack.
Map hash_like(Case& c, std::uint32_t entries = kEntries) {
  auto spec = DevMap::attributes({.value_size = c.value_size(), .max_entries = entries});
  spec.type = BPF_MAP_TYPE_HASH;
  // The same seed each time, so that the same buckets are filled each time.
  spec.map_flags = BPF_F_ZERO_SEED;
  return c.must(Map::create(spec));
}

/// A batch command for this many elements; `count` is written back.
Reply<> batch(const Map& map, bpf_cmd command, std::uint32_t& count) {
  Keys keys(count);
  for (std::uint32_t i = 0; i < count; ++i) keys[i] = i;
  std::vector<std::uint64_t> values(count);
  std::uint64_t position = 0;
  Map::BatchSpec spec{.out_batch = &position, .keys = keys.data(), .values = values.data(), .count = count};
  auto reply = map.batch(command, spec);
  count = spec.count;
  return reply;
}

void add_batch_rule(Registry& rules) {
  rules.add({
      .id = "iter.batch-commands-are-enotsupp",
      .states = "The four batch commands are not supported: they fail with ENOTSUPP (524), also for no elements, and "
                "leave the count alone.",
      .refuses = {kErrnoNotsupp},
      .since = {.major = 5, .minor = 6},
      .source = {"kernel/bpf/syscall.c:bpf_map_do_batch"},
      .catalogue = {"ITER-08"},
      .check =
          [](Case& c) {
            // Fewer than the hash has, so that a batch of it does not meet the end of the map, which is ENOENT.
            constexpr std::uint32_t kSome = 16;
            constexpr std::uint32_t kMany = 64;
            const auto map = map_with(c, {0, 1}, kMany);
            c.note("the controls are the same commands on a map of type hash");
            for (const auto command :
                 {BPF_MAP_LOOKUP_BATCH, BPF_MAP_LOOKUP_AND_DELETE_BATCH, BPF_MAP_UPDATE_BATCH, BPF_MAP_DELETE_BATCH}) {
              const auto hash = hash_like(c, kMany);
              for (std::uint32_t key = 0; key < kMany; ++key) c.must(hash.update(key, std::uint64_t{0}));
              for (const std::uint32_t asked : {0U, kSome}) {
                std::uint32_t count = asked;
                std::uint32_t hash_count = asked;
                c.refuses(batch(map, command, count), kErrnoNotsupp).control(batch(hash, command, hash_count));
                c.equals("the count afterwards", count, asked);
              }
            }
          },
  });
}

void add_program_rules(Registry& rules) {
  rules.add({
      .id = "iter.element-iterator-cannot-attach",
      .states =
          "An iterator program over the elements of a map (iter/bpf_map_elem) cannot be attached to a device map: "
          "EINVAL.",
      .refuses = {EINVAL},
      .since = {.major = 5, .minor = 9},
      .source = {"kernel/bpf/map_iter.c:bpf_iter_attach_map"},
      .catalogue = {"ITER-09"},
      .variants = any_map(4),
      .needs = {features::kernel_btf(), features::element_iterators()},
      .check =
          [](Case& c) {
            const auto map = map_with(c, {0});
            const auto hash = hash_like(c);
            const auto iterator = c.must(ElementIterator::load());
            c.note("the control is a map of type hash");
            c.refuses(iterator.attach(map), EINVAL).control(iterator.attach(hash));
          },
  });

  rules.add({
      .id = "iter.for-each-helper-is-enotsupp",
      .states = "The verifier refuses a program that calls bpf_for_each_map_elem on a device map with ENOTSUPP (524).",
      .refuses = {kErrnoNotsupp},
      .since = {.major = 5, .minor = 13},
      .source = {"kernel/bpf/verifier.c:set_map_elem_callback_state"},
      .catalogue = {"ITER-10"},
      .needs = {features::callbacks()},
      .check =
          [](Case& c) {
            const auto map = map_with(c, {0});
            const auto hash = hash_like(c);
            c.note("the control is the same program with a map of type hash");
            c.refuses(load_for_each_element(map), kErrnoNotsupp, "callback function not allowed for map")
                .control(load_for_each_element(hash));
          },
  });

  rules.add({
      .id = "iter.map-iterator-lists-the-map",
      .states = "The iterator over all maps (iter/bpf_map) comes by a device map once, and sees what its info says.",
      .since = {.major = 5, .minor = 8},
      .source = {"kernel/bpf/map_iter.c:bpf_map_seq_show"},
      .catalogue = {"ITER-11"},
      .variants = any_map(4),
      .needs = {features::kernel_btf(), features::map_iterators()},
      .check =
          [](Case& c) {
            constexpr std::uint32_t kOdd = 5;
            const auto map = c.must(DevMap::create(
                {.type = c.type(), .value_size = c.value_size(), .max_entries = kOdd, .name = "listed"}));
            const auto info = c.must(map.info());
            const auto listed = c.succeeds(list_map(info.id));
            c.equals("times the walk comes by", listed.times_found, 1U);
            c.equals("type", listed.type, info.type);
            c.equals("key_size", listed.key_size, info.key_size);
            c.equals("value_size", listed.value_size, info.value_size);
            c.equals("max_entries", listed.max_entries, info.max_entries);
            c.equals("map_flags", listed.map_flags, info.map_flags);
            c.equals("name", listed.name, info.name);
          },
  });
}

}  // namespace

void add_iter_chapter(Registry& rules) {
  rules.chapter("iter", "Iteration");
  add_array_rules(rules);
  add_hash_rules(rules);
  add_address_rules(rules);
  add_batch_rule(rules);
  add_program_rules(rules);
}

}  // namespace devmap::cases
