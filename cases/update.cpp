#include <cases/chapters.hpp>
#include <cases/support.hpp>
#include <harness/net/features.hpp>
#include <harness/net/link.hpp>
#include <harness/spec/case.hpp>

#include <cerrno>
#include <functional>

// What an update by system call does with flags, keys and devices; programs are in update_programs.cpp, namespaces,
// memory and rights in update_context.cpp. A new namespace
// has one device, lo, which is down and cannot transmit XDP frames: good enough for any entry.
namespace devmap::cases {
namespace {

const std::string kArrayUpdate = "kernel/bpf/devmap.c:__dev_map_update_elem";
const std::string kHashUpdate = "kernel/bpf/devmap.c:__dev_map_hash_update_elem";
const std::string kAllocNode = "kernel/bpf/devmap.c:__dev_map_alloc_node";
const std::string kSyscall = "kernel/bpf/syscall.c:map_update_elem";
const std::string kMapDoc = "Documentation/bpf/map_devmap.rst";
const std::string kUapi = "include/uapi/linux/bpf.h";
constexpr std::uint32_t kNoDevice = 99999;
constexpr std::uint64_t kBadFlags = BPF_NOEXIST | BPF_EXIST;
constexpr Target kLo{.ifindex = kLoopback};
constexpr Element kLoElement{.ifindex = kLoopback};

/// A map of two entries, both taken: kPresent is one of them.
DevMap full_map(Case& c) {
  auto map = c.devmap(2);
  c.must(map.update(0, kLo));
  c.must(map.update(kPresent, kLo));
  return map;
}

struct Update {
  std::uint32_t key = 0;
  Target target = kLo;
  std::uint64_t flags = BPF_ANY;
};

/// Of two things amiss with an update, which the kernel finds first: each alone is refused with its own errno, and the
/// two together with that of the first.
struct Precedence {
  DevMap (*map)(Case&);
  Update first;
  int first_errno;
  Update second;
  int second_errno;
  Update both;
  Update neither;
};

std::function<void(Case&)> found_in_order(Precedence precedence) {
  return [precedence](Case& c) {
    const auto refused = [&](const Update& update, int code) {
      const auto apply = [](const DevMap& map, const Update& how) {
        return map.update(how.key, how.target, how.flags);
      };
      const auto map = precedence.map(c);
      c.refuses(apply(map, update), code).control(apply(map, precedence.neither));
    };
    refused(precedence.first, precedence.first_errno);
    refused(precedence.second, precedence.second_errno);
    refused(precedence.both, precedence.first_errno);
  };
}

void add_order(Registry& rules) {
  rules.add({
      .id = "update.array-tests-flags-before-key",
      .states = "A DEVMAP update with bad flags and a key out of range is refused for the flags: EINVAL, not E2BIG.",
      .refuses = {EINVAL, E2BIG},
      .source = {kArrayUpdate},
      .catalogue = {"UPDATE-01"},
      .variants = devmap_only(),
      .check = found_in_order({.map = map_with_entry,
                               .first = {.key = kPresent, .flags = kBadFlags},
                               .first_errno = EINVAL,
                               .second = {.key = kEntries},
                               .second_errno = E2BIG,
                               .both = {.key = kEntries, .flags = kBadFlags},
                               .neither = {.key = kPresent}}),
  });
  rules.add({
      .id = "update.array-tests-key-before-noexist",
      .states = "A DEVMAP update with BPF_NOEXIST and a key out of range is refused for the key: E2BIG, not EEXIST.",
      .refuses = {E2BIG, EEXIST},
      .source = {kArrayUpdate},
      .catalogue = {"UPDATE-01"},
      .variants = devmap_only(),
      .check = found_in_order({.map = map_with_entry,
                               .first = {.key = kEntries},
                               .first_errno = E2BIG,
                               .second = {.key = kPresent, .flags = BPF_NOEXIST},
                               .second_errno = EEXIST,
                               .both = {.key = kEntries, .flags = BPF_NOEXIST},
                               .neither = {.key = kPresent}}),
  });
  rules.add({
      .id = "update.array-tests-key-before-device",
      .states =
          "A DEVMAP update with an unknown device and a key out of range is refused for the key: E2BIG, not EINVAL.",
      .refuses = {E2BIG, EINVAL},
      .source = {kArrayUpdate},
      .catalogue = {"UPDATE-01"},
      .variants = devmap_only(),
      .check = found_in_order({.map = map_with_entry,
                               .first = {.key = kEntries},
                               .first_errno = E2BIG,
                               .second = {.key = kPresent, .target = {.ifindex = kNoDevice}},
                               .second_errno = EINVAL,
                               .both = {.key = kEntries, .target = {.ifindex = kNoDevice}},
                               .neither = {.key = kPresent}}),
  });
  rules.add({
      .id = "update.array-tests-noexist-before-device",
      .states = "A DEVMAP update with BPF_NOEXIST and an unknown device is refused for the flag: EEXIST, not EINVAL.",
      .refuses = {EEXIST, EINVAL},
      .source = {kArrayUpdate},
      .catalogue = {"UPDATE-01"},
      .variants = devmap_only(),
      .check = found_in_order({.map = map_with_entry,
                               .first = {.key = kMissing, .flags = BPF_NOEXIST},
                               .first_errno = EEXIST,
                               .second = {.key = kMissing, .target = {.ifindex = kNoDevice}},
                               .second_errno = EINVAL,
                               .both = {.key = kMissing, .target = {.ifindex = kNoDevice}, .flags = BPF_NOEXIST},
                               .neither = {.key = kMissing}}),
  });

  rules.add({
      .id = "update.hash-tests-flags-before-presence",
      .states =
          "A DEVMAP_HASH update of a present key with BPF_NOEXIST and another bit is refused for the flags: EINVAL, "
          "not EEXIST.",
      .refuses = {EINVAL, EEXIST},
      .source = {kHashUpdate},
      .catalogue = {"UPDATE-02"},
      .variants = devmap_hash_only(),
      .check = found_in_order({.map = map_with_entry,
                               .first = {.key = kMissing, .flags = kBadFlags},
                               .first_errno = EINVAL,
                               .second = {.key = kPresent, .flags = BPF_NOEXIST},
                               .second_errno = EEXIST,
                               .both = {.key = kPresent, .flags = kBadFlags},
                               .neither = {.key = kPresent}}),
  });
  rules.add({
      .id = "update.hash-tests-ifindex-zero-before-presence",
      .states =
          "A DEVMAP_HASH update of a present key with BPF_NOEXIST and ifindex 0 is refused for the ifindex: EINVAL, "
          "not EEXIST.",
      .refuses = {EINVAL, EEXIST},
      .source = {kHashUpdate},
      .catalogue = {"UPDATE-02"},
      .variants = devmap_hash_only(),
      .check = found_in_order({.map = map_with_entry,
                               .first = {.key = kPresent, .target = {.ifindex = 0}},
                               .first_errno = EINVAL,
                               .second = {.key = kPresent, .flags = BPF_NOEXIST},
                               .second_errno = EEXIST,
                               .both = {.key = kPresent, .target = {.ifindex = 0}, .flags = BPF_NOEXIST},
                               .neither = {.key = kPresent}}),
  });
  rules.add({
      .id = "update.hash-tests-presence-before-device",
      .states = "A DEVMAP_HASH update of a present key with BPF_NOEXIST and an unknown device is refused for the key: "
                "EEXIST, not EINVAL.",
      .refuses = {EEXIST, EINVAL},
      .source = {kHashUpdate},
      .catalogue = {"UPDATE-02"},
      .variants = devmap_hash_only(),
      .check = found_in_order({.map = map_with_entry,
                               .first = {.key = kPresent, .flags = BPF_NOEXIST},
                               .first_errno = EEXIST,
                               .second = {.key = kPresent, .target = {.ifindex = kNoDevice}},
                               .second_errno = EINVAL,
                               .both = {.key = kPresent, .target = {.ifindex = kNoDevice}, .flags = BPF_NOEXIST},
                               .neither = {.key = kPresent}}),
  });
  rules.add({
      .id = "update.hash-tests-device-before-capacity",
      .states = "A DEVMAP_HASH update of a full map with a new key and an unknown device is refused for the device: "
                "EINVAL, not E2BIG.",
      .refuses = {EINVAL, E2BIG},
      .source = {kHashUpdate},
      .catalogue = {"UPDATE-02"},
      .variants = devmap_hash_only(),
      .check = found_in_order({.map = full_map,
                               .first = {.key = kPresent, .target = {.ifindex = kNoDevice}},
                               .first_errno = EINVAL,
                               .second = {.key = kMissing},
                               .second_errno = E2BIG,
                               .both = {.key = kMissing, .target = {.ifindex = kNoDevice}},
                               .neither = {.key = kPresent}}),
  });
}

void add_flags(Registry& rules) {
  rules.add({
      .id = "update.other-flags-are-einval",
      .states =
          "Update flags other than BPF_ANY, BPF_NOEXIST and BPF_EXIST, alone or in whatever combination, are refused "
          "with EINVAL.",
      .refuses = {EINVAL},
      .source = {kArrayUpdate, kHashUpdate, kSyscall},
      .catalogue = {"UPDATE-03"},
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            const auto refused = [&](std::uint64_t flags) {
              c.refuses(map.update(kPresent, kLo, flags), EINVAL).control(map.update(kPresent, kLo, BPF_ANY));
            };
            for (const std::uint64_t flags : {kBadFlags, std::uint64_t{BPF_F_LOCK | BPF_NOEXIST},
                                              std::uint64_t{BPF_F_LOCK | BPF_EXIST}, UINT64_MAX}) {
              refused(flags);
            }
            for (unsigned bit = 2; bit < 64; ++bit) refused(std::uint64_t{1} << bit);
          },
  });

