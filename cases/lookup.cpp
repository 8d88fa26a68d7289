#include <sys/eventfd.h>
#include <cases/chapters.hpp>
#include <cases/support.hpp>
#include <harness/base/unique_fd.hpp>
#include <harness/bpf/descriptor.hpp>
#include <harness/net/features.hpp>
#include <harness/net/link.hpp>
#include <harness/net/netns.hpp>
#include <harness/spec/case.hpp>

#include <array>
#include <cerrno>

namespace devmap::cases {
namespace {

/// What a program returns where its lookup finds nothing: no ifindex and no program id of a check.
constexpr std::uint32_t kNull = 0xdeadbeef;
constexpr KernelVersion kProgramsLookUpSince{.major = 5, .minor = 3};
const std::string kSyscall = "kernel/bpf/syscall.c:map_lookup_elem";
const Documentation kHelperList{.where = "docs.ebpf.io, BPF_MAP_TYPE_DEVMAP and BPF_MAP_TYPE_DEVMAP_HASH",
                                .statement = "of all helpers, only bpf_redirect_map takes such a map",
                                .agrees = false};

/// A queue with one element: its type has the command lookup-and-delete (4.20).
Map filled_queue(Case& c) {
  auto queue = c.must(Map::create({.type = BPF_MAP_TYPE_QUEUE, .key_size = 0, .value_size = 8, .max_entries = 4}));
  const std::uint64_t value = 1;
  c.must(queue.update_raw(nullptr, &value));
  return queue;
}

/// The 32-bit word at this offset of the value a program finds, or kNull where it finds none.
std::uint32_t word_seen_by_program(Case& c, const DevMap& map, std::uint32_t key, std::int16_t offset) {
  Assembler assembler;
  const auto found = assembler.label();
  assembler.lookup(map, key)
      .jump_if(Condition::not_equal, Register::r0, 0, found)
      .return_value(static_cast<std::int32_t>(kNull))
      .place(found)
      .load(Width::word, Register::r0, Register::r0, offset)
      .exit();
  return returned_by(c, c.program(assembler));
}

/// A program that looks the key up and then either writes to the value or only reads it.
Reply<Program> load_with_access(Case& c, const DevMap& map, bool writes) {
  Assembler assembler;
  const auto missing = assembler.label();
  assembler.lookup(map, kPresent).jump_if(Condition::equal, Register::r0, 0, missing);
  if (writes) {
    assembler.store(Width::word, Register::r0, 0, 1);
  } else {
    assembler.load(Width::word, Register::r1, Register::r0, 0);
  }
  assembler.place(missing).return_value(XDP_PASS);
  return Program::load({}, c.must(assembler.build()));
}

/// An eventfd: reading and writing 8 bytes at a time works there.
UniqueFd data_descriptor(Case& c) {
  return c.must([]() -> Expected<UniqueFd> {
    UniqueFd made(eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!made) return last_error("eventfd");
    return made;
  }());
}

void add_value_rules(Registry& rules) {
  rules.add({
      .id = "lookup.flags-are-refused",
      .states = "A lookup with any flag fails with EINVAL.",
      .refuses = {EINVAL},
      .source = {kSyscall},
      .catalogue = {"LOOKUP-03"},
      .check =
          [](Case& c) {
            const auto map = map_with_entry(c);
            for (const std::uint64_t flags : {1ULL, 2ULL, 4ULL, 8ULL, 1ULL << 32, 1ULL << 63}) {
              c.refuses(map.lookup(kPresent, flags), EINVAL).control(map.lookup(kPresent));
            }
          },
  });

  rules.add({
      .id = "lookup.unreadable-key-is-efault",
      .states = "A lookup whose key cannot be read fails with EFAULT.",
      .refuses = {EFAULT},
      .source = {kSyscall},
      .catalogue = {"LOOKUP-04"},
      .check =
          [](Case& c) {
            const auto map = map_with_entry(c);
            Element element;
            c.refuses(map.lookup_raw(nullptr, &element), EFAULT).control(map.lookup_raw(&kPresent, &element));
          },
  });

  rules.add({
      .id = "lookup.missing-key-is-enoent",
      .states = "A lookup of a key that has no element fails with ENOENT.",
      .refuses = {ENOENT},
      .source = {"kernel/bpf/syscall.c:bpf_map_copy_value", "kernel/bpf/devmap.c:__dev_map_lookup_elem",
                 "kernel/bpf/devmap.c:__dev_map_hash_lookup_elem"},
      .catalogue = {"LOOKUP-01"},
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            std::vector<std::uint32_t> keys{0, kEntries - 1};
            if (c.type() == DevMapType::devmap_hash) keys.insert(keys.end(), {kEntries, UINT32_MAX});
            const auto look_up_once_inserted = [&](std::uint32_t key) {
              c.must(map.update(key, {.ifindex = kLoopback}));
              auto found = map.lookup(key);
              c.must(map.erase(key));
              return found;
            };
            c.note("the controls look the same key up after it was inserted");
            for (const auto key : keys) c.refuses(map.lookup(key), ENOENT).control(look_up_once_inserted(key));
          },
  });

