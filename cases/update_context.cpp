#include <cases/chapters.hpp>
#include <cases/support.hpp>
#include <harness/base/capabilities.hpp>
#include <harness/base/guarded_page.hpp>
#include <harness/base/memory_cgroup.hpp>
#include <harness/base/resources.hpp>
#include <harness/bpf/features.hpp>
#include <harness/net/features.hpp>
#include <harness/net/link.hpp>
#include <harness/net/netns.hpp>
#include <harness/spec/case.hpp>

#include <unistd.h>

#include <cerrno>
#include <cstring>

// What updates have to do with their surroundings: the namespace, the memory and the rights of who makes them.
namespace devmap::cases {
namespace {

const std::string kSyscall = "kernel/bpf/syscall.c:map_update_elem";
constexpr std::uint32_t kEntries = 4;
constexpr std::uint32_t kPresent = 1;
constexpr std::uint32_t kNoDevice = 99999;
constexpr std::uint64_t kBadFlags = BPF_NOEXIST | BPF_EXIST;
constexpr Target kLo{.ifindex = kLoopback};
constexpr Element kLoElement{.ifindex = kLoopback};

// Two namespaces, the case's own and another, each with a device of the same index:
//
//     own:    lo (1)   a0 (kSharedIndex) <====> a1
//     other:  lo (1)   b0 (kSharedIndex) <====> b1 (kOtherIndex)
constexpr std::uint32_t kSharedIndex = 70;
constexpr std::uint32_t kOtherIndex = 71;

void add_namespaces(Registry& rules) {
  const std::string source = "kernel/bpf/devmap.c:dev_map_update_elem";

  rules.add({
      .id = "update.device-of-other-namespace-is-einval",
      .states =
          "An ifindex that only another network namespace has is refused with EINVAL, unless the update is made from "
          "there.",
      .refuses = {EINVAL},
      .source = {source},
      .catalogue = {"UPDATE-16"},
      .needs = {features::veth()},
      .check =
          [](Case& c) {
            const auto other = c.must(NetNs::create());
            c.must(other.run(
                [&] { c.must(create_veth({.first_index = kSharedIndex, .second_index = kOtherIndex, .up = false})); }));
            const auto map = c.devmap(kEntries);
            const auto update = [&map] { return map.update(kPresent, {.ifindex = kOtherIndex}); };
            auto refusal = c.refuses(update(), EINVAL);
            c.must(other.run([&] { std::move(refusal).control(update()); }));
            has(c, map, kPresent, Element{.ifindex = kOtherIndex});
          },
  });

  rules.add({
      .id = "update.ifindex-is-of-the-callers-namespace",
      .states =
          "Of two devices with the same index in two network namespaces, an update takes that of the calling thread's "
          "namespace, and the entry keeps that device.",
      .source = {source},
      .catalogue = {"UPDATE-16"},
      .variants = any_map(4),
      .needs = {features::veth()},
      .check =
          [](Case& c) {
            constexpr std::uint32_t kOwn = 0;
            constexpr std::uint32_t kOther = 1;
            constexpr Target kTarget{.ifindex = kSharedIndex};
            const auto other = c.must(NetNs::create());
            c.must(create_veth({.first_index = kSharedIndex, .up = false}));
            const auto map = c.devmap(kEntries);
            c.succeeds(map.update(kOwn, kTarget));
            c.must(other.run([&] {
              c.must(create_veth({.first_index = kSharedIndex, .second_index = kOtherIndex, .up = false}));
              c.succeeds(map.update(kOther, kTarget));
            }));
            has(c, map, kOwn, Element{.ifindex = kSharedIndex});
            has(c, map, kOther, Element{.ifindex = kSharedIndex});
            // Which device an entry has shows when it goes: its entry goes with it.
            c.must(other.run([&] { c.must(delete_link(kSharedIndex)); }));
            c.note("the device of the other namespace is deleted");
            has(c, map, kOwn, Element{.ifindex = kSharedIndex});
            has(c, map, kOther, std::nullopt);
          },
  });

  rules.add({
      .id = "update.namespace-of-the-creator-does-not-matter",
      .states =
          "A map that was created in another network namespace takes devices of the updating thread's namespace, and "
          "none of its creator's.",
      .refuses = {EINVAL},
      .source = {source},
      .catalogue = {"UPDATE-16"},
      .needs = {features::veth()},
      .check =
          [](Case& c) {
            const auto other = c.must(NetNs::create());
            auto made = Reply<DevMap>::refused(Asked("map create", {}), 0);
            c.must(other.run([&] {
              c.must(create_veth({.first_index = kSharedIndex, .second_index = kOtherIndex, .up = false}));
              made = DevMap::create({.type = c.type(), .value_size = c.value_size()});
            }));
            const auto map = c.must(std::move(made));
            c.must(create_veth({.first_index = kSharedIndex, .up = false}));
            c.refuses(map.update(kPresent, {.ifindex = kOtherIndex}), EINVAL)
                .control(map.update(kPresent, {.ifindex = kSharedIndex}));
          },
  });
}

void add_memory_limit(Registry& rules) {
  rules.add({
      .id = "update.entry-beyond-memory-limit-is-enomem",
      .states =
          "An entry that goes beyond the limit of the memory cgroup of the map's creator is refused with ENOMEM, and "
          "leaves what was there as it was.",
      .refuses = {ENOMEM},
      .since = {.major = 6, .minor = 0},
      .source = {"kernel/bpf/devmap.c:__dev_map_alloc_node"},
      .commits = {"ace2bee839e0"},
      .catalogue = {"UPDATE-27"},
      .needs = {features::maps_in_memory_cgroup()},
      .check =
          [](Case& c) {
            // An entry takes more than 64 bytes, and a CPU may have up to 64 pages of the group in hand, if they are
            // not given back: so many for 16 CPUs.
            const auto plenty = 16 * static_cast<std::uint32_t>(sysconf(_SC_PAGESIZE));
            const auto group = c.must(MemoryCgroup::create());
            auto made = Reply<DevMap>::refused(Asked("map create", {}), 0);
            c.must(group.run([&] {
              made = DevMap::create({.type = c.type(), .value_size = c.value_size(), .max_entries = plenty});
            }));
            const auto map = c.must(std::move(made));
            c.must(map.update(0, kLo));
            c.must(stay_on_this_cpu());
            c.must(group.drain());
            c.must(group.limit(c.must(group.usage())));

            // Whatever leaves the group meanwhile makes room, and what a replacement replaced is one of that: new
            // entries use it up, for good. The group is full when it refuses one and then a replacement too.
            std::uint32_t key = 1;
            auto new_entry = map.update(key, kLo);
            auto replacement = map.update(0, kLo);
            for (std::uint32_t tries = 1; tries < plenty && (new_entry || replacement); ++tries) {
              if (new_entry) ++key;
              new_entry = map.update(key, kLo);
              replacement = map.update(0, kLo);
            }
            c.note(fmt::format("with the limit at what is used, {} entries went in before these", key - 1));
            auto new_entry_refused = c.refuses(new_entry, ENOMEM);
            has(c, map, key, std::nullopt);
            auto replacement_refused = c.refuses(replacement, ENOMEM);
            has(c, map, 0, kLoElement);
            c.must(group.lift_limit());
            c.note("the limit is lifted");
            std::move(new_entry_refused).control(map.update(key, kLo));
            std::move(replacement_refused).control(map.update(0, kLo));
          },
  });
}

void add_memory(Registry& rules) {
  rules.add({
      .id = "update.unreadable-key-is-efault",
      .states = "An update with a key at an address that cannot be read, NULL included, is refused with EFAULT.",
      .refuses = {EFAULT},
      .source = {kSyscall},
      .catalogue = {"UPDATE-25"},
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            const auto page = c.must(GuardedPage::create());
            const std::uint32_t key = kPresent;
            const Target value = kLo;
            const void* const straddling = page.end() - sizeof key / 2;
            for (const void* const bad :
                 {static_cast<const void*>(nullptr), static_cast<const void*>(page.end()), straddling}) {
              c.refuses(map.update_raw(bad, &value), EFAULT).control(map.update_raw(&key, &value));
            }
          },
  });

