#include <fcntl.h>
#include <unistd.h>
#include <cases/chapters.hpp>
#include <cases/released.hpp>
#include <cases/support.hpp>
#include <harness/base/resources.hpp>
#include <harness/base/unique_fd.hpp>
#include <harness/net/link.hpp>
#include <harness/spec/case.hpp>

#include <cerrno>
#include <climits>

// What an update does with the second word of an entry, a program's descriptor.
namespace devmap::cases {
namespace {

const std::string kArrayUpdate = "kernel/bpf/devmap.c:__dev_map_update_elem";
const std::string kHashUpdate = "kernel/bpf/devmap.c:__dev_map_hash_update_elem";
const std::string kAllocNode = "kernel/bpf/devmap.c:__dev_map_alloc_node";
constexpr KernelVersion kProgramsSince{.major = 5, .minor = 8};
constexpr std::uint32_t kEntries = 4;
constexpr std::uint32_t kKey = 1;
constexpr std::uint32_t kNoDevice = 99999;
constexpr Element kWithoutProgram{.ifindex = kLoopback};

Target lo_with(int program_fd) {
  return {.ifindex = kLoopback, .program_fd = program_fd};
}
Target lo_with(const Program& program) {
  return lo_with(program.fd());
}
Element lo_and(Case& c, const Program& program) {
  return {.ifindex = kLoopback, .program_id = id_of(c, program)};
}

/// A program that may not be in a map entry.
Program unfit_program(Case& c, const ProgramSpec& spec) {
  return c.program(Assembler().return_value(XDP_PASS), spec);
}

/// An update with this descriptor must be EINVAL, and leave no entry.
void unfit(Case& c, const DevMap& map, int fd) {
  const auto egress = c.egress_program();
  auto refusal = c.refuses(map.update(kKey, lo_with(fd)), EINVAL);
  has(c, map, kKey, std::nullopt);
  std::move(refusal).control(map.update(kKey, lo_with(egress)));
  c.must(map.erase(kKey));
}

bool is_open(std::uint32_t number) {
  return fcntl(static_cast<int>(number), F_GETFD) != -1;
}

/// An egress program whose id is not the number of an open descriptor. Those loaded on the way to it are not kept: ids
/// go up all the same (kernel/bpf/syscall.c:bpf_prog_alloc_id), and soon after booting descriptors would with them.
Program program_with_id_that_is_no_descriptor(Case& c) {
  for (;;) {
    auto program = c.egress_program();
    if (!is_open(id_of(c, program))) return program;
  }
}

/// A program's id can be the number of a descriptor, which fails where ids have grown beyond what a process may open.
Feature ids_within_descriptors() {
  return {.name = "program ids that are small enough to be descriptors",
          .remedy = "run it soon after booting, or with CAP_SYS_RESOURCE and a large enough fs.nr_open",
          .probe = [] {
            const auto instructions = Assembler().return_value(XDP_PASS).build();
            if (!instructions) return Fact{Presence::could_not_tell, instructions.error().text()};
            const auto program = Program::load({}, *instructions);
            if (!program) return Fact{Presence::could_not_tell, "no program loads: " + errno_name(program.error())};
            const auto info = program.value().info();
            if (!info) return Fact{Presence::could_not_tell, "no program info: " + errno_name(info.error())};
            // The check loads a few more, and so do others meanwhile.
            constexpr std::uint32_t kHeadroom = 1000;
            const auto allowed = allow_descriptor(static_cast<int>(info.value().id + kHeadroom));
            const auto newest = fmt::format("the newest program has id {}", info.value().id);
            if (allowed) return Fact{Presence::present, newest};
            return Fact{Presence::absent, newest + ", a number that no descriptor may have: " + allowed.error().text()};
          }};
}

void add_accepted(Registry& rules) {
  rules.add({
      .id = "update.program-id-is-read-back",
      .states = "An update accepts an XDP program of expected attach type BPF_XDP_DEVMAP, and a lookup gives its id.",
      .since = kProgramsSince,
      .source = {kAllocNode},
      .commits = {"fbee97feed9b"},
      .catalogue = {"UPDATE-20"},
      .variants = any_map(8),
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            const auto egress = c.egress_program();
            c.succeeds(map.update(kKey, lo_with(egress)));
            has(c, map, kKey, lo_and(c, egress));
          },
  });