  rules.add({
      .id = "update.noexist-on-array-is-eexist",
      .states =
          "BPF_NOEXIST is refused with EEXIST on every slot of a DEVMAP, also on one that is empty, which stays so.",
      .refuses = {EEXIST},
      .source = {kArrayUpdate},
      .catalogue = {"UPDATE-04"},
      .documentation = {{.where = kMapDoc,
                         .statement = "BPF_NOEXIST will create a new element only if it did not exist",
                         .agrees = false},
                        {.where = kUapi,
                         .statement =
                             "EEXIST: If flags specifies BPF_NOEXIST and the element with key already exists in "
                             "the map",
                         .agrees = false}},
      .variants = devmap_only(),
      .check =
          [](Case& c) {
            const auto map = map_with_entry(c);
            for (const std::uint32_t ifindex : {kLoopback, 0U}) {
              const Target target{.ifindex = ifindex};
              auto of_missing = c.refuses(map.update(kMissing, target, BPF_NOEXIST), EEXIST);
              has(c, map, kMissing, std::nullopt);
              std::move(of_missing).control(map.update(kMissing, target, BPF_ANY));
              c.must(map.erase(kMissing));

              auto of_present = c.refuses(map.update(kPresent, target, BPF_NOEXIST), EEXIST);
              has(c, map, kPresent, kLoElement);
              std::move(of_present).control(map.update(kPresent, target, BPF_ANY));
            }
          },
  });