  rules.add({
      .id = "update.unreadable-value-is-efault",
      .states =
          "An update with a value at an address that cannot be read in full, NULL included, is refused with EFAULT.",
      .refuses = {EFAULT},
      .source = {kSyscall},
      .catalogue = {"UPDATE-25"},
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            const auto page = c.must(GuardedPage::create());
            const std::uint32_t key = kPresent;
            const Target value = kLo;
            const void* const straddling = page.end() - c.value_size() / 2;
            for (const void* const bad :
                 {static_cast<const void*>(nullptr), static_cast<const void*>(page.end()), straddling}) {
              c.refuses(map.update_raw(&key, bad), EFAULT).control(map.update_raw(&key, &value));
            }
          },
  });

  rules.add({
      .id = "update.value-is-read-no-further-than-its-size",
      .states = "An update reads value_size bytes of the value and not one more.",
      .source = {kSyscall},
      .catalogue = {"UPDATE-21"},
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            const auto page = c.must(GuardedPage::create());
            const auto value = page.last(c.value_size());
            std::memcpy(value.data(), &kLo, value.size());
            const std::uint32_t key = kPresent;
            c.note("the value ends where the process's memory ends");
            c.succeeds(map.update_raw(&key, value.data()));
            has(c, map, kPresent, kLoElement);
          },
  });

  // The flag that the system call itself refuses, BPF_F_LOCK, is found before the copying.
  rules.add({
      .id = "update.memory-is-read-before-flags-and-key-are-tested",
      .states =
          "An update whose value cannot be read is refused with EFAULT also where the map type would refuse its flags "
          "or its key.",
      .refuses = {EFAULT, EINVAL},
      .source = {kSyscall},
      .catalogue = {"UPDATE-25"},
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            const std::uint32_t key = kPresent;
            const Target value = kLo;
            const Target unknown{.ifindex = kNoDevice};
            c.refuses(map.update_raw(&key, nullptr), EFAULT).control(map.update_raw(&key, &value));
            c.refuses(map.update_raw(&key, &value, kBadFlags), EINVAL).control(map.update_raw(&key, &value));
            c.refuses(map.update_raw(&key, nullptr, kBadFlags), EFAULT).control(map.update_raw(&key, &value));
            c.refuses(map.update_raw(&key, &unknown), EINVAL).control(map.update_raw(&key, &value));
            c.refuses(map.update_raw(nullptr, &unknown), EFAULT).control(map.update_raw(&key, &value));
          },
  });
}