  rules.add({
      .id = "lookup.out-of-range-key-is-enoent",
      .states = "A lookup in a DEVMAP of a key that is out of range fails with ENOENT, like one of an empty slot.",
      .refuses = {ENOENT},
      .source = {"kernel/bpf/syscall.c:bpf_map_copy_value", "kernel/bpf/devmap.c:__dev_map_lookup_elem"},
      .catalogue = {"LOOKUP-01"},
      .variants = devmap_only(),
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            c.must(map.update(kEntries - 1, {.ifindex = kLoopback}));
            for (const std::uint32_t key : {kEntries, kEntries + 1, UINT32_MAX}) {
              c.refuses(map.lookup(key), ENOENT).control(map.lookup(kEntries - 1));
            }
          },
  });

  rules.add({
      .id = "lookup.value-is-the-ifindex",
      .states =
          "A lookup gives the ifindex that the element was written with, and 0 as the id of a program it has not.",
      .source = {"kernel/bpf/devmap.c:dev_map_lookup_elem", "kernel/bpf/devmap.c:dev_map_hash_lookup_elem"},
      .catalogue = {"LOOKUP-02"},
      .check =
          [](Case& c) {
            const auto map = map_with_entry(c);
            c.equals("the element", c.succeeds(map.lookup(kPresent)), Element{.ifindex = kLoopback});
          },
  });

  rules.add({
      .id = "lookup.second-word-is-the-program-id",
      .states = "The second word that a lookup gives is the id of the element's program, not the descriptor it was "
                "written with.",
      .since = kProgramsInEntriesSince,
      .source = {"kernel/bpf/devmap.c:__dev_map_alloc_node"},
      .catalogue = {"LOOKUP-02"},
      .documentation = {{.where = "Documentation/bpf/map_devmap.rst",
                         .statement = "struct bpf_devmap_val holds a program fd on write and a program id on read"}},
      .variants = any_map(8),
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            const auto egress = c.egress_program();
            c.must(map.update(kPresent, {.ifindex = kLoopback, .program_fd = egress.fd()}));
            c.equals("the element", c.succeeds(map.lookup(kPresent)),
                     Element{.ifindex = kLoopback, .program_id = c.must(egress.info()).id});
          },
  });

  rules.add({
      .id = "lookup.ifindex-is-of-the-writers-namespace",
      .states = "A lookup from another network namespace gives the same ifindex, also where that namespace has no such "
                "device.",
      .source = {"kernel/bpf/devmap.c:__dev_map_alloc_node"},
      .catalogue = {"LOOKUP-02"},
      .needs = {features::veth()},
      .check =
          [](Case& c) {
            constexpr std::uint32_t kHereOnly = 4242;
            c.must(create_veth({.first_index = kHereOnly, .up = false}));
            const auto map = c.devmap(kEntries);
            c.must(map.update(kPresent, {.ifindex = kHereOnly}));
            c.must(c.must(NetNs::create()).run([&] {
              c.equals("the element, seen from another namespace", c.succeeds(map.lookup(kPresent)),
                       Element{.ifindex = kHereOnly});
            }));
          },
  });

  rules.add({
      .id = "lookup.writes-the-value-and-no-more",
      .states = "A lookup writes value_size bytes, and leaves the memory behind them alone.",
      .source = {kSyscall},
      .check =
          [](Case& c) {
            constexpr std::uint32_t kUntouched = 0x5a5a5a5a;
            const auto map = map_with_entry(c);
            std::array<std::uint32_t, 3> memory{kUntouched, kUntouched, kUntouched};
            c.succeeds(map.lookup_raw(&kPresent, memory.data()));
            auto stated = memory;
            stated.fill(kUntouched);
            stated[0] = kLoopback;
            if (c.value_size() == sizeof(bpf_devmap_val)) stated[1] = 0;
            c.equals("the memory from the value's address on", memory, stated);
          },
  });
}