  const auto inserts_missing = [](std::uint64_t flags) {
    return [flags](Case& c) {
      const auto map = map_with_entry(c);
      has(c, map, kMissing, std::nullopt);
      c.succeeds(map.update(kMissing, kLo, flags));
      has(c, map, kMissing, kLoElement);
    };
  };
  const Documentation exist_is_enforced = {
      .where = kUapi,
      .statement = "ENOENT: If flags specifies BPF_EXIST and the element with key does not exist in the map",
      .agrees = false};
  const Documentation exist_updates = {
      .where = kMapDoc, .statement = "BPF_EXIST will update an existing element", .agrees = false};
  rules.add({
      .id = "update.exist-fills-empty-array-slot",
      .states = "BPF_EXIST is not enforced by DEVMAP: it fills an empty slot.",
      .source = {kArrayUpdate},
      .catalogue = {"UPDATE-05"},
      .documentation = {exist_updates, exist_is_enforced},
      .variants = devmap_only(),
      .check = inserts_missing(BPF_EXIST),
  });
  rules.add({
      .id = "update.exist-inserts-missing-hash-key",
      .states = "BPF_EXIST is not enforced by DEVMAP_HASH, unlike by other hash maps: it inserts a missing key.",
      .source = {kHashUpdate},
      .catalogue = {"UPDATE-07"},
      .documentation = {exist_updates, exist_is_enforced},
      .variants = devmap_hash_only(),
      .check = inserts_missing(BPF_EXIST),
  });
  rules.add({
      .id = "update.exist-replaces-a-present-entry",
      .states = "BPF_EXIST replaces an entry that is there.",
      .source = {kArrayUpdate, kHashUpdate},
      .documentation = {{.where = kMapDoc, .statement = "BPF_EXIST will update an existing element"}},
      .check =
          [](Case& c) {
            const auto map = map_with_entry(c);
            c.succeeds(map.update(kPresent, kLo, BPF_EXIST));
            has(c, map, kPresent, kLoElement);
          },
  });
  rules.add({
      .id = "update.noexist-inserts-missing-hash-key",
      .states = "BPF_NOEXIST inserts a key that a DEVMAP_HASH does not have.",
      .source = {kHashUpdate},
      .catalogue = {"UPDATE-06"},
      .documentation = {{.where = kMapDoc,
                         .statement = "BPF_NOEXIST will create a new element only if it did not exist"}},
      .variants = devmap_hash_only(),
      .check = inserts_missing(BPF_NOEXIST),
  });
  rules.add({
      .id = "update.noexist-on-present-hash-key-is-eexist",
      .states = "BPF_NOEXIST on a key that a DEVMAP_HASH has is refused with EEXIST, and leaves its entry as it was.",
      .refuses = {EEXIST},
      .source = {kHashUpdate},
      .catalogue = {"UPDATE-06"},
      .documentation = {{.where = kMapDoc,
                         .statement = "BPF_NOEXIST will create a new element only if it did not exist"}},
      .variants = devmap_hash_only(),
      .check =
          [](Case& c) {
            const auto map = map_with_entry(c);
            auto refusal = c.refuses(map.update(kPresent, kLo, BPF_NOEXIST), EEXIST);
            has(c, map, kPresent, kLoElement);
            std::move(refusal).control(map.update(kPresent, kLo, BPF_ANY));
          },
  });
}

void add_keys(Registry& rules) {
  rules.add({
      .id = "update.array-key-out-of-range-is-e2big",
      .states = "An update of a DEVMAP with a key of max_entries or more is refused with E2BIG.",
      .refuses = {E2BIG},
      .source = {kArrayUpdate},
      .catalogue = {"UPDATE-08"},
      .documentation = {{.where = kUapi,
                         .statement =
                             "E2BIG: The number of elements in the map reached the max_entries limit specified "
                             "at map creation time.",
                         .agrees = false}},
      .variants = devmap_only(),
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            for (const std::uint32_t key : {kEntries, kEntries + 1, 1U << 31, UINT32_MAX}) {
              c.refuses(map.update(key, kLo), E2BIG).control(map.update(kEntries - 1, kLo));
            }
          },
  });