constexpr KernelVersion kNoRightsSince{.major = 5, .minor = 19};

/// One call made by a thread without any capability.
template <class Call>
auto without_rights(Case& c, Call call) {
  auto reply = decltype(call())::refused(Asked("call", {}), 0);
  c.must(with_capabilities({}, [&] { reply = call(); }));
  return reply;
}

void add_rights(Registry& rules) {
  rules.add({
      .id = "update.needs-no-capability",
      .states =
          "Whoever holds a map's descriptor may update, look up, list and delete its elements without any capability, "
          "also where unprivileged BPF is disabled.",
      .since = kNoRightsSince,
      .source = {kSyscall, "kernel/bpf/syscall.c:__sys_bpf"},
      .commits = {"c8644cd0efe7"},
      .catalogue = {"UPDATE-26"},
      .needs = {features::restricted_unprivileged_bpf()},
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            c.note("all calls are made without any capability");
            c.succeeds(without_rights(c, [&] { return map.update(kPresent, kLo); }));
            const auto found = c.succeeds(without_rights(c, [&] { return map.lookup(kPresent); }));
            c.equals("the element that was looked up", found, kLoElement);
            c.succeeds(without_rights(c, [&] { return map.next_key(std::nullopt); }));
            c.succeeds(without_rights(c, [&] { return map.erase(kPresent); }));
          },
  });

  rules.add({
      .id = "update.program-needs-no-capability",
      .states =
          "Whoever holds the descriptors of a map and of an egress program may put the program into an entry without "
          "any capability.",
      .since = kNoRightsSince,
      .source = {kSyscall, "kernel/bpf/syscall.c:__sys_bpf"},
      .commits = {"c8644cd0efe7"},
      .catalogue = {"UPDATE-26"},
      .variants = any_map(8),
      .needs = {features::restricted_unprivileged_bpf()},
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            const auto egress = c.egress_program();
            c.note("the update is made without any capability");
            c.succeeds(without_rights(
                c, [&] { return map.update(kPresent, {.ifindex = kLoopback, .program_fd = egress.fd()}); }));
            has(c, map, kPresent, Element{.ifindex = kLoopback, .program_id = id_of(c, egress)});
          },
  });

  rules.add({
      .id = "update.without-capabilities-is-eperm",
      .states =
          "Where unprivileged BPF is disabled, a process without capabilities may not use a map whose descriptor it "
          "holds: EPERM.",
      .refuses = {EPERM},
      .since = {.major = 5, .minor = 8},
      .until = kNoRightsSince,
      .source = {"kernel/bpf/syscall.c:__sys_bpf"},
      .commits = {"c8644cd0efe7"},
      .catalogue = {"UPDATE-26"},
      .needs = {features::restricted_unprivileged_bpf()},
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            c.note("the refused calls are made without any capability, the controls with all");
            c.refuses(without_rights(c, [&] { return map.update(kPresent, kLo); }), EPERM)
                .control(map.update(kPresent, kLo));
            c.refuses(without_rights(c, [&] { return map.lookup(kPresent); }), EPERM).control(map.lookup(kPresent));
          },
  });
}

}  // namespace

void add_update_call(Registry& rules) {
  add_rights(rules);
  add_memory(rules);
}

void add_update_context(Registry& rules) {
  add_memory_limit(rules);
  add_namespaces(rules);
}

}  // namespace devmap::cases
