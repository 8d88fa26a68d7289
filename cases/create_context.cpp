#include <bpf/libbpf.h>
#include <linux/capability.h>
#include <cases/chapters.hpp>
#include <harness/base/capabilities.hpp>
#include <harness/base/kernel_word.hpp>
#include <harness/base/memory_cgroup.hpp>
#include <harness/base/resources.hpp>
#include <harness/bpf/btf.hpp>
#include <harness/bpf/features.hpp>
#include <harness/spec/case.hpp>

#include <cerrno>

// What the creation of device maps has to do with its surroundings: type information, rights, memory.
namespace devmap::cases {
namespace {

const std::string kMapCreate = "kernel/bpf/syscall.c:map_create";
constexpr KernelVersion kTokenSince{.major = 6, .minor = 9};
constexpr KernelVersion kCheckBeforeRightsSince{.major = 6, .minor = 11};

MapSpec good(const Case& c) {
  return DevMap::attributes({.type = c.type(), .value_size = c.value_size()});
}

// --- Type information.

/// Type ids of an integer as large as the key and of one as large as the value.
constexpr std::uint32_t kKeyType = 1;
constexpr std::uint32_t kValueType = 2;
Btf types(Case& c) {
  return c.must(Btf::load({{.name = "key", .size = 4}, {.name = "value", .size = c.value_size()}}));
}

struct TypeIds {
  std::uint32_t key = 0;
  std::uint32_t value = 0;
  std::uint32_t kernel_value = 0;
};
Reply<Map> create_typed(Case& c, int btf, TypeIds ids) {
  MapSpec spec = good(c);
  spec.btf_fd = static_cast<std::uint32_t>(btf);
  spec.btf_key_type_id = ids.key;
  spec.btf_value_type_id = ids.value;
  spec.btf_vmlinux_value_type_id = ids.kernel_value;
  return Map::create(spec);
}

void add_type_attributes(Registry& rules) {
  rules.add({
      .id = "create.kernel-type-of-value-is-einval",
      .states = "btf_vmlinux_value_type_id other than 0 is refused with EINVAL.",
      .refuses = {EINVAL},
      .source = {kMapCreate},
      .catalogue = {"CREATE-15"},
      .check =
          [](Case& c) { c.refuses(create_typed(c, 0, {.kernel_value = 1}), EINVAL).control(create_typed(c, 0, {})); },
  });

  rules.add({
      .id = "create.typed-key-without-typed-value-is-einval",
      .states = "btf_key_type_id without btf_value_type_id is refused with EINVAL.",
      .refuses = {EINVAL},
      .source = {kMapCreate},
      .catalogue = {"CREATE-15"},
      .check =
          [](Case& c) {
            const auto btf = types(c);
            c.refuses(create_typed(c, btf.fd(), {.key = kKeyType}), EINVAL).control(create_typed(c, btf.fd(), {}));
          },
  });
}

void add_type_information(Registry& rules) {
  rules.add({
      .id = "create.types-of-no-btf-are-einval",
      .states = "btf_value_type_id with a btf_fd that is the descriptor of something else is refused with EINVAL.",
      .refuses = {EINVAL},
      .source = {kMapCreate, "kernel/bpf/btf.c:btf_get_by_fd"},
      .catalogue = {"CREATE-15"},
      .variants = any_map(4),
      .check =
          [](Case& c) {
            const auto no_btf = c.devmap();
            c.refuses(create_typed(c, no_btf.fd(), {.value = kValueType}), EINVAL)
                .control(create_typed(c, no_btf.fd(), {}));
          },
  });

  rules.add({
      .id = "create.types-of-closed-btf-are-ebadf",
      .states = "btf_value_type_id with a btf_fd that is not open is refused with EBADF.",
      .refuses = {EBADF},
      .source = {kMapCreate, "kernel/bpf/btf.c:btf_get_by_fd"},
      .variants = any_map(4),
      .check =
          [](Case& c) {
            c.refuses(create_typed(c, -1, {.value = kValueType}), EBADF).control(create_typed(c, -1, {}));
          },
  });

  rules.add({
      .id = "create.typed-key-and-value-are-524",
      .states =
          "A device map whose key or value is described by BTF is refused with errno 524 (ENOTSUPP), which is not "
          "EOPNOTSUPP.",
      .refuses = {kErrnoNotsupp},
      .source = {"kernel/bpf/syscall.c:map_check_btf", "kernel/bpf/syscall.c:map_check_no_btf"},
      .catalogue = {"CREATE-14"},
      .variants = any_map(4),
      .check =
          [](Case& c) {
            const auto btf = types(c);
            c.refuses(create_typed(c, btf.fd(), {.key = kKeyType, .value = kValueType}), kErrnoNotsupp)
                .control(create_typed(c, btf.fd(), {}));
            c.refuses(create_typed(c, btf.fd(), {.value = kValueType}), kErrnoNotsupp)
                .control(create_typed(c, btf.fd(), {}));
          },
  });

  rules.add({
      .id = "create.btf-fd-alone-is-ignored",
      .states = "btf_fd is not looked at when no type id is given, and the map keeps no BTF.",
      .source = {kMapCreate},
      .catalogue = {"CREATE-15"},
      .check =
          [](Case& c) {
            const auto btf = types(c);
            for (const int fd : {btf.fd(), -1}) {
              const auto map = c.succeeds(create_typed(c, fd, {}));
              c.equals("the id of the BTF that the map reports", c.must(map.info()).btf_id, 0U);
            }
          },
  });

  rules.add({
      .id = "create.libbpf-detects-the-type",
      .states = "libbpf finds the map type supported by creating a map of it.",
      .source = {"tools/lib/bpf/libbpf_probes.c:libbpf_probe_bpf_map_type"},
      .catalogue = {"CREATE-20"},
      .variants = {.types = {DevMapType::devmap, DevMapType::devmap_hash}},
      .check =
          [](Case& c) {
            const auto type = static_cast<bpf_map_type>(c.type());
            c.equals(fmt::format("libbpf_probe_bpf_map_type({})", static_cast<int>(type)),
                     libbpf_probe_bpf_map_type(type, nullptr), 1);
          },
  });
}

// --- Rights.

/// What creation comes to for a thread that holds just these capabilities; says so in the evidence, with their names.
Reply<Map> create_holding(Case& c, const char* names, std::initializer_list<int> capabilities, const MapSpec& spec) {
  auto reply = Reply<Map>::refused(Asked("map create", {}), 0);
  c.must(with_capabilities(capabilities, [&] { reply = Map::create(spec); }));
  c.note(fmt::format("the next call is made with {}", names));
  return reply;
}
Reply<Map> create_holding(Case& c, const char* names, std::initializer_list<int> capabilities) {
  return create_holding(c, names, capabilities, good(c));
}
Reply<Map> create_with_enough(Case& c) {
  return create_holding(c, "CAP_BPF and CAP_NET_ADMIN", {CAP_BPF, CAP_NET_ADMIN});
}

void add_rights(Registry& rules) {
  rules.add({
      .id = "create.needs-cap-bpf-and-cap-net-admin",
      .states =
          "Where unprivileged BPF is disabled, creating a device map takes CAP_BPF and CAP_NET_ADMIN: with one of "
          "them alone, or neither, it is refused with EPERM.",
      .refuses = {EPERM},
      .since = {.major = 5, .minor = 8},
      .source = {kMapCreate},
      .commits = {"6c3eba1c5e28"},
      .catalogue = {"CREATE-17"},
      .needs = {features::restricted_unprivileged_bpf()},
      .check =
          [](Case& c) {
            c.refuses(create_holding(c, "no capability", {}), EPERM).control(create_with_enough(c));
            c.refuses(create_holding(c, "CAP_BPF", {CAP_BPF}), EPERM).control(create_with_enough(c));
            c.refuses(create_holding(c, "CAP_NET_ADMIN", {CAP_NET_ADMIN}), EPERM).control(create_with_enough(c));
            c.refuses(create_holding(c, "CAP_BPF and CAP_PERFMON", {CAP_BPF, CAP_PERFMON}), EPERM)
                .control(create_with_enough(c));
          },
  });

  rules.add({
      .id = "create.cap-sys-admin-stands-for-cap-bpf",
      .states = "Creating a device map takes no CAP_BPF when there are CAP_SYS_ADMIN and CAP_NET_ADMIN.",
      .source = {kMapCreate},
      .catalogue = {"CREATE-17"},
      .check =
          [](Case& c) {
            c.succeeds(create_holding(c, "CAP_SYS_ADMIN and CAP_NET_ADMIN", {CAP_SYS_ADMIN, CAP_NET_ADMIN}));
          },
  });

  rules.add({
      .id = "create.cap-sys-admin-is-enough",
      .states = "CAP_SYS_ADMIN alone is enough to create a device map.",
      .since = kTokenSince,
      .source = {kMapCreate, "kernel/bpf/token.c:bpf_token_capable"},
      .catalogue = {"CREATE-17"},
      .check = [](Case& c) { c.succeeds(create_holding(c, "CAP_SYS_ADMIN", {CAP_SYS_ADMIN})); },
  });

  rules.add({
      .id = "create.cap-sys-admin-alone-is-eperm",
      .states = "CAP_SYS_ADMIN without CAP_NET_ADMIN is not enough to create a device map: EPERM.",
      .refuses = {EPERM},
      .since = {.major = 5, .minor = 8},
      .until = kTokenSince,
      .source = {kMapCreate},
      .catalogue = {"CREATE-17"},
      .check =
          [](Case& c) {
            c.refuses(create_holding(c, "CAP_SYS_ADMIN", {CAP_SYS_ADMIN}), EPERM)
                .control(create_holding(c, "CAP_SYS_ADMIN and CAP_NET_ADMIN", {CAP_SYS_ADMIN, CAP_NET_ADMIN}));
          },
  });

  rules.add({
      .id = "create.cap-net-admin-is-enough-where-bpf-is-open",
      .states =
          "Where unprivileged BPF is enabled, CAP_NET_ADMIN alone is enough to create a device map, and is needed: "
          "EPERM without it.",
      .refuses = {EPERM},
      .since = {.major = 5, .minor = 8},
      .source = {kMapCreate},
      .catalogue = {"CREATE-17"},
      .needs = {features::unrestricted_unprivileged_bpf()},
      .check =
          [](Case& c) {
            c.refuses(create_holding(c, "no capability", {}), EPERM)
                .control(create_holding(c, "CAP_NET_ADMIN", {CAP_NET_ADMIN}));
          },
  });

  // Which errno wins where attributes and rights are both amiss; first each of the two alone.
  const auto both_amiss = [](int winner) {
    return [winner](Case& c) {
      MapSpec bad = good(c);
      bad.key_size = 3;
      c.refuses(Map::create(bad), EINVAL).control(Map::create(good(c)));
      c.refuses(create_holding(c, "no capability", {}), EPERM).control(create_with_enough(c));
      c.refuses(create_holding(c, "no capability", {}, bad), winner).control(create_with_enough(c));
    };
  };
  rules.add({
      .id = "create.bad-attributes-win-over-missing-rights",
      .states = "Without capabilities and with a key_size that is refused, creation is refused with EINVAL, not EPERM.",
      .refuses = {EINVAL, EPERM},
      .since = kCheckBeforeRightsSince,
      .source = {kMapCreate},
      .commits = {"fd8db07705c5"},
      .catalogue = {"CREATE-18"},
      .needs = {features::restricted_unprivileged_bpf()},
      .check = both_amiss(EINVAL),
  });
  rules.add({
      .id = "create.missing-rights-win-over-bad-attributes",
      .states = "Without capabilities and with a key_size that is refused, creation is refused with EPERM, not EINVAL.",
      .refuses = {EINVAL, EPERM},
      .until = kCheckBeforeRightsSince,
      .source = {kMapCreate},
      .commits = {"fd8db07705c5"},
      .catalogue = {"CREATE-18"},
      .needs = {features::restricted_unprivileged_bpf()},
      .check = both_amiss(EPERM),
  });
}

// --- Memory.

void add_memory(Registry& rules) {
  rules.add({
      .id = "create.locked-memory-limit-does-not-matter",
      .states = "A device map of any size is created whatever RLIMIT_MEMLOCK is.",
      .since = {.major = 5, .minor = 11},
      .source = {"kernel/bpf/syscall.c:bpf_map_area_alloc"},
      .catalogue = {"CREATE-19"},
      .check =
          [](Case& c) {
            c.must(limit_locked_memory(0));
            for (const std::uint32_t entries : {1U, 1U << 16}) {
              MapSpec spec = good(c);
              spec.max_entries = entries;
              c.succeeds(Map::create(spec));
            }
          },
  });

  rules.add({
      .id = "create.memory-is-charged-to-the-creator",
      .states =
          "The memory of a device map, a pointer an entry and more, is charged to the memory cgroup of the process "
          "that creates it.",
      .since = {.major = 5, .minor = 11},
      .source = {"kernel/bpf/syscall.c:bpf_map_area_alloc", "kernel/bpf/syscall.c:bpf_map_save_memcg"},
      .catalogue = {"CREATE-19"},
      .needs = {features::memory_cgroup()},
      .check =
          [](Case& c) {
            constexpr std::uint32_t kEntries = 1U << 17;
            const std::uint64_t bytes = kEntries * kernel_pointer_size();
            const auto group = c.must(MemoryCgroup::create());
            const auto before = c.must(group.usage());
            auto map = Reply<DevMap>::refused(Asked("map create", {}), 0);
            c.must(group.run([&] {
              map = DevMap::create({.type = c.type(), .value_size = c.value_size(), .max_entries = kEntries});
            }));
            const auto created = c.succeeds(std::move(map));
            const auto after = c.must(group.usage());
            c.holds(fmt::format("the creator's cgroup is charged at least {} bytes", bytes), after >= before + bytes,
                    fmt::format("from {} to {} bytes", before, after));
          },
  });
}

}  // namespace

void add_create_context(Registry& rules) {
  add_type_information(rules);
  add_memory(rules);
}

void add_create_type_attributes(Registry& rules) {
  add_type_attributes(rules);
}

void add_create_rights(Registry& rules) {
  add_rights(rules);
}

}  // namespace devmap::cases
