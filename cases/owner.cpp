#include <cases/chapters.hpp>
#include <cases/released.hpp>
#include <cases/support.hpp>
#include <harness/bpf/features.hpp>
#include <harness/net/frame.hpp>
#include <harness/net/link.hpp>
#include <harness/spec/case.hpp>

#include <array>
#include <cerrno>
#include <sstream>

// A map that can hold programs remembers the first program it meets, by a load that names the map or by an update that
// inserts it. Later ones must be of its kind. A map never forgets, so every step here that wants to be first has a map
// of its own.
namespace devmap::cases {
namespace {

constexpr KernelVersion kEgressSince{.major = 5, .minor = 8};
constexpr KernelVersion kOwnersSince{.major = 5, .minor = 18};
const std::string kCompatible = "kernel/bpf/core.c:__bpf_prog_map_compatible";
const std::string kCheckedMaps = "kernel/bpf/core.c:bpf_check_tail_call";
const std::string kMapsWithPrograms = "include/linux/bpf.h:map_type_contains_progs";
const std::string kOwnersCommit = "f45d5b6ce2e8";
constexpr std::uint32_t kFrags = BPF_F_XDP_HAS_FRAGS;
/// The two kinds of XDP program that do not mix, each with the other.
constexpr std::array<std::array<std::uint32_t, 2>, 2> kKinds = {{{0, kFrags}, {kFrags, 0}}};

ProgramSpec main_program(std::uint32_t flags, std::string purpose) {
  return {.flags = flags, .purpose = std::move(purpose)};
}

ProgramSpec egress_spec(std::uint32_t flags = 0) {
  return {.expected_attach_type = BPF_XDP_DEVMAP, .flags = flags};
}

/// Types whose programs may look a device map up, and have nothing to do with XDP.
constexpr std::array kForeignTypes = {BPF_PROG_TYPE_SCHED_CLS, BPF_PROG_TYPE_SOCKET_FILTER, BPF_PROG_TYPE_KPROBE};

/// A program that is none of XDP's business looks the map up, and is held.
Program seize(Case& c, const DevMap& map, std::uint32_t type = BPF_PROG_TYPE_SCHED_CLS) {
  c.note(fmt::format("the first program the map meets is of type {}", worded(type, Notation::program_type)));
  return c.program(looking_up(map), {.type = type});
}

/// The verifier was content, and has nothing to say of why: its log is empty but for its statistics.
void gives_no_reason(Case& c, const Reply<Program>& refused) {
  std::string reasons;
  std::istringstream log(refused.explanation());
  for (std::string line; std::getline(log, line);) {
    if (!line.starts_with("processed ")) reasons += line + '\n';
  }
  c.holds("the verifier log gives no reason", reasons.empty(),
          reasons.empty() ? "no line but its statistics" : reasons);
}

/// An XDP program that redirects through the map: refused without a word, though it loads with a map that is new.
void refuses_xdp_program(Case& c, const DevMap& map) {
  const auto fresh = c.devmap();
  const auto reply = load(c, redirecting(map), {.purpose = "redirects through the map"});
  c.refuses(reply, EINVAL).control(load(c, redirecting(fresh), {.purpose = "redirects through a new map"}));
  gives_no_reason(c, reply);
}

void shows_owner_type(Case& c, const DevMap& map, std::uint32_t type) {
  c.equals("owner_prog_type in fdinfo", c.must(map.fdinfo("owner_prog_type")), std::optional<std::uint64_t>(type));
}

/// What the map's fdinfo says of its owner: the type of program, and whether it was compiled.
void shows_owner(Case& c, const DevMap& map, const Program& owner) {
  const auto info = c.must(owner.info());
  shows_owner_type(c, map, info.type);
  c.equals("owner_jited in fdinfo", c.must(map.fdinfo("owner_jited")),
           std::optional<std::uint64_t>(info.jited_length > 0 ? 1 : 0));
}

void shows_no_owner(Case& c, const DevMap& map) {
  c.equals("owner_prog_type in fdinfo before the map has an owner", c.must(map.fdinfo("owner_prog_type")),
           std::optional<std::uint64_t>());
}

void check_owner_after_insert(Case& c) {
  const auto map = c.devmap();
  const auto egress = c.egress_program();
  shows_no_owner(c, map);
  c.must(map.update(0, {.ifindex = kLoopback, .program_fd = egress.fd()}));
  shows_owner(c, map, egress);
}

void add_main_program_rules(Registry& rules) {
  rules.add({
      .id = "owner.devmap-refuses-main-program-of-other-kind",
      .states =
          "A program that names a DEVMAP is refused with EINVAL and no reason in the verifier log where it differs in "
          "BPF_F_XDP_HAS_FRAGS from the first program that named it.",
      .refuses = {EINVAL},
      .since = kOwnersSince,
      .source = {kCheckedMaps, kCompatible, kMapsWithPrograms},
      .commits = {kOwnersCommit},
      .catalogue = {"OWNER-01"},
      .variants = devmap_only(),
      .needs = {features::frags_programs()},
      .check =
          [](Case& c) {
            for (const auto& [first, other] : kKinds) {
              const auto map = c.devmap();
              const auto owner = c.program(redirecting(map), main_program(first, "is the first to name the map"));
              const auto reply = load(c, redirecting(map), main_program(other, "is the second to name the map"));
              c.refuses(reply, EINVAL)
                  .control(load(c, redirecting(map), main_program(first, "is the third to name the map")));
              gives_no_reason(c, reply);
            }
          },
  });

  rules.add({
      .id = "owner.devmap-hash-takes-main-programs-of-any-kind",
      .states =
          "Programs that name a DEVMAP_HASH load whatever programs named it before: it is not among the maps that "
          "are checked.",
      .source = {kCheckedMaps, kMapsWithPrograms},
      .catalogue = {"OWNER-02"},
      .documentation = {{.where = "Documentation/bpf/map_devmap.rst",
                         .statement = "The setup and packet enqueue/send code is shared between the two types of "
                                      "devmap; only the lookup and insertion is different",
                         .agrees = false}},
      .variants = devmap_hash_only(),
      .needs = {features::frags_programs()},
      .check =
          [](Case& c) {
            for (const auto& [first, other] : kKinds) {
              const auto map = c.devmap();
              const auto owner = c.program(redirecting(map), main_program(first, "is the first to name the map"));
              c.succeeds(load(c, redirecting(map), main_program(other, "is the second to name the map")));
              c.succeeds(load(c, redirecting(map), main_program(first, "is the third to name the map")));
            }
          },
  });

  rules.add({
      .id = "owner.refused-program-is-no-owner",
      .states = "A program that the verifier refuses does not become the owner of the DEVMAP it names.",
      .refuses = {EINVAL},
      .since = kOwnersSince,
      .source = {kCheckedMaps},
      .variants = devmap_only(),
      .check =
          [](Case& c) {
            const auto map = c.devmap();
            const auto refused =
                load(c, redirecting(map), {.type = BPF_PROG_TYPE_SCHED_CLS, .purpose = "may not redirect"});
            shows_no_owner(c, map);
            c.refuses(refused, EINVAL).control(load(c, redirecting(map), {.purpose = "may redirect"}));
            shows_owner_type(c, map, BPF_PROG_TYPE_XDP);
          },
  });

  rules.add({
      .id = "owner.unchecked-behind-outer-map",
      .states = "A main program that reaches a DEVMAP through a map of maps is not checked against the DEVMAP's owner.",
      .refuses = {EINVAL},
      .since = kOwnersSince,
      .source = {kCheckedMaps},
      .catalogue = {"OWNER-09"},
      .variants = devmap_only({8}),
      .needs = {features::frags_programs()},
      .check =
          [](Case& c) {
            const auto map = c.devmap();
            const auto outer = c.must(Map::create({.type = BPF_MAP_TYPE_ARRAY_OF_MAPS,
                                                   .max_entries = 1,
                                                   .inner_map_fd = static_cast<std::uint32_t>(map.fd())}));
            c.must(outer.update(0, map.fd()));
            const auto egress = c.egress_program();
            c.must(map.update(0, {.ifindex = kLoopback, .program_fd = egress.fd()}));

            Assembler through_outer;
            const auto out = through_outer.label();
            through_outer.lookup(outer, 0)
                .jump_if(Condition::equal, Register::r0, 0, out)
                .move(Register::r1, Register::r0)
                .move(Register::r2, 0)
                .move(Register::r3, XDP_DROP)
                .call(BPF_FUNC_redirect_map)
                .place(out)
                .exit();
            for (const std::uint32_t kind : {0U, kFrags}) {
              const auto program =
                  c.succeeds(load(c, through_outer, main_program(kind, "redirects through the outer map")));
              const auto run = c.must(program.test_run({.repeat = 1, .data_in = make_frame()}));
              c.equals("its bpf_redirect_map through the outer map returns", run.return_value,
                       static_cast<std::uint32_t>(XDP_REDIRECT));
            }
            c.refuses(load(c, redirecting(map), main_program(kFrags, "redirects through the map by its name")), EINVAL)
                .control(load(c, redirecting(map), main_program(0, "redirects through the map by its name")));
          },
  });
}

void add_egress_program_rules(Registry& rules) {
  rules.add({
      .id = "owner.egress-programs-are-of-one-kind",
      .states = "An egress program that differs in BPF_F_XDP_HAS_FRAGS from the first one inserted is refused with "
                "EINVAL.",
      .refuses = {EINVAL},
      .since = kOwnersSince,
      .source = {"kernel/bpf/devmap.c:__dev_map_alloc_node", kCompatible},
      .commits = {kOwnersCommit},
      .catalogue = {"OWNER-03"},
      .variants = any_map(8),
      .needs = {features::frags_programs()},
      .check =
          [](Case& c) {
            for (const auto& [first, other] : kKinds) {
              const auto map = c.devmap();
              const auto owner = c.egress_program(egress_spec(first));
              const auto stranger = c.egress_program(egress_spec(other));
              const auto alike = c.egress_program(egress_spec(first));
              c.must(map.update(0, {.ifindex = kLoopback, .program_fd = owner.fd()}));
              c.note(fmt::format("the first program in the map has flags {}, the refused one {}, the control {}",
                                 worded(first, Notation::program_flags), worded(other, Notation::program_flags),
                                 worded(first, Notation::program_flags)));
              c.refuses(map.update(1, {.ifindex = kLoopback, .program_fd = stranger.fd()}), EINVAL)
                  .control(map.update(1, {.ifindex = kLoopback, .program_fd = alike.fd()}));
            }
          },
  });

  rules.add({
      .id = "owner.egress-program-must-match-main-program",
      .states = "A DEVMAP whose first program is a main program refuses egress programs that differ from it in "
                "BPF_F_XDP_HAS_FRAGS with EINVAL.",
      .refuses = {EINVAL},
      .since = kOwnersSince,
      .source = {kCompatible},
      .commits = {kOwnersCommit},
      .catalogue = {"OWNER-05"},
      .variants = devmap_only({8}),
      .needs = {features::frags_programs()},
      .check =
          [](Case& c) {
            for (const auto& [first, other] : kKinds) {
              const auto map = c.devmap();
              const auto owner = c.program(redirecting(map), main_program(first, "names the map"));
              const auto stranger = c.egress_program(egress_spec(other));
              const auto alike = c.egress_program(egress_spec(first));
              c.note(fmt::format("the main program has flags {}, the refused egress program {}, the control {}",
                                 worded(first, Notation::program_flags), worded(other, Notation::program_flags),
                                 worded(first, Notation::program_flags)));
              c.refuses(map.update(0, {.ifindex = kLoopback, .program_fd = stranger.fd()}), EINVAL)
                  .control(map.update(0, {.ifindex = kLoopback, .program_fd = alike.fd()}));
            }
          },
  });

  rules.add({
      .id = "owner.main-program-must-match-egress-program",
      .states = "A DEVMAP whose first program is an egress program makes the load of a main program that names it and "
                "differs in BPF_F_XDP_HAS_FRAGS fail with EINVAL.",
      .refuses = {EINVAL},
      .since = kOwnersSince,
      .source = {kCheckedMaps, kCompatible},
      .commits = {kOwnersCommit},
      .catalogue = {"OWNER-05"},
      .variants = devmap_only({8}),
      .needs = {features::frags_programs()},
      .check =
          [](Case& c) {
            for (const auto& [first, other] : kKinds) {
              const auto map = c.devmap();
              const auto owner = c.egress_program(egress_spec(first));
              c.must(map.update(0, {.ifindex = kLoopback, .program_fd = owner.fd()}));
              c.refuses(load(c, redirecting(map), main_program(other, "is not of the egress program's kind")), EINVAL)
                  .control(load(c, redirecting(map), main_program(first, "is of the egress program's kind")));
            }
          },
  });

  rules.add({
      .id = "owner.refused-insert-makes-no-owner",
      .states = "An update that is refused for its device or its program's attach type does not make its program the "
                "map's owner.",
      .refuses = {EINVAL},
      .since = kOwnersSince,
      .source = {"kernel/bpf/devmap.c:__dev_map_alloc_node"},
      .variants = any_map(8),
      .needs = {features::frags_programs()},
      .check =
          [](Case& c) {
            const auto map = c.devmap(1);
            const auto frags = c.egress_program(egress_spec(kFrags));
            const auto no_egress = c.program(Assembler().return_value(XDP_PASS));
            const auto egress = c.egress_program();
            constexpr std::uint32_t kNoDevice = 4242;
            c.note(fmt::format("program fd {} has BPF_F_XDP_HAS_FRAGS, {} has not, and {} is no egress program",
                               frags.fd(), egress.fd(), no_egress.fd()));
            c.refuses(map.update(0, {.ifindex = kNoDevice, .program_fd = frags.fd()}), EINVAL)
                .control(map.update(0, {.ifindex = kLoopback}));
            c.refuses(map.update(0, {.ifindex = kLoopback, .program_fd = no_egress.fd()}), EINVAL)
                .control(map.update(0, {.ifindex = kLoopback}));
            shows_no_owner(c, map);
            c.succeeds(map.update(0, {.ifindex = kLoopback, .program_fd = egress.fd()}));
          },
  });

  rules.add({
      .id = "owner.insert-out-of-range-makes-no-owner",
      .states = "An update of a DEVMAP that is refused for its key does not make its program the map's owner.",
      .refuses = {E2BIG},
      .since = kOwnersSince,
      .source = {"kernel/bpf/devmap.c:__dev_map_update_elem"},
      .variants = devmap_only({8}),
      .needs = {features::frags_programs()},
      .check =
          [](Case& c) {
            const auto map = c.devmap(1);
            const auto frags = c.egress_program(egress_spec(kFrags));
            const auto egress = c.egress_program();
            c.note(fmt::format("program fd {} has BPF_F_XDP_HAS_FRAGS, {} has not", frags.fd(), egress.fd()));
            c.refuses(map.update(1, {.ifindex = kLoopback, .program_fd = frags.fd()}), E2BIG)
                .control(map.update(0, {.ifindex = kLoopback}));
            shows_no_owner(c, map);
            c.succeeds(map.update(0, {.ifindex = kLoopback, .program_fd = egress.fd()}));
          },
  });

  rules.add({
      .id = "owner.insert-into-full-hash-makes-an-owner",
      .states = "An update of a full DEVMAP_HASH that is refused with E2BIG still makes its program the map's owner.",
      .refuses = {E2BIG, EINVAL},
      .since = kOwnersSince,
      .source = {"kernel/bpf/devmap.c:__dev_map_hash_update_elem"},
      .variants = devmap_hash_only({8}),
      .needs = {features::frags_programs()},
      .check =
          [](Case& c) {
            const auto map = c.devmap(1);
            const auto frags = c.egress_program(egress_spec(kFrags));
            const auto plain = c.egress_program();
            c.must(map.update(0, {.ifindex = kLoopback}));
            c.refuses(map.update(1, {.ifindex = kLoopback, .program_fd = frags.fd()}), E2BIG)
                .control(map.update(0, {.ifindex = kLoopback}));
            c.note("the program that was not inserted has BPF_F_XDP_HAS_FRAGS, the next has not, the control has");
            c.refuses(map.update(0, {.ifindex = kLoopback, .program_fd = plain.fd()}), EINVAL)
                .control(map.update(0, {.ifindex = kLoopback, .program_fd = frags.fd()}));
          },
  });

  rules.add({
      .id = "owner.tail-call-in-egress-program",
      .states = "An egress program may tail-call into a PROG_ARRAY of BPF_XDP_DEVMAP programs, and may be inserted.",
      .since = kEgressSince,
      .source = {kCheckedMaps},
      .catalogue = {"OWNER-14"},
      .variants = any_map(8),
      .check =
          [](Case& c) {
            const auto map = c.devmap();
            const auto programs = c.must(Map::create({.type = BPF_MAP_TYPE_PROG_ARRAY}));
            const auto callee = c.egress_program();
            c.must(programs.update(0, callee.fd()));
            const auto caller = c.succeeds(load(c, Assembler().tail_call(programs, 0).return_value(XDP_PASS),
                                                {.expected_attach_type = BPF_XDP_DEVMAP, .purpose = "tail-calls"}));
            c.succeeds(map.update(0, {.ifindex = kLoopback, .program_fd = caller.fd()}));
          },
  });
}

void add_memory_rules(Registry& rules) {
  rules.add({
      .id = "owner.deleting-entries-keeps-the-owner",
      .states = "Deleting every entry of a map does not make it forget the kind of its first egress program.",
      .refuses = {EINVAL},
      .since = kOwnersSince,
      .source = {kCompatible},
      .commits = {kOwnersCommit},
      .catalogue = {"OWNER-04"},
      .variants = any_map(8),
      .needs = {features::frags_programs()},
      .check =
          [](Case& c) {
            for (const auto& [first, other] : kKinds) {
              const auto map = c.devmap();
              const auto owner = c.egress_program(egress_spec(first));
              const auto stranger = c.egress_program(egress_spec(other));
              c.must(map.update(0, {.ifindex = kLoopback, .program_fd = owner.fd()}));
              c.must(map.erase(0));
              c.note(fmt::format("the program that was deleted has flags {}, the refused one {}, the control {}",
                                 worded(first, Notation::program_flags), worded(other, Notation::program_flags),
                                 worded(first, Notation::program_flags)));
              c.refuses(map.update(0, {.ifindex = kLoopback, .program_fd = stranger.fd()}), EINVAL)
                  .control(map.update(0, {.ifindex = kLoopback, .program_fd = owner.fd()}));
            }
          },
  });

  rules.add({
      .id = "owner.unloading-the-program-keeps-the-owner",
      .states = "A map remembers the kind of its first program when that program is no longer loaded.",
      .refuses = {EINVAL},
      .since = kOwnersSince,
      .source = {kCompatible},
      .commits = {kOwnersCommit},
      .catalogue = {"OWNER-04"},
      .variants = any_map(8),
      .needs = {features::frags_programs()},
      .check =
          [](Case& c) {
            const auto map = c.devmap();
            const auto stranger = c.egress_program(egress_spec(0));
            const auto alike = c.egress_program(egress_spec(kFrags));
            auto owner = c.egress_program(egress_spec(kFrags));
            const auto id = c.must(owner.info()).id;
            c.must(map.update(0, {.ifindex = kLoopback, .program_fd = owner.fd()}));
            c.must(map.erase(0));
            owner.close();
            // An entry lets go of its program after an RCU grace period.
            program_goes(c, id);
            c.note("the unloaded program had BPF_F_XDP_HAS_FRAGS, the refused one has not, the control has");
            c.refuses(map.update(0, {.ifindex = kLoopback, .program_fd = stranger.fd()}), EINVAL)
                .control(map.update(0, {.ifindex = kLoopback, .program_fd = alike.fd()}));
          },
  });

  rules.add({
      .id = "owner.unloading-foreign-program-keeps-the-owner",
      .states =
          "A DEVMAP that a program of another type has looked up takes no XDP programs after that one is unloaded "
          "either.",
      .refuses = {EINVAL},
      .since = kOwnersSince,
      .source = {kCompatible},
      .commits = {kOwnersCommit},
      .catalogue = {"OWNER-04", "OWNER-06"},
      .variants = devmap_only(),
      .check =
          [](Case& c) {
            const auto map = c.devmap();
            auto owner = seize(c, map);
            const auto id = c.must(owner.info()).id;
            owner.close();
            program_goes(c, id);
            refuses_xdp_program(c, map);
          },
  });

  rules.add({
      .id = "owner.fdinfo-shows-foreign-owner",
      .states = "/proc/PID/fdinfo shows the type of program that owns a DEVMAP (owner_prog_type), and whether it was "
                "compiled (owner_jited).",
      .since = kOwnersSince,
      .source = {"kernel/bpf/syscall.c:bpf_map_show_fdinfo"},
      .commits = {kOwnersCommit},
      .catalogue = {"OWNER-13"},
      .variants = devmap_only(),
      .check =
          [](Case& c) {
            const auto map = c.devmap();
            shows_no_owner(c, map);
            shows_owner(c, map, seize(c, map));
          },
  });

  rules.add({
      .id = "owner.fdinfo-of-devmap-after-insert",
      .states =
          "After an egress program was inserted into a DEVMAP, /proc/PID/fdinfo shows owner_prog_type 6 (XDP) and "
          "owner_jited.",
      .since = kOwnersSince,
      .source = {"kernel/bpf/syscall.c:bpf_map_show_fdinfo"},
      .commits = {kOwnersCommit},
      .catalogue = {"OWNER-13"},
      .variants = devmap_only({8}),
      .check = check_owner_after_insert,
  });

  rules.add({
      .id = "owner.fdinfo-of-devmap-hash-after-insert",
      .states =
          "After an egress program was inserted into a DEVMAP_HASH, /proc/PID/fdinfo shows owner_prog_type 6 (XDP) "
          "and owner_jited.",
      // Earlier kernels keep an owner for this type too, and show it only for the types they check loads against.
      .since = {.major = 6, .minor = 17},
      .backports = {{.major = 6, .minor = 1, .patch = 151},
                    {.major = 6, .minor = 6, .patch = 105},
                    {.major = 6, .minor = 12, .patch = 46},
                    {.major = 6, .minor = 16, .patch = 1}},
      .source = {"kernel/bpf/syscall.c:bpf_map_show_fdinfo"},
      .commits = {"fd1c98f0ef5c"},
      .catalogue = {"OWNER-13"},
      .variants = devmap_hash_only({8}),
      .check = check_owner_after_insert,
  });
}

void add_foreign_program_rules(Registry& rules) {
  rules.add({
      .id = "owner.foreign-program-keeps-xdp-programs-out",
      .states =
          "A DEVMAP that a program of another type has looked up first makes the load of XDP programs that name it "
          "fail with EINVAL and no reason in the verifier log.",
      .refuses = {EINVAL},
      .since = kOwnersSince,
      .source = {kCheckedMaps, kCompatible},
      .commits = {kOwnersCommit},
      .catalogue = {"OWNER-06", "OWNER-01"},
      .variants = devmap_only(),
      .check =
          [](Case& c) {
            for (const std::uint32_t type : kForeignTypes) {
              const auto map = c.devmap();
              const auto owner = seize(c, map, type);
              refuses_xdp_program(c, map);
            }
          },
  });

  rules.add({
      .id = "owner.foreign-program-keeps-egress-programs-out",
      .states = "A DEVMAP that a program of another type has looked up first refuses egress programs with EINVAL.",
      .refuses = {EINVAL},
      .since = kOwnersSince,
      .source = {kCompatible},
      .commits = {kOwnersCommit},
      .catalogue = {"OWNER-06"},
      .variants = devmap_only({8}),
      .check =
          [](Case& c) {
            const auto egress = c.egress_program();
            for (const std::uint32_t type : kForeignTypes) {
              const auto map = c.devmap();
              const auto fresh = c.devmap();
              const auto owner = seize(c, map, type);
              c.note("the update is refused by this map, and the same update of a new map is the control");
              c.refuses(map.update(0, {.ifindex = kLoopback, .program_fd = egress.fd()}), EINVAL)
                  .control(fresh.update(0, {.ifindex = kLoopback, .program_fd = egress.fd()}));
            }
          },
  });

  rules.add({
      .id = "owner.foreign-program-leaves-plain-updates-alone",
      .states = "A DEVMAP that a program of another type has looked up first takes entries without a program.",
      .source = {"kernel/bpf/devmap.c:__dev_map_alloc_node"},
      .catalogue = {"OWNER-06"},
      .variants = devmap_only(),
      .check =
          [](Case& c) {
            const auto map = c.devmap();
            const auto owner = seize(c, map);
            c.succeeds(map.update(0, {.ifindex = kLoopback}));
            c.equals("the entry", c.must(map.lookup(0)), Element{.ifindex = kLoopback});
            c.succeeds(map.erase(0));
          },
  });

  rules.add({
      .id = "owner.foreign-program-takes-no-hash",
      .states = "A DEVMAP_HASH that programs of other types have looked up first takes XDP programs that name it, and "
                "egress programs where its values have room for them.",
      .source = {kMapsWithPrograms},
      .catalogue = {"OWNER-07"},
      .variants = devmap_hash_only(),
      .check =
          [](Case& c) {
            for (const std::uint32_t type : kForeignTypes) {
              const auto map = c.devmap();
              const auto first = seize(c, map, type);
              c.succeeds(load(c, redirecting(map), {.purpose = "redirects through the map"}));
              if (c.value_size() != sizeof(bpf_devmap_val)) continue;
              const auto egress = c.egress_program();
              c.succeeds(map.update(0, {.ifindex = kLoopback, .program_fd = egress.fd()}));
            }
          },
  });

  rules.add({
      .id = "owner.devmap-without-owner",
      .states =
          "A DEVMAP that a program of another type has looked up first takes XDP programs that name it, and egress "
          "programs.",
      .since = kEgressSince,
      .until = kOwnersSince,
      .source = {"kernel/bpf/core.c:bpf_check_tail_call"},
      .catalogue = {"OWNER-06"},
      .variants = devmap_only({8}),
      .check =
          [](Case& c) {
            const auto map = c.devmap();
            const auto first = seize(c, map);
            const auto egress = c.egress_program();
            c.succeeds(load(c, redirecting(map), {.purpose = "redirects through the map"}));
            c.succeeds(map.update(0, {.ifindex = kLoopback, .program_fd = egress.fd()}));
          },
  });
}

}  // namespace

void add_owner_chapter(Registry& rules) {
  rules.chapter("owner", "Program and map owner compatibility");
  add_main_program_rules(rules);
  add_egress_program_rules(rules);
  add_memory_rules(rules);
  add_foreign_program_rules(rules);
  add_owner_restricted_rules(rules);
}

}  // namespace devmap::cases