  rules.add({
      .id = "update.program-fd-below-one-is-no-program",
      .states = "A program descriptor of 0 or less means that the entry has no program.",
      .since = kProgramsSince,
      .source = {kAllocNode},
      .commits = {"281920b7e0b3"},
      .catalogue = {"UPDATE-18"},
      .variants = any_map(8),
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            for (const int fd : {0, -1, -5, INT_MIN}) {
              c.succeeds(map.update(kKey, lo_with(fd)));
              has(c, map, kKey, kWithoutProgram);
              c.must(map.erase(kKey));
            }
          },
  });

  rules.add({
      .id = "update.four-byte-value-has-no-program",
      .states = "A map with 4-byte values takes no program: what follows the ifindex in memory is not looked at.",
      .source = {"kernel/bpf/syscall.c:map_update_elem"},
      .catalogue = {"UPDATE-21"},
      .variants = any_map(4),
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            const auto unfit = unfit_program(c, {});
            const auto egress = c.egress_program();
            for (const int fd : {INT_MAX, unfit.fd(), egress.fd()}) {
              c.note(fmt::format("the ifindex is followed by the word {} in memory", fd));
              c.succeeds(map.update(kKey, lo_with(fd)));
              has(c, map, kKey, kWithoutProgram);
            }
          },
  });

  rules.add({
      .id = "update.program-in-many-entries-and-maps",
      .states = "A program may be in any number of entries, and of maps of either type.",
      .since = kProgramsSince,
      .source = {kAllocNode},
      .catalogue = {"UPDATE-24"},
      .variants = any_map(8),
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            const auto same_type = c.devmap(kEntries);
            const auto other_type = c.must(
                DevMap::create({.type = c.type() == DevMapType::devmap ? DevMapType::devmap_hash : DevMapType::devmap,
                                .value_size = c.value_size()}));
            const auto egress = c.egress_program();
            const auto stated = lo_and(c, egress);
            for (std::uint32_t key = 0; key < kEntries; ++key) {
              c.succeeds(map.update(key, lo_with(egress)));
              has(c, map, key, stated);
            }
            for (const auto* other : {&same_type, &other_type}) {
              c.succeeds(other->update(kKey, lo_with(egress)));
              has(c, *other, kKey, stated);
            }
          },
  });

  rules.add({
      .id = "update.program-is-replaced",
      .states = "An update replaces the program of an entry by the one it brings.",
      .since = kProgramsSince,
      .source = {kArrayUpdate, kHashUpdate},
      .variants = any_map(8),
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            const auto first = c.egress_program();
            const auto second = c.egress_program();
            for (const auto* program : {&first, &second, &first}) {
              c.succeeds(map.update(kKey, lo_with(*program)));
              has(c, map, kKey, lo_and(c, *program));
            }
          },
  });

  rules.add({
      .id = "update.without-program-drops-it",
      .states = "An update without a program removes the program of the entry it replaces.",
      .since = kProgramsSince,
      .source = {kArrayUpdate, kHashUpdate},
      .catalogue = {"UPDATE-22"},
      .variants = any_map(8),
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            const auto egress = c.egress_program();
            c.must(map.update(kKey, lo_with(egress)));
            has(c, map, kKey, lo_and(c, egress));
            c.succeeds(map.update(kKey, lo_with(0)));
            has(c, map, kKey, kWithoutProgram);
          },
  });

  rules.add({
      .id = "update.dropped-program-is-released",
      .states = "A map keeps the program of an entry loaded, and lets go of it soon after an update without one.",
      .since = kProgramsSince,
      .source = {kArrayUpdate, kHashUpdate, "kernel/bpf/devmap.c:__dev_map_entry_free"},
      .catalogue = {"UPDATE-22"},
      .variants = any_map(8),
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            auto egress = c.egress_program();
            const auto id = id_of(c, egress);
            c.must(map.update(kKey, lo_with(egress)));
            egress.close();
            c.note("the program's own descriptor is closed");
            c.succeeds(program_held(id));
            c.succeeds(map.update(kKey, lo_with(0)));
            program_goes(c, id);
          },
  });
}

