#include <unistd.h>
#include <cases/life.hpp>
#include <harness/base/kernel_word.hpp>
#include <harness/net/link.hpp>
#include <harness/spec/case.hpp>

#include <bit>

namespace devmap::cases {
namespace {

constexpr std::uint32_t kEntries = 4;
const std::string kInfo = "kernel/bpf/syscall.c:bpf_map_get_info_by_fd";
const std::string kMemoryUse = "kernel/bpf/devmap.c:dev_map_mem_usage";
const std::string kUpdate = "kernel/bpf/devmap.c:__dev_map_update_elem";
constexpr KernelVersion kMeasuredMemlockSince{.major = 6, .minor = 4};

/// The memory that the map says it uses, in bytes.
std::uint64_t memlock(Case& c, const Map& map) {
  const auto bytes = c.must(map.fdinfo("memlock"));
  if (!bytes) c.must(Expected<void>(failure("read fdinfo", 0, "there is no line memlock")));
  return *bytes;
}

KnownIssue phantom_elements() {
  return {.reason =
              "an element that is written with ifindex 0 is counted as if it were one: the counter that fdinfo "
              "is made of goes up for every write to an empty slot, and down for deletions alone",
          .since = kMeasuredMemlockSince};
}

void add_info_rules(Registry& rules) {
  rules.add({
      .id = "life.info-has-the-creation-parameters",
      .states = "The info of a map has the type, sizes, max_entries and name that it was created with.",
      .source = {kInfo},
      .catalogue = {"LIFE-01"},
      .check =
          [](Case& c) {
            constexpr std::uint32_t kOdd = 5;  // rounded up to 8 inside a hash
            const auto map = c.must(DevMap::create(
                {.type = c.type(), .value_size = c.value_size(), .max_entries = kOdd, .name = "some_name"}));
            const auto info = c.succeeds(map.info());
            c.equals("type", info.type, static_cast<std::uint32_t>(c.type()));
            c.equals("key_size", info.key_size, 4U);
            c.equals("value_size", info.value_size, c.value_size());
            c.equals("max_entries", info.max_entries, kOdd);
            c.equals("name", info.name, "some_name");
          },
  });

  rules.add({
      .id = "life.info-has-no-device-and-no-types",
      .states = "The info of a map has 0 for its ifindex, type information and extra data, also with elements in it.",
      .source = {kInfo},
      .catalogue = {"LIFE-01"},
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            c.must(map.update(0, {.ifindex = kLoopback}));
            const auto info = c.succeeds(map.info());
            c.equals("ifindex", info.ifindex, 0U);
            c.equals("btf_id", info.btf_id, 0U);
            c.equals("btf_key_type_id", info.btf_key_type_id, 0U);
            c.equals("btf_value_type_id", info.btf_value_type_id, 0U);
            c.equals("btf_vmlinux_value_type_id", info.btf_vmlinux_value_type_id, 0U);
            c.equals("map_extra", info.map_extra, 0U);
          },
  });

  rules.add({
      .id = "life.info-says-read-only-to-programs",
      .states =
          "The map_flags of the info have BPF_F_RDONLY_PROG, which creation does not take, beside BPF_F_NUMA_NODE "
          "where it was given.",
      .since = {.major = 5, .minor = 3},
      .source = {"kernel/bpf/devmap.c:dev_map_init_map", kInfo},
      .catalogue = {"LIFE-01"},
      .check =
          [](Case& c) {
            const auto flags = [&c](std::uint32_t given) {
              return worded(c.succeeds(c.devmap(kEntries, given).info()).map_flags, Notation::map_flags);
            };
            c.equals("map_flags of a map created without flags", flags(0), "BPF_F_RDONLY_PROG");
            c.equals("map_flags of a map created with BPF_F_NUMA_NODE", flags(BPF_F_NUMA_NODE),
                     "BPF_F_NUMA_NODE|BPF_F_RDONLY_PROG");
          },
  });