void add_refusal_rules(Registry& rules) {
  rules.add({
      .id = "lookup.unwritable-value-is-efault",
      .states = "A lookup of a present key whose value buffer cannot be written fails with EFAULT.",
      .refuses = {EFAULT},
      .source = {kSyscall},
      .catalogue = {"LOOKUP-04"},
      .check =
          [](Case& c) {
            const auto map = map_with_entry(c);
            Element element;
            c.refuses(map.lookup_raw(&kPresent, nullptr), EFAULT).control(map.lookup_raw(&kPresent, &element));
          },
  });

  rules.add({
      .id = "lookup.missing-key-wins-over-bad-value-address",
      .states = "A lookup of a missing key fails with ENOENT whatever the value buffer.",
      .refuses = {ENOENT},
      .source = {kSyscall},
      .check =
          [](Case& c) {
            const auto map = map_with_entry(c);
            Element element;
            c.refuses(map.lookup_raw(&kMissing, nullptr), ENOENT).control(map.lookup_raw(&kPresent, &element));
          },
  });

  rules.add({
      .id = "lookup.and-delete-is-enotsupp",
      .states = "Lookup-and-delete is not implemented: it fails with ENOTSUPP (524), and the element stays.",
      .refuses = {kErrnoNotsupp},
      .source = {"kernel/bpf/syscall.c:map_lookup_and_delete_elem"},
      .catalogue = {"LOOKUP-05"},
      .check =
          [](Case& c) {
            const auto map = map_with_entry(c);
            const auto queue = filled_queue(c);
            std::uint64_t value = 0;
            c.note("the control is the same command on a queue");
            c.refuses(map.lookup_and_delete(kPresent), kErrnoNotsupp)
                .control(queue.lookup_and_delete_raw(nullptr, &value));
            c.succeeds(map.lookup(kPresent));
          },
  });

  rules.add({
      .id = "lookup.and-delete-with-flags-is-einval",
      .states = "Lookup-and-delete with a flag fails with EINVAL, before it is found not to be implemented.",
      .refuses = {EINVAL, kErrnoNotsupp},
      .source = {"kernel/bpf/syscall.c:map_lookup_and_delete_elem"},
      .catalogue = {"LOOKUP-05"},
      .check =
          [](Case& c) {
            const auto map = map_with_entry(c);
            c.note("the controls are the same command without flags on a queue");
            for (const std::uint64_t flags :
                 {std::uint64_t{BPF_NOEXIST}, std::uint64_t{BPF_F_LOCK}, std::uint64_t{1} << 32}) {
              // Without the flag a device map still refuses, with another errno: the control is a type that does not.
              const auto queue = filled_queue(c);
              std::uint64_t value = 0;
              c.refuses(map.lookup_and_delete(kPresent, flags), EINVAL)
                  .control(queue.lookup_and_delete_raw(nullptr, &value));
              c.ends_in("the errno without the flag", map.lookup_and_delete(kPresent).error(), kErrnoNotsupp);
            }
          },
  });
}

void add_program_rules(Registry& rules) {
  rules.add({
      .id = "lookup.program-sees-the-ifindex",
      .states = "bpf_map_lookup_elem gives a program a pointer to the ifindex of a present element.",
      .since = kProgramsLookUpSince,
      .source = {"kernel/bpf/devmap.c:dev_map_lookup_elem", "kernel/bpf/verifier.c:check_map_func_compatibility"},
      .commits = {"0cdbb4b09a06"},
      .catalogue = {"LOOKUP-06"},
      .documentation = {kHelperList},
      .check =
          [](Case& c) {
            const auto map = map_with_entry(c);
            c.equals("word 0 of the value, in a program", word_seen_by_program(c, map, kPresent, 0), kLoopback);
          },
  });

  rules.add({
      .id = "lookup.program-sees-the-program-id",
      .states = "The second word of a value that a program looks up is the id of the element's program, 0 for none.",
      .since = kProgramsInEntriesSince,
      .source = {"kernel/bpf/devmap.c:dev_map_lookup_elem", "kernel/bpf/devmap.c:dev_map_hash_lookup_elem"},
      .catalogue = {"LOOKUP-06"},
      .variants = any_map(8),
      .check =
          [](Case& c) {
            const auto map = map_with_entry(c);
            const auto egress = c.egress_program();
            constexpr std::uint32_t kWithProgram = kPresent + 1;
            c.must(map.update(kWithProgram, {.ifindex = kLoopback, .program_fd = egress.fd()}));
            constexpr std::int16_t kSecondWord = 4;
            c.equals("word 1 of a value with a program, in a program",
                     word_seen_by_program(c, map, kWithProgram, kSecondWord), c.must(egress.info()).id);
            c.equals("word 1 of a value without a program, in a program",
                     word_seen_by_program(c, map, kPresent, kSecondWord), 0U);
          },
  });

  rules.add({
      .id = "lookup.program-gets-null-for-no-element",
      .states = "bpf_map_lookup_elem gives a program NULL for a key that is missing or out of range.",
      .since = kProgramsLookUpSince,
      .source = {"kernel/bpf/devmap.c:__dev_map_lookup_elem", "kernel/bpf/devmap.c:__dev_map_hash_lookup_elem"},
      .commits = {"0cdbb4b09a06"},
      .catalogue = {"LOOKUP-06"},
      .check =
          [](Case& c) {
            const auto map = map_with_entry(c);
            for (const std::uint32_t key : {kMissing, kEntries, UINT32_MAX}) {
              c.holds(fmt::format("a program that looks up key {} gets NULL", key),
                      word_seen_by_program(c, map, key, 0) == kNull);
            }
            c.holds(fmt::format("a program that looks up key {}, which is present, gets a pointer", kPresent),
                    word_seen_by_program(c, map, kPresent, 0) != kNull);
          },
  });

  rules.add({
      .id = "lookup.program-may-not-write-the-value",
      .states = "The verifier refuses a store through the pointer that a program looked up with EACCES.",
      .refuses = {EACCES},
      .since = kProgramsLookUpSince,
      .source = {"kernel/bpf/verifier.c:check_map_access_type"},
      .commits = {"0cdbb4b09a06"},
      .catalogue = {"LOOKUP-06"},
      .check =
          [](Case& c) {
            const auto map = map_with_entry(c);
            c.note("the control loads from the same pointer");
            c.refuses(load_with_access(c, map, true), EACCES, "write into map forbidden")
                .control(load_with_access(c, map, false));
          },
  });
}