  rules.add({
      .id = "update.hash-takes-any-key",
      .states = "Every number of 32 bits is a key of a DEVMAP_HASH, whatever its max_entries.",
      .source = {kHashUpdate},
      .catalogue = {"UPDATE-09"},
      .variants = devmap_hash_only(),
      .check =
          [](Case& c) {
            const auto map = c.devmap(1);
            for (const std::uint32_t key : {0U, 1U, 2U, 1U << 31, UINT32_MAX}) {
              c.succeeds(map.update(key, kLo));
              has(c, map, key, kLoElement);
              c.must(map.erase(key));
            }
          },
  });

  rules.add({
      .id = "update.full-hash-takes-replacements",
      .states = "An entry of a full DEVMAP_HASH can be replaced.",
      .source = {kHashUpdate},
      .catalogue = {"UPDATE-10"},
      .variants = devmap_hash_only(),
      .check =
          [](Case& c) {
            const auto map = full_map(c);
            for (const std::uint64_t flags : {BPF_ANY, BPF_EXIST}) {
              c.succeeds(map.update(kPresent, kLo, flags));
              has(c, map, kPresent, kLoElement);
            }
          },
  });
}

void add_capacity(Registry& rules) {
  rules.add({
      .id = "update.new-key-in-full-hash-is-e2big",
      .states =
          "A new key in a full DEVMAP_HASH is refused with E2BIG, whatever the flags, until another key is deleted.",
      .refuses = {E2BIG},
      .source = {kHashUpdate},
      .catalogue = {"UPDATE-10"},
      .documentation = {{.where = kUapi,
                         .statement =
                             "E2BIG: The number of elements in the map reached the max_entries limit specified "
                             "at map creation time."}},
      .variants = devmap_hash_only(),
      .check =
          [](Case& c) {
            for (const std::uint64_t flags : {BPF_ANY, BPF_NOEXIST, BPF_EXIST}) {
              const auto map = full_map(c);
              auto refusal = c.refuses(map.update(kMissing, kLo, flags), E2BIG);
              has(c, map, kMissing, std::nullopt);
              c.must(map.erase(kPresent));
              std::move(refusal).control(map.update(kMissing, kLo, flags));
            }
          },
  });
}