  rules.add({
      .id = "life.info-hides-the-access-mode",
      .states = "The map_flags of the info do not say that a map was created with BPF_F_RDONLY or BPF_F_WRONLY.",
      .source = {kInfo},
      .catalogue = {"LIFE-01"},
      .check =
          [](Case& c) {
            const auto plain = c.must(c.devmap(kEntries).info()).map_flags;
            for (const std::uint32_t flag : {BPF_F_RDONLY, BPF_F_WRONLY}) {
              const auto flags = c.succeeds(c.devmap(kEntries, flag).info()).map_flags;
              c.equals("map_flags of a map created with " + worded(flag, Notation::map_flags),
                       worded(flags, Notation::map_flags), worded(plain, Notation::map_flags));
            }
          },
  });
}

void add_memlock_rules(Registry& rules) {
  rules.add({
      .id = "life.memlock-has-a-pointer-per-slot",
      .states = "fdinfo's memlock grows by the size of a pointer for each slot of a DEVMAP and each bucket of a "
                "DEVMAP_HASH.",
      .since = kMeasuredMemlockSince,
      .source = {kMemoryUse},
      .commits = {"fa5e83df173b"},
      .catalogue = {"LIFE-02"},
      .check =
          [](Case& c) {
            const bool hashed = c.type() == DevMapType::devmap_hash;
            const auto one = memlock(c, c.devmap(1));
            for (const std::uint32_t entries : {4U, 5U, 100U, 1024U}) {
              const std::uint64_t slots = hashed ? std::bit_ceil(entries) : entries;
              c.equals(fmt::format("bytes that a map of {} has beyond a map of 1", entries),
                       memlock(c, c.devmap(entries)) - one, (slots - 1) * kernel_pointer_size());
            }
          },
  });

  rules.add({
      .id = "life.memlock-counts-elements",
      .states = "fdinfo's memlock grows by the same amount for each element that is inserted, and shrinks by it for "
                "each that is deleted.",
      .since = kMeasuredMemlockSince,
      .source = {kMemoryUse},
      .commits = {"fa5e83df173b"},
      .catalogue = {"LIFE-02"},
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            const auto empty = memlock(c, map);
            c.must(map.update(0, {.ifindex = kLoopback}));
            const auto each = memlock(c, map) - empty;
            c.holds("an element adds to it", each > 0, fmt::format("{} bytes", each));
            c.must(map.update(1, {.ifindex = kLoopback}));
            c.must(map.update(2, {.ifindex = kLoopback}));
            c.equals("bytes with three elements", memlock(c, map), empty + 3 * each);
            c.must(map.erase(1));
            c.equals("bytes after one was deleted", memlock(c, map), empty + 2 * each);
            c.must(map.erase(0));
            c.must(map.erase(2));
            c.equals("bytes after all were deleted", memlock(c, map), empty);
          },
  });

  rules.add({
      .id = "life.memlock-ignores-replacement",
      .states = "fdinfo's memlock stays the same when an element is written over.",
      .source = {kMemoryUse, kUpdate},
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            c.must(map.update(0, {.ifindex = kLoopback}));
            const auto before = memlock(c, map);
            for (int round = 0; round < 3; ++round) c.must(map.update(0, {.ifindex = kLoopback}));
            c.equals("bytes after the element was written three more times", memlock(c, map), before);
          },
  });

  rules.add({
      .id = "life.memlock-is-an-estimate-in-pages",
      .states = "fdinfo's memlock is a whole number of pages, and takes no notice of elements.",
      .until = kMeasuredMemlockSince,
      .source = {"kernel/bpf/syscall.c:bpf_map_memory_footprint"},
      .catalogue = {"LIFE-02"},
      .check =
          [](Case& c) {
            const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
            const auto map = c.devmap(kEntries);
            const auto empty = memlock(c, map);
            c.equals(fmt::format("{} bytes modulo the page size", empty), empty % page, 0U);
            c.must(map.update(0, {.ifindex = kLoopback}));
            c.equals("bytes with an element", memlock(c, map), empty);
          },
  });

  rules.add({
      .id = "life.memlock-ignores-clearing-of-empty-slots",
      .states = "fdinfo's memlock stays the same when ifindex 0 is written to an empty slot of a DEVMAP.",
      .source = {kUpdate},
      .catalogue = {"LIFE-03"},
      .variants = devmap_only(),
      .known = {phantom_elements()},
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            const auto empty = memlock(c, map);
            constexpr int kTimes = 10;
            for (int round = 0; round < kTimes; ++round) c.must(map.update(0, {.ifindex = 0}));
            c.equals(fmt::format("bytes after {} such writes", kTimes), memlock(c, map), empty);
          },
  });

  rules.add({
      .id = "life.memlock-shrinks-when-a-slot-is-cleared",
      .states =
          "fdinfo's memlock shrinks when ifindex 0 is written over an element of a DEVMAP, as when it is deleted.",
      .source = {kUpdate},
      .catalogue = {"LIFE-03"},
      .variants = devmap_only(),
      .known = {phantom_elements()},
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            const auto empty = memlock(c, map);
            c.must(map.update(0, {.ifindex = kLoopback}));
            c.must(map.update(0, {.ifindex = 0}));
            c.equals("bytes after an element was inserted and cleared", memlock(c, map), empty);
          },
  });
}

}  // namespace

void add_life_info_rules(Registry& rules) {
  add_info_rules(rules);
  add_memlock_rules(rules);
}

}  // namespace devmap::cases