void add_descriptor_rules(Registry& rules) {
  rules.add({
      .id = "lookup.descriptor-cannot-be-mapped",
      .states = "mmap of the map's descriptor fails with ENOTSUPP (524).",
      .refuses = {kErrnoNotsupp},
      .since = {.major = 5, .minor = 5},
      .source = {"kernel/bpf/syscall.c:bpf_map_mmap"},
      .catalogue = {"LOOKUP-07"},
      .check =
          [](Case& c) {
            const auto map = map_with_entry(c);
            const auto array =
                c.must(Map::create({.type = BPF_MAP_TYPE_ARRAY, .max_entries = 4, .map_flags = BPF_F_MMAPABLE}));
            c.note("the control is an array created with BPF_F_MMAPABLE");
            c.refuses(map_descriptor(map.fd()), kErrnoNotsupp).control(map_descriptor(array.fd()));
          },
  });

  rules.add({
      .id = "lookup.descriptor-cannot-be-read",
      .states = "read of the map's descriptor fails with EINVAL.",
      .refuses = {EINVAL},
      .source = {"kernel/bpf/syscall.c:bpf_dummy_read"},
      .catalogue = {"LOOKUP-07"},
      .check =
          [](Case& c) {
            const auto map = map_with_entry(c);
            const auto data = data_descriptor(c);
            std::array<std::byte, 8> bytes{};
            c.note("the control is an eventfd");
            c.refuses(read_descriptor(map.fd(), bytes), EINVAL).control(read_descriptor(data.get(), bytes));
          },
  });

  rules.add({
      .id = "lookup.descriptor-cannot-be-written",
      .states = "write to the map's descriptor fails with EINVAL.",
      .refuses = {EINVAL},
      .source = {"kernel/bpf/syscall.c:bpf_dummy_write"},
      .catalogue = {"LOOKUP-07"},
      .check =
          [](Case& c) {
            const auto map = map_with_entry(c);
            const auto data = data_descriptor(c);
            const std::array<std::byte, 8> bytes{std::byte{1}};
            c.note("the control is an eventfd");
            c.refuses(write_descriptor(map.fd(), bytes), EINVAL).control(write_descriptor(data.get(), bytes));
          },
  });

  rules.add({
      .id = "lookup.descriptor-polls-as-error",
      .states = "poll of the map's descriptor reports POLLERR at once, and nothing else.",
      .since = {.major = 5, .minor = 8},
      .source = {"kernel/bpf/syscall.c:bpf_map_poll"},
      .catalogue = {"LOOKUP-07"},
      .check =
          [](Case& c) {
            const auto map = map_with_entry(c);
            c.equals("events that poll reports", c.succeeds(poll_descriptor(map.fd())), "POLLERR");
          },
  });
}

}  // namespace

void add_lookup_chapter(Registry& rules) {
  rules.chapter("lookup", "Element lookup");
  add_value_rules(rules);
  add_refusal_rules(rules);
  add_program_rules(rules);
  add_descriptor_rules(rules);
}

}  // namespace devmap::cases