void add_refused(Registry& rules) {
  rules.add({
      .id = "update.array-ifindex-zero-with-program-is-einval",
      .states =
          "An update of a DEVMAP with ifindex 0 and a program descriptor above 0 is refused with EINVAL, whatever the "
          "descriptor is.",
      .refuses = {EINVAL},
      .since = kProgramsSince,
      .source = {kArrayUpdate},
      .catalogue = {"UPDATE-12"},
      .variants = devmap_only({8}),
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            const auto egress = c.egress_program();
            for (const int fd : {egress.fd(), INT_MAX}) {
              c.must(map.update(kKey, lo_with(egress)));
              auto refusal = c.refuses(map.update(kKey, {.ifindex = 0, .program_fd = fd}), EINVAL);
              has(c, map, kKey, lo_and(c, egress));
              std::move(refusal).control(map.update(kKey, {.ifindex = 0, .program_fd = 0}));
            }
            c.refuses(map.update(kKey, {.ifindex = 0, .program_fd = egress.fd()}), EINVAL)
                .control(map.update(kKey, lo_with(egress)));
          },
  });

  rules.add({
      .id = "update.array-ifindex-zero-with-fd-below-one-clears",
      .states = "An update of a DEVMAP with ifindex 0 and a program descriptor of 0 or less removes the entry.",
      .since = kProgramsSince,
      .source = {kArrayUpdate},
      .catalogue = {"UPDATE-12"},
      .variants = devmap_only({8}),
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            for (const int fd : {0, -1, INT_MIN}) {
              c.must(map.update(kKey, lo_with(0)));
              c.succeeds(map.update(kKey, {.ifindex = 0, .program_fd = fd}));
              has(c, map, kKey, std::nullopt);
            }
          },
  });

  rules.add({
      .id = "update.closed-program-fd-is-einval",
      .states = "A program descriptor that is not open is refused with EINVAL, not EBADF.",
      .refuses = {EINVAL},
      .since = kProgramsSince,
      .source = {kAllocNode},
      .catalogue = {"UPDATE-19"},
      .variants = any_map(8),
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            unfit(c, map, INT_MAX);
            const auto egress = c.egress_program();
            auto closed = c.egress_program();
            const int number = closed.fd();
            closed.close();
            c.refuses(map.update(kKey, lo_with(number)), EINVAL).control(map.update(kKey, lo_with(egress)));
          },
  });

  rules.add({
      .id = "update.fd-of-no-program-is-einval",
      .states = "A program descriptor that is one of something else, a map or a file, is refused with EINVAL.",
      .refuses = {EINVAL},
      .since = kProgramsSince,
      .source = {kAllocNode},
      .catalogue = {"UPDATE-19"},
      .variants = any_map(8),
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            unfit(c, map, map.fd());
            const UniqueFd file(open("/dev/null", O_RDONLY | O_CLOEXEC));
            unfit(c, map, file.get());
          },
  });

  rules.add({
      .id = "update.program-of-other-type-is-einval",
      .states =
          "A program that is no XDP program is refused with EINVAL, also where its expected attach type has the number "
          "of BPF_XDP_DEVMAP.",
      .refuses = {EINVAL},
      .since = kProgramsSince,
      .source = {kAllocNode},
      .catalogue = {"UPDATE-19"},
      .variants = any_map(8),
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            for (const std::uint32_t attach_type : {std::uint32_t{0}, std::uint32_t{BPF_XDP_DEVMAP}}) {
              c.note(fmt::format("a program of type BPF_PROG_TYPE_SCHED_CLS, expected attach type {}", attach_type));
              const auto classifier =
                  unfit_program(c, {.type = BPF_PROG_TYPE_SCHED_CLS, .expected_attach_type = attach_type});
              unfit(c, map, classifier.fd());
            }
          },
  });

  rules.add({
      .id = "update.xdp-program-of-other-attach-type-is-einval",
      .states = "An XDP program whose expected attach type is not BPF_XDP_DEVMAP is refused with EINVAL.",
      .refuses = {EINVAL},
      .since = kProgramsSince,
      .source = {kAllocNode},
      .catalogue = {"UPDATE-19"},
      .variants = any_map(8),
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            for (const std::uint32_t attach_type :
                 {std::uint32_t{0}, std::uint32_t{BPF_XDP_CPUMAP}, std::uint32_t{BPF_XDP}}) {
              c.note(fmt::format("an XDP program of expected attach type {}", attach_type));
              const auto other = unfit_program(c, {.expected_attach_type = attach_type});
              unfit(c, map, other.fd());
            }
          },
  });

  rules.add({
      .id = "update.failed-update-keeps-the-entry",
      .states = "An update that is refused leaves the device and the program of the entry as they were.",
      .refuses = {EINVAL, EEXIST},
      .source = {kArrayUpdate, kHashUpdate},
      .catalogue = {"UPDATE-17"},
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            const bool with_program = c.value_size() == sizeof(bpf_devmap_val);
            const auto egress = c.egress_program();
            const Target before = lo_with(with_program ? egress.fd() : 0);
            const Element stated = with_program ? lo_and(c, egress) : kWithoutProgram;
            c.must(map.update(kKey, before));
            const auto kept = [&](Target target, std::uint64_t flags, int code) {
              auto refusal = c.refuses(map.update(kKey, target, flags), code);
              has(c, map, kKey, stated);
              std::move(refusal).control(map.update(kKey, before));
            };
            kept(lo_with(0), BPF_NOEXIST | BPF_EXIST, EINVAL);
            kept(lo_with(0), BPF_NOEXIST, EEXIST);
            kept({.ifindex = kNoDevice}, BPF_ANY, EINVAL);
            if (with_program) kept(lo_with(INT_MAX), BPF_ANY, EINVAL);
          },
  });

  rules.add({
      .id = "update.value-read-is-refused-when-written-back",
      .states =
          "The value that a lookup gives of an entry with a program has the program's id where an update expects a "
          "descriptor: written back as it is, it is refused with EINVAL.",
      .refuses = {EINVAL},
      .since = kProgramsSince,
      .source = {kAllocNode},
      .catalogue = {"UPDATE-23"},
      .variants = any_map(8),
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            const auto egress = program_with_id_that_is_no_descriptor(c);
            c.must(map.update(kKey, lo_with(egress)));
            const auto read = c.must(map.lookup(kKey));
            c.refuses(map.update(kKey, lo_with(static_cast<int>(read.program_id))), EINVAL)
                .control(map.update(kKey, lo_with(egress)));
          },
  });

  rules.add({
      .id = "update.value-written-back-may-name-another-program",
      .states =
          "The value that a lookup gives, written back, puts another program into the entry where the program's id is "
          "by chance the number of that one's descriptor.",
      .since = kProgramsSince,
      .source = {kAllocNode},
      .catalogue = {"UPDATE-23"},
      .variants = any_map(8),
      .needs = {ids_within_descriptors()},
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            const auto another = c.egress_program();
            const auto egress = program_with_id_that_is_no_descriptor(c);
            const int number = static_cast<int>(id_of(c, egress));
            c.must(allow_descriptor(number));
            const UniqueFd by_chance(dup3(another.fd(), number, O_CLOEXEC));
            c.holds("another program has the descriptor that is the first one's id", by_chance.get() == number);
            c.must(map.update(kKey, lo_with(egress)));
            const auto read = c.must(map.lookup(kKey));
            c.succeeds(map.update(kKey, lo_with(static_cast<int>(read.program_id))));
            has(c, map, kKey, lo_and(c, another));
          },
  });
}

}  // namespace

void add_update_programs(Registry& rules) {
  add_accepted(rules);
  add_refused(rules);
}

}  // namespace devmap::cases