void add_ifindex_zero(Registry& rules) {
  rules.add({
      .id = "update.array-ifindex-zero-clears",
      .states = "An update of a DEVMAP with ifindex 0 removes the entry, and goes well where there is none.",
      .source = {kArrayUpdate},
      .catalogue = {"UPDATE-11"},
      .variants = devmap_only(),
      .check =
          [](Case& c) {
            for (const std::uint64_t flags : {BPF_ANY, BPF_EXIST}) {
              const auto map = map_with_entry(c);
              has(c, map, kPresent, kLoElement);
              c.succeeds(map.update(kPresent, {.ifindex = 0}, flags));
              has(c, map, kPresent, std::nullopt);
              c.succeeds(map.update(kMissing, {.ifindex = 0}, flags));
              has(c, map, kMissing, std::nullopt);
            }
          },
  });

  rules.add({
      .id = "update.array-ifindex-zero-out-of-range-is-e2big",
      .states = "An update of a DEVMAP with ifindex 0 and a key out of range is refused with E2BIG.",
      .refuses = {E2BIG},
      .source = {kArrayUpdate},
      .catalogue = {"UPDATE-11"},
      .variants = devmap_only(),
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            c.refuses(map.update(kEntries, {.ifindex = 0}), E2BIG).control(map.update(kEntries - 1, {.ifindex = 0}));
          },
  });

  rules.add({
      .id = "update.hash-ifindex-zero-is-einval",
      .states =
          "An update of a DEVMAP_HASH with ifindex 0 is refused with EINVAL, whether the key is present or not, and "
          "leaves the entry as it was.",
      .refuses = {EINVAL},
      .source = {kHashUpdate},
      .catalogue = {"UPDATE-13"},
      .variants = devmap_hash_only(),
      .check =
          [](Case& c) {
            const auto map = map_with_entry(c);
            auto of_present = c.refuses(map.update(kPresent, {.ifindex = 0}), EINVAL);
            has(c, map, kPresent, kLoElement);
            std::move(of_present).control(map.update(kPresent, kLo));
            auto of_missing = c.refuses(map.update(kMissing, {.ifindex = 0}), EINVAL);
            has(c, map, kMissing, std::nullopt);
            std::move(of_missing).control(map.update(kMissing, kLo));
          },
  });
}

void add_devices(Registry& rules) {
  rules.add({
      .id = "update.unknown-device-is-einval",
      .states = "An update with an ifindex that no device has is refused with EINVAL, not ENODEV.",
      .refuses = {EINVAL},
      .source = {kAllocNode},
      .catalogue = {"UPDATE-14"},
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            for (const std::uint32_t ifindex : {kNoDevice, std::uint32_t{INT32_MAX}, 1U << 31, UINT32_MAX}) {
              c.refuses(map.update(kPresent, {.ifindex = ifindex}), EINVAL).control(map.update(kPresent, kLo));
            }
          },
  });

  rules.add({
      .id = "update.device-without-xdp-transmission-is-accepted",
      .states = "An update accepts a device that cannot transmit XDP frames, such as lo.",
      .source = {kAllocNode},
      .catalogue = {"UPDATE-15"},
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            c.succeeds(map.update(kPresent, kLo));
            has(c, map, kPresent, kLoElement);
          },
  });

  rules.add({
      .id = "update.device-that-is-down-is-accepted",
      .states = "An update accepts a device that is down.",
      .source = {kAllocNode},
      .catalogue = {"UPDATE-15"},
      .needs = {features::veth()},
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            const auto pair = c.must(create_veth({.up = false}));
            c.succeeds(map.update(kPresent, {.ifindex = pair.first}));
            has(c, map, kPresent, Element{.ifindex = pair.first});
          },
  });

  rules.add({
      .id = "update.device-under-many-keys",
      .states = "A device may be under any number of keys of a map.",
      .source = {kAllocNode},
      .catalogue = {"UPDATE-24"},
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            for (std::uint32_t key = 0; key < kEntries; ++key) c.succeeds(map.update(key, kLo));
            for (std::uint32_t key = 0; key < kEntries; ++key) has(c, map, key, kLoElement);
          },
  });
}

}  // namespace

void add_update_chapter(Registry& rules) {
  rules.chapter("update", "Element update");
  add_update_call(rules);
  add_order(rules);
  add_flags(rules);
  add_keys(rules);
  add_ifindex_zero(rules);
  add_update_context(rules);
  add_devices(rules);
  add_update_programs(rules);
  add_capacity(rules);
}

}  // namespace devmap::cases
