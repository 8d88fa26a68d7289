#include <cases/life.hpp>
#include <cases/support.hpp>
#include <harness/base/detached_mount.hpp>
#include <harness/net/features.hpp>
#include <harness/net/link.hpp>
#include <harness/spec/case.hpp>

#include <cerrno>

// The access mode is one of the descriptor: it is in what creation, opening by id and opening a pin are given. Freezing
// alone changes the map.
namespace devmap::cases {
namespace {

constexpr std::uint32_t kBothModes = BPF_F_RDONLY | BPF_F_WRONLY;
const std::string kUpdate = "kernel/bpf/syscall.c:map_update_elem";
const std::string kDelete = "kernel/bpf/syscall.c:map_delete_elem";
const std::string kLookup = "kernel/bpf/syscall.c:map_lookup_elem";
const std::string kNext = "kernel/bpf/syscall.c:map_get_next_key";
const std::string kFreeze = "kernel/bpf/syscall.c:map_freeze";
const std::string kById = "kernel/bpf/syscall.c:bpf_map_get_fd_by_id";
const std::string kByPin = "kernel/bpf/inode.c:bpf_obj_get_user";
const std::string kFreezeCommit = "c4c84f6fb2c4";
constexpr KernelVersion kFreezeSince{.major = 5, .minor = 2};
constexpr KernelVersion kFreezeByDescriptorSince{.major = 6, .minor = 5};

constexpr Target kTarget{.ifindex = kLoopback};

DevMap reopened(Case& c, const DevMap& map, std::uint32_t open_flags = 0) {
  return c.must(DevMap::open_by_id(c.must(map.info()).id, map.value_size(), open_flags));
}

/// A map with an entry, made through another descriptor than that of a map that cannot be written.
DevMap map_with_entry_and_flags(Case& c, std::uint32_t map_flags = 0) {
  auto map = c.devmap(kEntries, map_flags);
  c.must(reopened(c, map).update(kPresent, kTarget));
  return map;
}

/// A descriptor for reading alone: it reads, and changes nothing. `writable` is another one of the same map.
void reads_only(Case& c, const DevMap& restricted, const DevMap& writable) {
  c.note("the controls go through another descriptor of the same map, which may read and write");
  c.succeeds(restricted.lookup(kPresent));
  c.succeeds(restricted.next_key(std::nullopt));
  c.refuses(restricted.update(kPresent, kTarget), EPERM).control(writable.update(kPresent, kTarget));
  c.refuses(restricted.erase(kPresent), EPERM).control(writable.erase(kPresent));
}

/// A descriptor for writing alone: it changes the map, and reads nothing. `readable` is another one of the same map.
void writes_only(Case& c, const DevMap& restricted, const DevMap& readable) {
  c.note("the controls go through another descriptor of the same map, which may read and write");
  c.refuses(restricted.lookup(kPresent), EPERM).control(readable.lookup(kPresent));
  c.refuses(restricted.next_key(std::nullopt), EPERM).control(readable.next_key(std::nullopt));
  c.succeeds(restricted.update(kMissing, kTarget));
  c.succeeds(restricted.erase(kMissing));
}

/// Programs redirect through the map whatever its descriptors may do.
void still_redirects(Case& c, const DevMap& map) {
  c.equals("bpf_redirect_map for the key that is present",
           returned_by(c, redirecting_program(c, map, kPresent, XDP_DROP)), XDP_REDIRECT);
}

void add_descriptor_rules(Registry& rules) {
  rules.add({
      .id = "life.created-read-only-reads-only",
      .states = "The descriptor of a map created with BPF_F_RDONLY looks up and walks; updating and deleting fail with "
                "EPERM.",
      .refuses = {EPERM},
      .source = {kUpdate, kDelete},
      .catalogue = {"LIFE-07"},
      .check =
          [](Case& c) {
            const auto map = map_with_entry_and_flags(c, BPF_F_RDONLY);
            reads_only(c, map, reopened(c, map));
          },
  });

  rules.add({
      .id = "life.created-write-only-writes-only",
      .states =
          "The descriptor of a map created with BPF_F_WRONLY updates and deletes; looking up and walking fail with "
          "EPERM.",
      .refuses = {EPERM},
      .source = {kLookup, kNext},
      .catalogue = {"LIFE-08"},
      .check =
          [](Case& c) {
            const auto map = map_with_entry_and_flags(c, BPF_F_WRONLY);
            writes_only(c, map, reopened(c, map));
          },
  });

  rules.add({
      .id = "life.programs-use-read-only-descriptor",
      .states = "A program that redirects through a map is loaded with a descriptor created with BPF_F_RDONLY.",
      .source = {"kernel/bpf/verifier.c:resolve_pseudo_ldimm64"},
      .catalogue = {"LIFE-07"},
      .check = [](Case& c) { still_redirects(c, map_with_entry_and_flags(c, BPF_F_RDONLY)); },
  });

  rules.add({
      .id = "life.programs-use-write-only-descriptor",
      .states = "A program that redirects through a map, or looks up in it, is loaded with a descriptor created with "
                "BPF_F_WRONLY.",
      .source = {"kernel/bpf/verifier.c:resolve_pseudo_ldimm64"},
      .catalogue = {"LIFE-08"},
      .check =
          [](Case& c) {
            const auto map = map_with_entry_and_flags(c, BPF_F_WRONLY);
            still_redirects(c, map);
            Assembler assembler;
            const auto missing = assembler.label();
            assembler.lookup(map, kPresent)
                .jump_if(Condition::equal, Register::r0, 0, missing)
                .load(Width::word, Register::r0, Register::r0, 0)
                .exit()
                .place(missing)
                .return_value(0);
            c.equals("the ifindex that a program looks up", returned_by(c, c.program(assembler)), kLoopback);
          },
  });

  rules.add({
      .id = "life.access-mode-is-not-the-maps",
      .states =
          "A map created with BPF_F_RDONLY or BPF_F_WRONLY can be written and read through a descriptor opened by "
          "id.",
      .source = {kById},
      .catalogue = {"LIFE-05", "LIFE-07", "LIFE-08"},
      .check =
          [](Case& c) {
            for (const std::uint32_t flag : {BPF_F_RDONLY, BPF_F_WRONLY}) {
              const auto map = c.devmap(kEntries, flag);
              const auto other = reopened(c, map);
              c.note("created with " + worded(flag, Notation::map_flags) + ", opened by id");
              c.succeeds(other.update(kPresent, kTarget));
              c.succeeds(other.lookup(kPresent));
            }
          },
  });

  rules.add({
      .id = "life.opened-by-id-read-only-reads-only",
      .states =
          "A descriptor opened by id with BPF_F_RDONLY looks up and walks; updating and deleting fail with EPERM.",
      .refuses = {EPERM},
      .source = {kById},
      .catalogue = {"LIFE-05"},
      .check =
          [](Case& c) {
            const auto map = map_with_entry_and_flags(c);
            reads_only(c, reopened(c, map, BPF_F_RDONLY), map);
          },
  });

  rules.add({
      .id = "life.opened-by-id-write-only-writes-only",
      .states =
          "A descriptor opened by id with BPF_F_WRONLY updates and deletes; looking up and walking fail with EPERM.",
      .refuses = {EPERM},
      .source = {kById},
      .catalogue = {"LIFE-05"},
      .check =
          [](Case& c) {
            const auto map = map_with_entry_and_flags(c);
            writes_only(c, reopened(c, map, BPF_F_WRONLY), map);
          },
  });

  rules.add({
      .id = "life.opened-pin-read-only-reads-only",
      .states = "A pin opened with BPF_F_RDONLY looks up and walks; updating and deleting fail with EPERM.",
      .refuses = {EPERM},
      .source = {kByPin},
      .catalogue = {"LIFE-06"},
      .check =
          [](Case& c) {
            const auto mount = c.must(DetachedMount::open("bpf"));
            const auto map = map_with_entry_and_flags(c);
            c.must(map.pin(mount.path("map")));
            reads_only(c, c.must(DevMap::open_pinned(mount.path("map"), c.value_size(), BPF_F_RDONLY)), map);
          },
  });

  rules.add({
      .id = "life.opened-pin-write-only-writes-only",
      .states = "A pin opened with BPF_F_WRONLY updates and deletes; looking up and walking fail with EPERM.",
      .refuses = {EPERM},
      .source = {kByPin},
      .catalogue = {"LIFE-06"},
      .check =
          [](Case& c) {
            const auto mount = c.must(DetachedMount::open("bpf"));
            const auto map = map_with_entry_and_flags(c);
            c.must(map.pin(mount.path("map")));
            writes_only(c, c.must(DevMap::open_pinned(mount.path("map"), c.value_size(), BPF_F_WRONLY)), map);
          },
  });

  rules.add({
      .id = "life.both-access-modes-are-einval",
      .states = "Opening by id or opening a pin with both BPF_F_RDONLY and BPF_F_WRONLY fails with EINVAL.",
      .refuses = {EINVAL},
      .source = {"kernel/bpf/syscall.c:bpf_get_file_flag"},
      .check =
          [](Case& c) {
            const auto mount = c.must(DetachedMount::open("bpf"));
            const auto map = c.devmap(kEntries);
            const auto path = mount.path("map");
            c.must(map.pin(path));
            const auto id = c.must(map.info()).id;
            for (const std::uint32_t one : {0U, std::uint32_t{BPF_F_RDONLY}, std::uint32_t{BPF_F_WRONLY}}) {
              c.refuses(Map::open_by_id(id, kBothModes), EINVAL).control(Map::open_by_id(id, one));
              c.refuses(Map::open_pinned(path, kBothModes), EINVAL).control(Map::open_pinned(path, one));
            }
          },
  });
}

void add_freeze_rules(Registry& rules) {
  rules.add({
      .id = "life.frozen-map-cannot-be-written",
      .states = "Updating and deleting fail with EPERM on a frozen map, through whichever descriptor.",
      .refuses = {EPERM},
      .since = kFreezeSince,
      .source = {kFreeze, "kernel/bpf/syscall.c:map_get_sys_perms"},
      .catalogue = {"LIFE-09"},
      .check =
          [](Case& c) {
            const auto map = map_with_entry_and_flags(c);
            const auto twin = map_with_entry_and_flags(c);
            const auto other = reopened(c, map);
            c.succeeds(map.freeze());
            c.note("the controls are on a map of the same kind that is not frozen");
            for (const auto* frozen : {&map, &other}) {
              c.note(frozen == &map ? "through the descriptor it was frozen by" : "through a descriptor opened before");
              c.refuses(frozen->update(kPresent, kTarget), EPERM).control(twin.update(kPresent, kTarget));
              c.refuses(frozen->erase(kPresent), EPERM).control(twin.erase(kPresent));
            }
          },
  });

  rules.add({
      .id = "life.frozen-map-can-be-read",
      .states = "Looking up and walking work on a frozen map, and give what was there before.",
      .since = kFreezeSince,
      .source = {kFreeze},
      .catalogue = {"LIFE-09"},
      .check =
          [](Case& c) {
            const auto map = map_with_entry_and_flags(c);
            c.must(map.freeze());
            c.equals("the element", c.succeeds(map.lookup(kPresent)), Element{.ifindex = kLoopback});
            c.succeeds(map.next_key(std::nullopt));
          },
  });

  rules.add({
      .id = "life.frozen-map-redirects",
      .states = "Redirects through a frozen map go on, and programs can still be loaded with it.",
      .since = kFreezeSince,
      .source = {kFreeze},
      .catalogue = {"LIFE-09"},
      .check =
          [](Case& c) {
            const auto map = map_with_entry_and_flags(c);
            const auto loaded_before = redirecting_program(c, map, kPresent, XDP_DROP);
            c.must(map.freeze());
            c.equals("bpf_redirect_map in a program loaded before", returned_by(c, loaded_before), XDP_REDIRECT);
            still_redirects(c, map);
          },
  });

  rules.add({
      .id = "life.fdinfo-says-frozen",
      .states = "fdinfo's line frozen is 0 before and 1 after a map is frozen.",
      .since = kFreezeSince,
      .source = {"kernel/bpf/syscall.c:bpf_map_show_fdinfo"},
      .catalogue = {"LIFE-09"},
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            c.equals("frozen before", c.must(map.fdinfo("frozen")), 0U);
            c.must(map.freeze());
            c.equals("frozen after", c.must(map.fdinfo("frozen")), 1U);
          },
  });

