#include <cases/chapters.hpp>
#include <cases/support.hpp>
#include <harness/net/features.hpp>
#include <harness/net/link.hpp>
#include <harness/spec/case.hpp>

#include <cerrno>

// Programs that are restricted beyond their kind: to one device, or in a PROG_ARRAY to one attach type.
namespace devmap::cases {
namespace {

constexpr KernelVersion kDeviceBoundSince{.major = 6, .minor = 3};

// 714070c4cb7a: device-bound main programs are no longer refused by the maps they name.
constexpr KernelVersion kDeviceBoundRedirect{.major = 6, .minor = 16};
const std::vector<KernelVersion> kDeviceBoundRedirectStable = {{.major = 6, .minor = 6, .patch = 94},
                                                               {.major = 6, .minor = 12, .patch = 34},
                                                               {.major = 6, .minor = 15, .patch = 3}};

// 4540aed51b12: a PROG_ARRAY's owner has an attach type (CVE-2025-40123).
constexpr KernelVersion kAttachTypesApart{.major = 6, .minor = 18};
const std::vector<KernelVersion> kAttachTypesApartStable = {{.major = 6, .minor = 1, .patch = 156},
                                                            {.major = 6, .minor = 6, .patch = 112},
                                                            {.major = 6, .minor = 12, .patch = 53},
                                                            {.major = 6, .minor = 17, .patch = 3}};

/// The attributes of a program that belongs to this device.
ProgramSpec bound_to(std::uint32_t ifindex, std::uint32_t expected_attach_type = 0) {
  return {.expected_attach_type = expected_attach_type,
          .flags = kXdpDevBoundOnly,
          .ifindex = ifindex,
          .purpose = "is bound to a device"};
}

Map program_array(Case& c) {
  return c.must(Map::create({.type = BPF_MAP_TYPE_PROG_ARRAY, .max_entries = 2}));
}

/// A PROG_ARRAY that holds this program.
Map program_array_of(Case& c, const Program& program) {
  auto programs = program_array(c);
  c.must(programs.update(0, program.fd()));
  return programs;
}

Assembler tail_calling(const Map& programs) {
  return Assembler().tail_call(programs, 0).return_value(XDP_PASS);
}

void add_device_bound_rules(Registry& rules) {
  rules.add({
      .id = "owner.device-bound-egress-program-is-refused",
      .states =
          "A program with expected_attach_type BPF_XDP_DEVMAP loads with BPF_F_XDP_DEV_BOUND_ONLY, and to insert it "
          "is refused with EINVAL, also in an entry of the device it is bound to.",
      .refuses = {EINVAL},
      .since = kDeviceBoundSince,
      .source = {"kernel/bpf/core.c:bpf_prog_map_compatible"},
      .catalogue = {"OWNER-10"},
      .documentation = {{.where = "tools/testing/selftests/bpf/prog_tests/xdp_metadata.c",
                         .statement = "can't add dev-bound programs to devmaps"}},
      .variants = any_map(8),
      .needs = {features::device_bound_programs()},
      .check =
          [](Case& c) {
            const auto map = c.devmap();
            const auto device = device_for(c, Mode::native);
            const auto bound =
                c.succeeds(load(c, Assembler().return_value(XDP_PASS), bound_to(device, BPF_XDP_DEVMAP)));
            const auto unbound = c.egress_program();
            c.note(fmt::format("program fd {} is bound to ifindex {}, program fd {} is not bound", bound.fd(), device,
                               unbound.fd()));
            for (const auto ifindex : {device, kLoopback}) {
              c.refuses(map.update(0, {.ifindex = ifindex, .program_fd = bound.fd()}), EINVAL)
                  .control(map.update(0, {.ifindex = ifindex, .program_fd = unbound.fd()}));
            }
          },
  });

  rules.add({
      .id = "owner.device-bound-main-program-may-name-devmap",
      .states = "A main program with BPF_F_XDP_DEV_BOUND_ONLY may redirect through a DEVMAP.",
      .since = kDeviceBoundRedirect,
      .backports = kDeviceBoundRedirectStable,
      .source = {"kernel/bpf/core.c:bpf_prog_map_compatible"},
      .commits = {"714070c4cb7a"},
      .catalogue = {"OWNER-11"},
      .variants = devmap_only(),
      .needs = {features::device_bound_programs()},
      .check =
          [](Case& c) {
            const auto map = c.devmap();
            c.succeeds(load(c, redirecting(map), bound_to(device_for(c, Mode::native))));
          },
  });

  rules.add({
      .id = "owner.device-bound-main-program-may-name-devmap-hash",
      .states = "A main program with BPF_F_XDP_DEV_BOUND_ONLY may redirect through a DEVMAP_HASH.",
      .since = kDeviceBoundSince,
      .source = {"include/linux/bpf.h:map_type_contains_progs"},
      .catalogue = {"OWNER-11"},
      .variants = devmap_hash_only(),
      .needs = {features::device_bound_programs()},
      .check =
          [](Case& c) {
            const auto map = c.devmap();
            c.succeeds(load(c, redirecting(map), bound_to(device_for(c, Mode::native))));
          },
  });

  rules.add({
      .id = "owner.device-bound-main-program-was-refused",
      .states = "A main program with BPF_F_XDP_DEV_BOUND_ONLY that names a DEVMAP is refused with EINVAL.",
      .refuses = {EINVAL},
      .since = kDeviceBoundSince,
      .until = kDeviceBoundRedirect,
      .until_backports = kDeviceBoundRedirectStable,
      .source = {"kernel/bpf/core.c:bpf_prog_map_compatible"},
      .commits = {"714070c4cb7a"},
      .catalogue = {"OWNER-11"},
      .variants = devmap_only(),
      .needs = {features::device_bound_programs()},
      .check =
          [](Case& c) {
            const auto map = c.devmap();
            c.refuses(load(c, redirecting(map), bound_to(device_for(c, Mode::native))), EINVAL)
                .control(load(c, redirecting(map), {.purpose = "is not bound to a device"}));
          },
  });
}

void add_tail_call_rules(Registry& rules) {
  rules.add({
      .id = "owner.prog-array-keeps-attach-types-apart",
      .states = "A PROG_ARRAY refuses programs whose expected_attach_type differs from its first one's with EINVAL, so "
                "that it cannot hold main programs and BPF_XDP_DEVMAP programs.",
      .refuses = {EINVAL},
      .since = kAttachTypesApart,
      .backports = kAttachTypesApartStable,
      .source = {"kernel/bpf/core.c:__bpf_prog_map_compatible"},
      .commits = {"4540aed51b12"},
      .catalogue = {"OWNER-12"},
      .variants = once(),
      .check =
          [](Case& c) {
            const auto main = c.program(Assembler().return_value(XDP_PASS));
            const auto egress = c.egress_program();
            c.note(fmt::format(
                "program fd {} is a main program, {} a BPF_XDP_DEVMAP program; key 0 holds one of the control's kind",
                main.fd(), egress.fd()));
            const auto of_main = program_array_of(c, main);
            c.refuses(of_main.update(1, egress.fd()), EINVAL).control(of_main.update(1, main.fd()));
            const auto of_egress = program_array_of(c, egress);
            c.refuses(of_egress.update(1, main.fd()), EINVAL).control(of_egress.update(1, egress.fd()));
          },
  });

  rules.add({
      .id = "owner.tail-calls-keep-attach-types-apart",
      .states =
          "A program that names a PROG_ARRAY of programs with another expected_attach_type is refused with EINVAL, "
          "so that main programs and egress programs cannot tail-call each other.",
      .refuses = {EINVAL},
      .since = kAttachTypesApart,
      .backports = kAttachTypesApartStable,
      .source = {"kernel/bpf/core.c:bpf_check_tail_call", "kernel/bpf/core.c:__bpf_prog_map_compatible"},
      .commits = {"4540aed51b12"},
      .catalogue = {"OWNER-12", "OWNER-14"},
      .variants = once(),
      .check =
          [](Case& c) {
            const auto of_main = program_array_of(c, c.program(Assembler().return_value(XDP_PASS)));
            const auto of_egress = program_array_of(c, c.egress_program());
            const auto egress = [](const char* purpose) {
              return ProgramSpec{.expected_attach_type = BPF_XDP_DEVMAP, .purpose = purpose};
            };
            c.refuses(load(c, tail_calling(of_main), egress("tail-calls main programs")), EINVAL)
                .control(load(c, tail_calling(of_egress), egress("tail-calls egress programs")));
            c.refuses(load(c, tail_calling(of_egress), {.purpose = "tail-calls egress programs"}), EINVAL)
                .control(load(c, tail_calling(of_main), {.purpose = "tail-calls main programs"}));
          },
  });

  rules.add({
      .id = "owner.prog-array-mixed-attach-types",
      .states = "A PROG_ARRAY holds main programs and BPF_XDP_DEVMAP programs beside each other.",
      .since = {.major = 5, .minor = 8},
      .until = kAttachTypesApart,
      .until_backports = kAttachTypesApartStable,
      .source = {"kernel/bpf/core.c:bpf_prog_array_compatible"},
      .commits = {"4540aed51b12"},
      .catalogue = {"OWNER-12"},
      .variants = once(),
      .check =
          [](Case& c) {
            const auto programs = program_array_of(c, c.program(Assembler().return_value(XDP_PASS)));
            const auto egress = c.egress_program();
            c.succeeds(programs.update(1, egress.fd()));
          },
  });
}

}  // namespace

void add_owner_restricted_rules(Registry& rules) {
  add_device_bound_rules(rules);
  add_tail_call_rules(rules);
}

}  // namespace devmap::cases
