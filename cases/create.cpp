#include <cases/chapters.hpp>
#include <cases/hash_bound.hpp>
#include <harness/bpf/features.hpp>
#include <harness/net/link.hpp>
#include <harness/spec/case.hpp>

#include <cerrno>

// Which attributes BPF_MAP_CREATE takes for device maps: each rule changes one of a map that can be made.
namespace devmap::cases {
namespace {

const std::string kAllocCheck = "kernel/bpf/devmap.c:dev_map_alloc_check";
const std::string kMapCreate = "kernel/bpf/syscall.c:map_create";
constexpr std::uint32_t kEntries = 4;
constexpr std::uint32_t kMostEntries = UINT32_MAX;
constexpr std::uint32_t kMostHashEntries = 1U << 31;
constexpr std::uint32_t kNoSuchNode = INT32_MAX;
constexpr std::uint32_t kAcceptedFlags = BPF_F_NUMA_NODE | BPF_F_RDONLY | BPF_F_WRONLY;

/// Both map types, for rules that vary the value size themselves.
Variants both_types() {
  return {.types = {DevMapType::devmap, DevMapType::devmap_hash}};
}

/// A map of the variant that can be made, in an attribute or two of which a rule then differs.
MapSpec good(const Case& c) {
  return {.type = static_cast<std::uint32_t>(c.type()),
          .key_size = 4,
          .value_size = c.variant().value_size.value_or(4),
          .max_entries = kEntries};
}

template <class Change>
MapSpec but(MapSpec spec, Change change) {
  change(spec);
  return spec;
}

/// Creation with the change must be refused with this errno, and go well without it.
template <class Change>
void refused(Case& c, int code, Change change) {
  c.refuses(Map::create(but(good(c), change)), code).control(Map::create(good(c)));
}

/// Creation with the change must go well.
template <class Change>
Map accepted(Case& c, Change change) {
  return c.succeeds(Map::create(but(good(c), change)));
}

/// A map created with some flags must report some.
void reports_flags(Case& c, std::uint32_t given, std::uint32_t reported) {
  const auto map = accepted(c, [given](MapSpec& spec) { spec.map_flags = given; });
  c.equals("map_flags that the map reports", worded(c.must(map.info()).map_flags, Notation::map_flags),
           worded(reported, Notation::map_flags));
}

void add_attributes(Registry& rules) {
  rules.add({
      .id = "create.map-extra-is-einval",
      .states = "A device map with a map_extra other than 0 is refused with EINVAL.",
      .refuses = {EINVAL},
      .source = {kMapCreate},
      .catalogue = {"CREATE-11"},
      .check =
          [](Case& c) {
            for (const std::uint64_t extra : {std::uint64_t{1}, std::uint64_t{1} << 63}) {
              refused(c, EINVAL, [extra](MapSpec& spec) { spec.map_extra = extra; });
            }
          },
  });

  rules.add({
      .id = "create.rdonly-with-wronly-is-einval",
      .states = "BPF_F_RDONLY and BPF_F_WRONLY together are refused with EINVAL.",
      .refuses = {EINVAL},
      .source = {"kernel/bpf/syscall.c:bpf_get_file_flag"},
      .catalogue = {"CREATE-08"},
      .check =
          [](Case& c) {
            const auto with = [&c](std::uint32_t flags) {
              return Map::create(but(good(c), [flags](MapSpec& spec) { spec.map_flags = flags; }));
            };
            c.refuses(with(BPF_F_RDONLY | BPF_F_WRONLY), EINVAL).control(with(BPF_F_RDONLY));
            c.refuses(with(BPF_F_RDONLY | BPF_F_WRONLY), EINVAL).control(with(BPF_F_WRONLY));
          },
  });

  rules.add({
      .id = "create.unknown-numa-node-is-einval",
      .states = "A numa_node that the machine does not have is refused with EINVAL when map_flags has BPF_F_NUMA_NODE.",
      .refuses = {EINVAL},
      .source = {kMapCreate},
      .catalogue = {"CREATE-10"},
      .check =
          [](Case& c) {
            const auto on = [&c](std::uint32_t node) {
              return Map::create(but(good(c), [node](MapSpec& spec) {
                spec.map_flags = BPF_F_NUMA_NODE;
                spec.numa_node = node;
              }));
            };
            c.refuses(on(kNoSuchNode), EINVAL).control(on(0));
          },
  });
}

void add_sizes(Registry& rules) {
  rules.add({
      .id = "create.key-is-four-bytes",
      .states = "The key of a device map of either type has 4 bytes: any other key_size is EINVAL.",
      .refuses = {EINVAL},
      .source = {kAllocCheck},
      .commits = {"546ac1ffb70d", "6f9d451ab1a3"},
      .catalogue = {"CREATE-01"},
      .check =
          [](Case& c) {
            for (const std::uint32_t size : {0U, 1U, 2U, 3U, 5U, 6U, 7U, 8U, 12U, 16U, 64U}) {
              refused(c, EINVAL, [size](MapSpec& spec) { spec.key_size = size; });
            }
          },
  });

  rules.add({
      .id = "create.value-may-be-four-or-eight-bytes",
      .states = "The value of a device map may have 4 bytes, an ifindex, or 8, struct bpf_devmap_val.",
      .since = {.major = 5, .minor = 8},
      .source = {kAllocCheck},
      .commits = {"fbee97feed9b"},
      .catalogue = {"CREATE-02"},
      .variants = both_types(),
      .check =
          [](Case& c) {
            for (const std::uint32_t size : {4U, 8U}) {
              const auto map = accepted(c, [size](MapSpec& spec) { spec.value_size = size; });
              c.equals("the value size that the map reports", c.must(map.info()).value_size, size);
            }
          },
  });

  rules.add({
      .id = "create.value-of-other-size-is-einval",
      .states = "A device map whose value has neither 4 nor 8 bytes is refused with EINVAL.",
      .refuses = {EINVAL},
      .source = {kAllocCheck},
      .catalogue = {"CREATE-02"},
      .variants = both_types(),
      .check =
          [](Case& c) {
            for (const std::uint32_t size : {0U, 1U, 2U, 3U, 5U, 6U, 7U, 9U, 12U, 16U, 64U}) {
              refused(c, EINVAL, [size](MapSpec& spec) { spec.value_size = size; });
            }
          },
  });

  rules.add({
      .id = "create.no-entries-is-einval",
      .states = "A device map for no entries is refused with EINVAL; one entry is enough.",
      .refuses = {EINVAL},
      .source = {kAllocCheck},
      .catalogue = {"CREATE-03"},
      .check =
          [](Case& c) {
            c.refuses(Map::create(but(good(c), [](MapSpec& spec) { spec.max_entries = 0; })), EINVAL)
                .control(Map::create(but(good(c), [](MapSpec& spec) { spec.max_entries = 1; })));
          },
  });

  const auto too_many_are_refused = [](Case& c) {
    for (const std::uint32_t entries : {kMostHashEntries + 1, kMostEntries}) {
      refused(c, EINVAL, [entries](MapSpec& spec) { spec.max_entries = entries; });
    }
  };
  rules.add({
      .id = "create.hash-of-more-than-2-to-31-entries-is-einval",
      .states = "A DEVMAP_HASH of more than 2^31 entries is refused with EINVAL, on a kernel of 64 bits.",
      .refuses = {EINVAL},
      .source = {kAllocCheck},
      .catalogue = {"CREATE-04"},
      .variants = devmap_hash_only(),
      .needs = {features::kernel_of_64_bits()},
      .check = too_many_are_refused,
  });

  // Rounded up to a power of two first, it overflowed what is judged.
  rules.add({
      .id = "create.hash-of-more-than-2-to-31-entries-is-einval-on-32-bits",
      .states = "A DEVMAP_HASH of more than 2^31 entries is refused with EINVAL, on a kernel of 32 bits.",
      .refuses = {EINVAL},
      .since = kHashBoundOn32BitsSince,
      .backports = kHashBoundOn32BitsBackports,
      .source = {kAllocCheck},
      .commits = {"281d464a34f5"},
      .catalogue = {"CREATE-04"},
      .variants = devmap_hash_only(),
      .needs = {features::kernel_of_32_bits()},
      .check = too_many_are_refused,
  });
}

void add_flags(Registry& rules) {
  rules.add({
      .id = "create.numa-and-access-flags-are-accepted",
      .states = "map_flags may have BPF_F_NUMA_NODE, and BPF_F_RDONLY or BPF_F_WRONLY.",
      .source = {kAllocCheck},
      .catalogue = {"CREATE-07"},
      .check =
          [](Case& c) {
            for (const std::uint32_t flags :
                 {std::uint32_t{0}, std::uint32_t{BPF_F_NUMA_NODE}, std::uint32_t{BPF_F_RDONLY},
                  std::uint32_t{BPF_F_WRONLY}, std::uint32_t{BPF_F_NUMA_NODE | BPF_F_RDONLY},
                  std::uint32_t{BPF_F_NUMA_NODE | BPF_F_WRONLY}}) {
              accepted(c, [flags](MapSpec& spec) { spec.map_flags = flags; });
            }
          },
  });

  rules.add({
      .id = "create.other-flags-are-einval",
      .states = "Any bit of map_flags other than BPF_F_NUMA_NODE, BPF_F_RDONLY, BPF_F_WRONLY and BPF_F_TOKEN_FD is "
                "refused with EINVAL.",
      .refuses = {EINVAL},
      .source = {kAllocCheck},
      .catalogue = {"CREATE-07"},
      .check =
          [](Case& c) {
            for (unsigned bit = 0; bit < 32; ++bit) {
              const std::uint32_t flag = 1U << bit;
              if ((flag & (kAcceptedFlags | kTokenFlag)) != 0) continue;
              refused(c, EINVAL, [flag](MapSpec& spec) { spec.map_flags = flag; });
            }
          },
  });

  rules.add({
      .id = "create.rdonly-prog-from-the-caller-is-einval",
      .states = "BPF_F_RDONLY_PROG, which every device map has, is refused with EINVAL when the caller gives it.",
      .refuses = {EINVAL},
      .source = {kAllocCheck},
      .commits = {"0cdbb4b09a06"},
      .catalogue = {"CREATE-09"},
      .check = [](Case& c) { refused(c, EINVAL, [](MapSpec& spec) { spec.map_flags = BPF_F_RDONLY_PROG; }); },
  });

  rules.add({
      .id = "create.rdonly-prog-is-reported",
      .states = "A device map reports BPF_F_RDONLY_PROG besides a BPF_F_NUMA_NODE it was created with.",
      .since = {.major = 5, .minor = 3},
      .source = {"kernel/bpf/devmap.c:dev_map_init_map"},
      .commits = {"0cdbb4b09a06"},
      .catalogue = {"CREATE-09"},
      .check =
          [](Case& c) {
            reports_flags(c, 0, BPF_F_RDONLY_PROG);
            reports_flags(c, BPF_F_NUMA_NODE, BPF_F_NUMA_NODE | BPF_F_RDONLY_PROG);
          },
  });

  rules.add({
      .id = "create.access-flags-are-not-reported",
      .states =
          "A device map does not report BPF_F_RDONLY and BPF_F_WRONLY, which are the descriptor's and not its own.",
      .source = {"kernel/bpf/syscall.c:bpf_map_flags_retain_permanent"},
      .check =
          [](Case& c) {
            reports_flags(c, BPF_F_RDONLY, BPF_F_RDONLY_PROG);
            reports_flags(c, BPF_F_WRONLY, BPF_F_RDONLY_PROG);
          },
  });

  rules.add({
      .id = "create.reported-flags-are-not-taken-back",
      .states = "A device map cannot be made again with the flags that one reports: EINVAL.",
      .refuses = {EINVAL},
      .since = {.major = 5, .minor = 3},
      .source = {kAllocCheck, "kernel/bpf/devmap.c:dev_map_init_map"},
      .commits = {"6c6b4146deb1"},
      .catalogue = {"CREATE-09"},
      .check =
          [](Case& c) {
            const auto reported = c.must(c.must(Map::create(good(c))).info()).map_flags;
            const auto with = [&c](std::uint32_t flags) {
              return Map::create(but(good(c), [flags](MapSpec& spec) { spec.map_flags = flags; }));
            };
            c.refuses(with(reported), EINVAL).control(with(reported & ~std::uint32_t{BPF_F_RDONLY_PROG}));
          },
  });

  rules.add({
      .id = "create.numa-node-minus-one-is-any",
      .states = "numa_node -1 with BPF_F_NUMA_NODE is accepted, and means no node in particular.",
      .source = {kMapCreate},
      .check =
          [](Case& c) {
            accepted(c, [](MapSpec& spec) {
              spec.map_flags = BPF_F_NUMA_NODE;
              spec.numa_node = UINT32_MAX;
            });
          },
  });

  rules.add({
      .id = "create.numa-node-without-flag-is-ignored",
      .states = "numa_node is not looked at when map_flags lacks BPF_F_NUMA_NODE.",
      .source = {kMapCreate},
      .catalogue = {"CREATE-10"},
      .check = [](Case& c) { accepted(c, [](MapSpec& spec) { spec.numa_node = kNoSuchNode; }); },
  });

  rules.add({
      .id = "create.token-flag-needs-a-token",
      .states = "BPF_F_TOKEN_FD with a descriptor that is not one of a BPF token is refused with EINVAL.",
      .refuses = {EINVAL},
      .source = {kMapCreate, "kernel/bpf/token.c:bpf_token_get_from_fd"},
      .catalogue = {"CREATE-07"},
      .check =
          [](Case& c) {
            const auto no_token = c.must(Map::create(good(c)));
            refused(c, EINVAL, [&no_token](MapSpec& spec) {
              spec.map_flags = kTokenFlag;
              spec.token_fd = no_token.fd();
            });
          },
  });
}

void add_allocation(Registry& rules) {
  rules.add({
      .id = "create.array-entries-are-bounded-by-memory",
      .states = "A DEVMAP of 2^32 - 1 entries is refused for want of memory, with ENOMEM, and not for its number.",
      .refuses = {ENOMEM},
      // Before, a size beyond what the locked memory limit counts in was refused with EINVAL.
      .since = {.major = 5, .minor = 11},
      .source = {"kernel/bpf/devmap.c:dev_map_init_map"},
      .catalogue = {"CREATE-05"},
      .variants = devmap_only(),
      // With less memory than the 32 GiB of such a map the kernel refuses before it allocates any.
      .needs = {features::memory_below(kMostEntries * sizeof(std::uint64_t))},
      .check = [](Case& c) { refused(c, ENOMEM, [](MapSpec& spec) { spec.max_entries = kMostEntries; }); },
  });

  rules.add({
      .id = "create.hash-capacity-is-exact",
      .states = "A DEVMAP_HASH holds exactly max_entries keys, also where that is not a power of two.",
      .refuses = {E2BIG},
      .since = {.major = 5, .minor = 4},
      .source = {"kernel/bpf/devmap.c:dev_map_init_map", "kernel/bpf/devmap.c:__dev_map_hash_update_elem"},
      .catalogue = {"CREATE-06"},
      .variants = devmap_hash_only(),
      .check =
          [](Case& c) {
            constexpr std::uint32_t kCapacity = 3;
            const auto map = c.devmap(kCapacity);
            c.equals("max_entries that the map reports", c.must(map.info()).max_entries, kCapacity);
            for (std::uint32_t key = 0; key < kCapacity; ++key) c.succeeds(map.update(key, {.ifindex = kLoopback}));
            // Of the four buckets the last is still empty: this key would find it so.
            auto refusal = c.refuses(map.update(kCapacity, {.ifindex = kLoopback}), E2BIG);
            c.must(map.erase(0));
            std::move(refusal).control(map.update(kCapacity, {.ifindex = kLoopback}));
          },
  });

  rules.add({
      .id = "create.binding-to-a-device-is-einval",
      .states = "A device map cannot be offloaded to a device: map_ifindex other than 0 is EINVAL.",
      .refuses = {EINVAL},
      .source = {kMapCreate, "kernel/bpf/offload.c:bpf_map_offload_map_alloc"},
      .catalogue = {"CREATE-12"},
      .check = [](Case& c) { refused(c, EINVAL, [](MapSpec& spec) { spec.map_ifindex = kLoopback; }); },
  });
}

void add_other_attributes(Registry& rules) {
  rules.add({
      .id = "create.inner-map-fd-is-ignored",
      .states = "inner_map_fd is not looked at, whatever it is.",
      .source = {kMapCreate},
      .catalogue = {"CREATE-13"},
      .check =
          [](Case& c) {
            for (const std::uint32_t fd : {1U, UINT32_MAX}) {
              accepted(c, [fd](MapSpec& spec) { spec.inner_map_fd = fd; });
            }
          },
  });

  rules.add({
      .id = "create.name-of-other-characters-is-einval",
      .states = "A map name with a character other than letters, digits, '_' and '.' is refused with EINVAL.",
      .refuses = {EINVAL},
      .source = {"kernel/bpf/syscall.c:bpf_obj_name_cpy"},
      .catalogue = {"CREATE-16"},
      .variants = any_map(4),
      .check =
          [](Case& c) {
            // Of the characters beside those allowed; each refusal waits for a grace period.
            for (const std::string name : {"bad-name", "bad/name"}) {
              c.note(fmt::format("the name is \"{}\", in the control \"a.b_C9\"", name));
              c.refuses(Map::create(but(good(c), [&name](MapSpec& spec) { spec.name = name; })), EINVAL)
                  .control(Map::create(but(good(c), [](MapSpec& spec) { spec.name = "a.b_C9"; })));
            }
          },
  });

  rules.add({
      .id = "create.name-is-reported",
      .states = "A map reports the name it was created with.",
      .source = {"kernel/bpf/syscall.c:bpf_obj_name_cpy"},
      .catalogue = {"CREATE-16"},
      .check =
          [](Case& c) {
            for (const std::string name : {"", "a.b_C9", "fifteen_letters"}) {
              const auto map = accepted(c, [&name](MapSpec& spec) { spec.name = name; });
              c.equals("the name that the map reports", c.must(map.info()).name, name);
            }
          },
  });

  rules.add({
      .id = "create.name-of-sixteen-bytes-is-einval",
      .states = "A map name has at most 15 bytes: one that fills all 16, without a NUL, is refused with EINVAL.",
      .refuses = {EINVAL},
      .source = {"kernel/bpf/syscall.c:bpf_obj_name_cpy"},
      .catalogue = {"CREATE-16"},
      .variants = any_map(4),
      .check =
          [](Case& c) {
            const auto named = [&c](std::size_t length) {
              c.note(fmt::format("the name has {} letters", length));
              return Map::create(but(good(c), [length](MapSpec& spec) { spec.name = std::string(length, 'n'); }));
            };
            c.refuses(named(16), EINVAL).control(named(15));
          },
  });

  rules.add({
      .id = "create.type-is-reported",
      .states = "A device map reports the type it was created with.",
      .source = {"kernel/bpf/syscall.c:bpf_map_get_info_by_fd"},
      .catalogue = {"CREATE-20"},
      .check =
          [](Case& c) {
            c.equals("the type that the map reports", c.must(c.succeeds(Map::create(good(c))).info()).type,
                     static_cast<std::uint32_t>(c.type()));
          },
  });
}

}  // namespace

void add_create_chapter(Registry& rules) {
  rules.chapter("create", "Map creation");
  add_create_type_attributes(rules);
  add_attributes(rules);
  add_sizes(rules);
  add_flags(rules);
  add_create_rights(rules);
  add_allocation(rules);
  add_other_attributes(rules);
  add_create_context(rules);
}

}  // namespace devmap::cases