  rules.add({
      .id = "life.second-freeze-is-eperm",
      .states = "Freezing a frozen map fails with EPERM: its descriptors cannot write any more.",
      .refuses = {EPERM},
      .since = kFreezeByDescriptorSince,
      .source = {kFreeze},
      .commits = {kFreezeCommit},
      .catalogue = {"LIFE-10"},
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            c.must(map.freeze());
            c.note("the map is frozen; the control is a map that is not");
            c.refuses(map.freeze(), EPERM).control(c.devmap(kEntries).freeze());
          },
  });

  rules.add({
      .id = "life.second-freeze-is-ebusy",
      .states = "Freezing a frozen map fails with EBUSY.",
      .refuses = {EBUSY},
      .since = kFreezeSince,
      .until = kFreezeByDescriptorSince,
      .source = {kFreeze},
      .commits = {kFreezeCommit},
      .catalogue = {"LIFE-10"},
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            c.must(map.freeze());
            c.note("the map is frozen; the control is a map that is not");
            c.refuses(map.freeze(), EBUSY).control(c.devmap(kEntries).freeze());
          },
  });

  rules.add({
      .id = "life.freeze-needs-a-writable-descriptor",
      .states = "Freezing a map through a descriptor that cannot write fails with EPERM.",
      .refuses = {EPERM},
      .since = kFreezeByDescriptorSince,
      .source = {kFreeze},
      .commits = {kFreezeCommit},
      .catalogue = {"LIFE-11"},
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            c.note("through a descriptor opened with BPF_F_RDONLY; the control through one opened for both");
            c.refuses(reopened(c, map, BPF_F_RDONLY).freeze(), EPERM).control(reopened(c, map).freeze());
          },
  });

  rules.add({
      .id = "life.read-only-descriptor-freezes",
      .states = "A map can be frozen through a descriptor that cannot write.",
      .since = kFreezeSince,
      .until = kFreezeByDescriptorSince,
      .source = {kFreeze},
      .commits = {kFreezeCommit},
      .catalogue = {"LIFE-11"},
      .check =
          [](Case& c) {
            c.note("through a descriptor opened with BPF_F_RDONLY");
            c.succeeds(reopened(c, c.devmap(kEntries), BPF_F_RDONLY).freeze());
          },
  });

  rules.add({
      .id = "life.frozen-map-loses-elements-with-their-device",
      .states = "An element of a frozen map goes with its device.",
      .refuses = {ENOENT},
      .since = kFreezeSince,
      .source = {"kernel/bpf/devmap.c:dev_map_notification"},
      .catalogue = {"LIFE-12"},
      .documentation = {{.where = "include/uapi/linux/bpf.h, BPF_MAP_FREEZE",
                         .statement = "no future syscall invocations may alter the map state",
                         .agrees = false}},
      .variants = any_map(4),
      .needs = {features::veth()},
      .check =
          [](Case& c) {
            const auto pair = c.must(create_veth({.up = false}));
            const auto map = c.devmap(kEntries);
            constexpr std::uint32_t kStaying = 0;
            constexpr std::uint32_t kLeaving = 1;
            c.must(map.update(kStaying, {.ifindex = kLoopback}));
            c.must(map.update(kLeaving, {.ifindex = pair.first}));
            c.must(map.freeze());
            c.succeeds(map.lookup(kLeaving));
            c.note(fmt::format("the map is frozen; the device of key {} is removed, that of key {} stays", kLeaving,
                               kStaying));
            c.must(delete_link(pair.first));
            c.refuses(map.lookup(kLeaving), ENOENT).control(map.lookup(kStaying));
          },
  });
}

}  // namespace

void add_life_access_rules(Registry& rules) {
  add_descriptor_rules(rules);
  add_freeze_rules(rules);
}

}  // namespace devmap::cases
