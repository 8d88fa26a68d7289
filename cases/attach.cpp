#include <cases/attach.hpp>
#include <cases/chapters.hpp>
#include <cases/support.hpp>
#include <harness/net/features.hpp>
#include <harness/net/link.hpp>
#include <harness/net/xdp_link.hpp>
#include <harness/spec/case.hpp>

#include <cerrno>

// What can be attached to a device, and how. To attach takes the kernel 16 ms and to detach 8 ms, so a check does so no
// more often than it must.
namespace devmap::cases {
namespace {

constexpr KernelVersion kEgressSince{.major = 5, .minor = 8};
constexpr KernelVersion kGenericEgressSince{.major = 5, .minor = 15};
const std::string kAttach = "net/core/dev.c:dev_xdp_attach";
const std::string kInstall = "net/core/dev.c:dev_xdp_install";
const std::vector<Mode> kBothModes = {Mode::native, Mode::generic};
constexpr const char* kNotOfDevices = "BPF_XDP_DEVMAP programs can not be attached to a device";

Program xdp_program(Case& c, std::uint32_t expected_attach_type = 0) {
  return c.program(Assembler().return_value(XDP_PASS), {.expected_attach_type = expected_attach_type});
}

/// Attaches a program by a link; `flags` are XDP_FLAGS_*, and 0 lets the kernel choose the mode.
Reply<XdpLink> attach_by_link(const Program& program, std::uint32_t ifindex, std::uint32_t flags) {
  return XdpLink::create(program, {.ifindex = ifindex, .flags = flags});
}

void add_refused_program_rules(Registry& rules) {
  rules.add({
      .id = "attach.link-refuses-devmap-program",
      .states = "BPF_LINK_CREATE refuses to attach a program with expected_attach_type BPF_XDP_DEVMAP to a device with "
                "EINVAL.",
      .refuses = {EINVAL},
      .since = kEgressSince,
      .source = {kAttach},
      .catalogue = {"ATTACH-01"},
      .documentation = {{.where = "docs.ebpf.io: BPF_LINK_CREATE",
                         .statement = "BPF_XDP_DEVMAP is among the attach types of links.",
                         .agrees = false}},
      .variants = once().in(kBothModes),
      .needs = {features::veth()},
      .check =
          [](Case& c) {
            const auto device = device_for(c, c.mode());
            const auto egress = xdp_program(c, BPF_XDP_DEVMAP);
            const auto main = xdp_program(c);
            c.note("refused is a BPF_XDP_DEVMAP program, and control a program without an expected attach type");
            c.refuses(attach_by_link(egress, device, xdp_flags(c.mode())), EINVAL)
                .control(attach_by_link(main, device, xdp_flags(c.mode())));
            c.note("and where the kernel chooses the mode");
            c.refuses(attach_by_link(egress, device, 0), EINVAL).control(attach_by_link(main, device, 0));
          },
  });

  rules.add({
      .id = "attach.netlink-refuses-devmap-program",
      .states =
          "Netlink (IFLA_XDP) refuses to attach a program with expected_attach_type BPF_XDP_DEVMAP to a device with "
          "EINVAL, and says why.",
      .refuses = {EINVAL},
      .since = kEgressSince,
      .source = {kAttach},
      .catalogue = {"ATTACH-01"},
      .variants = once().in(kBothModes),
      .needs = {features::veth()},
      .check =
          [](Case& c) {
            const auto device = device_for(c, c.mode());
            const auto egress = xdp_program(c, BPF_XDP_DEVMAP);
            const auto main = xdp_program(c);
            c.note("refused is a BPF_XDP_DEVMAP program, and control a program without an expected attach type");
            c.refuses(set_xdp(device, egress.fd(), xdp_flags(c.mode())), EINVAL, kNotOfDevices)
                .control(set_xdp(device, main.fd(), xdp_flags(c.mode())));
            c.note("and where the kernel chooses the mode");
            c.refuses(set_xdp(device, egress.fd(), 0), EINVAL, kNotOfDevices).control(set_xdp(device, main.fd(), 0));
          },
  });

  rules.add({
      .id = "attach.cpumap-program-is-refused",
      .states = "A program with expected_attach_type BPF_XDP_CPUMAP cannot be attached to a device, by a link or by "
                "netlink: EINVAL.",
      .refuses = {EINVAL},
      .since = {.major = 5, .minor = 9},
      .source = {kAttach},
      .catalogue = {"ATTACH-01"},
      .variants = once(),
      .check =
          [](Case& c) {
            const auto flags = xdp_flags(Mode::generic);
            const auto cpumap = xdp_program(c, BPF_XDP_CPUMAP);
            const auto main = xdp_program(c);
            c.note("refused is a BPF_XDP_CPUMAP program, and control a program without an expected attach type");
            c.refuses(attach_by_link(cpumap, kLoopback, flags), EINVAL).control(attach_by_link(main, kLoopback, flags));
            c.refuses(set_xdp(kLoopback, cpumap.fd(), flags), EINVAL,
                      "BPF_XDP_CPUMAP programs can not be attached to a device")
                .control(set_xdp(kLoopback, main.fd(), flags));
          },
  });

  rules.add({
      .id = "attach.main-program-attach-types",
      .states = "A link attaches programs whose expected_attach_type is 0 and such whose is BPF_XDP.",
      .since = {.major = 5, .minor = 9},
      .source = {kAttach},
      .catalogue = {"ATTACH-06"},
      .variants = once().in(kBothModes),
      .needs = {features::veth()},
      .check =
          [](Case& c) {
            const auto device = device_for(c, c.mode());
            for (const std::uint32_t attach_type : {0U, std::uint32_t{BPF_XDP}}) {
              const auto program = xdp_program(c, attach_type);
              c.note(fmt::format("a program with expected_attach_type {}", worded(attach_type, Notation::attach_type)));
              c.succeeds(attach_by_link(program, device, xdp_flags(c.mode())));
            }
          },
  });

  rules.add({
      .id = "attach.unknown-attach-type-is-attachable",
      .states = "A link attaches a program whose expected_attach_type names nothing: only BPF_XDP_DEVMAP and "
                "BPF_XDP_CPUMAP keep a program off devices.",
      .since = {.major = 5, .minor = 9},
      .source = {kAttach},
      .catalogue = {"ATTACH-06", "VERIF-14"},
      .variants = once(),
      .check =
          [](Case& c) {
            constexpr std::uint32_t kNoAttachType = 0xffff;
            const auto program = xdp_program(c, kNoAttachType);
            c.note(fmt::format("a program with expected_attach_type {:#x}", kNoAttachType));
            c.succeeds(attach_by_link(program, kLoopback, xdp_flags(Mode::generic)));
          },
  });
}

void add_way_rules(Registry& rules) {
  rules.add({
      .id = "attach.link-attach-type-is-xdp",
      .states = "BPF_LINK_CREATE attaches an XDP program only with attach_type BPF_XDP; every other one is EINVAL.",
      .refuses = {EINVAL},
      .since = {.major = 5, .minor = 9},
      .source = {"kernel/bpf/syscall.c:link_create"},
      .catalogue = {"ATTACH-02"},
      .documentation = {{.where = "docs.ebpf.io: Program type BPF_PROG_TYPE_XDP",
                         .statement = "The attach_type of BPF_LINK_CREATE is BPF_LINK_TYPE_XDP.",
                         .agrees = false}},
      .variants = once(),
      .check =
          [](Case& c) {
            const auto program = xdp_program(c);
            const auto of_type = [&](std::uint32_t attach_type) {
              return XdpLink::create(
                  program, {.ifindex = kLoopback, .flags = xdp_flags(Mode::generic), .attach_type = attach_type});
            };
            c.note(
                fmt::format("attach_type {} is the number of BPF_LINK_TYPE_XDP", static_cast<int>(BPF_LINK_TYPE_XDP)));
            for (const auto attach_type : {std::uint32_t{BPF_LINK_TYPE_XDP}, std::uint32_t{BPF_XDP_DEVMAP}}) {
              c.refuses(of_type(attach_type), EINVAL).control(of_type(BPF_XDP));
            }
          },
  });

  rules.add({
      .id = "attach.link-attach-type-devmap-is-refused",
      .states = "BPF_LINK_CREATE with attach_type BPF_XDP_DEVMAP is EINVAL also for a BPF_XDP_DEVMAP program.",
      .refuses = {EINVAL},
      .since = {.major = 5, .minor = 9},
      .source = {"kernel/bpf/syscall.c:link_create"},
      .catalogue = {"ATTACH-02"},
      .variants = once(),
      .check =
          [](Case& c) {
            const auto egress = xdp_program(c, BPF_XDP_DEVMAP);
            const auto main = xdp_program(c);
            const auto flags = xdp_flags(Mode::generic);
            c.note("a BPF_XDP_DEVMAP program; the control is a plain one with attach_type BPF_XDP");
            c.refuses(XdpLink::create(egress, {.ifindex = kLoopback, .flags = flags, .attach_type = BPF_XDP_DEVMAP}),
                      EINVAL)
                .control(XdpLink::create(main, {.ifindex = kLoopback, .flags = flags, .attach_type = BPF_XDP}));
          },
  });

  rules.add({
      .id = "attach.link-update-keeps-attach-type",
      .states = "BPF_LINK_UPDATE refuses a program whose expected_attach_type differs from the attached one's with "
                "EINVAL.",
      .refuses = {EINVAL},
      .since = {.major = 5, .minor = 9},
      .source = {"net/core/dev.c:bpf_xdp_link_update"},
      .catalogue = {"ATTACH-03"},
      .variants = once(),
      .check =
          [](Case& c) {
            const auto first = xdp_program(c);
            const auto attached = c.must(attach_by_link(first, kLoopback, xdp_flags(Mode::generic)));
            for (const std::uint32_t attach_type : {BPF_XDP_DEVMAP, BPF_XDP}) {
              const auto other = xdp_program(c, attach_type);
              const auto alike = xdp_program(c);
              c.note(fmt::format("attached is a program with expected_attach_type 0; refused {}, control 0",
                                 worded(attach_type, Notation::attach_type)));
              c.refuses(attached.update(other), EINVAL).control(attached.update(alike));
            }
          },
  });

  rules.add({
      .id = "attach.netlink-may-change-attach-type",
      .states = "Netlink (IFLA_XDP) may replace a program without an expected_attach_type by one with BPF_XDP, and the "
                "other way round.",
      .since = {.major = 5, .minor = 9},
      .source = {kAttach},
      .catalogue = {"ATTACH-06"},
      .variants = once(),
      .check =
          [](Case& c) {
            for (const std::uint32_t attach_type : {0U, std::uint32_t{BPF_XDP}, 0U}) {
              const auto program = xdp_program(c, attach_type);
              c.note(fmt::format("a program with expected_attach_type {}", worded(attach_type, Notation::attach_type)));
              c.succeeds(set_xdp(kLoopback, program.fd(), xdp_flags(Mode::generic)));
            }
          },
  });

  rules.add({
      .id = "attach.prog-attach-takes-no-main-program",
      .states = "BPF_PROG_ATTACH with attach type BPF_XDP is refused with EINVAL.",
      .refuses = {EINVAL},
      .since = {.major = 5, .minor = 9},
      .source = {"kernel/bpf/syscall.c:bpf_prog_attach"},
      .catalogue = {"ATTACH-04"},
      .variants = once(),
      .check =
          [](Case& c) {
            const auto program = xdp_program(c, BPF_XDP);
            c.note("the control attaches the same program to the same device by a link");
            c.refuses(program.attach(kLoopback, BPF_XDP), EINVAL).control(attach_by_link(program, kLoopback, 0));
          },
  });

  rules.add({
      .id = "attach.prog-attach-takes-no-egress-program",
      .states = "BPF_PROG_ATTACH with attach type BPF_XDP_DEVMAP is refused with EINVAL, with a map as with a device.",
      .refuses = {EINVAL},
      .since = kEgressSince,
      .source = {"kernel/bpf/syscall.c:bpf_prog_attach"},
      .catalogue = {"ATTACH-04"},
      .variants = any_map(8),
      .check =
          [](Case& c) {
            const auto map = c.devmap();
            const auto egress = c.egress_program();
            const auto insert = [&] { return map.update(0, {.ifindex = kLoopback, .program_fd = egress.fd()}); };
            c.note("the control puts the same program into an entry of the map");
            c.refuses(egress.attach(static_cast<std::uint32_t>(map.fd()), BPF_XDP_DEVMAP), EINVAL).control(insert());
            c.refuses(egress.attach(kLoopback, BPF_XDP_DEVMAP), EINVAL).control(insert());
          },
  });
}

void attaches_main_program(Case& c) {
  const auto map = c.devmap();
  const auto device = device_for(c, c.mode());
  const auto program = c.program(redirecting(map));
  c.succeeds(attach_by_link(program, device, xdp_flags(c.mode())));
}

void add_main_program_rules(Registry& rules) {
  rules.add({
      .id = "attach.main-program-of-map-without-programs",
      .states = "A program that redirects through a device map with 4-byte values can be attached in native and in "
                "generic mode.",
      .source = {kInstall},
      .catalogue = {"ATTACH-05"},
      .variants = any_map(4).in(kBothModes),
      .needs = {features::veth()},
      .check = attaches_main_program,
  });

  rules.add({
      .id = "attach.native-main-program-of-map-with-programs",
      .states = "A program that redirects through a device map with 8-byte values can be attached in native mode.",
      .since = kEgressSince,
      .source = {kInstall},
      .catalogue = {"ATTACH-05"},
      .variants = any_map(8).in({Mode::native}),
      .needs = {features::veth()},
      .check = attaches_main_program,
  });

  rules.add({
      .id = "attach.generic-main-program-of-map-with-programs",
      .states = "A program that redirects through a device map with 8-byte values can be attached in generic mode.",
      .since = kGenericEgressSince,
      .source = {kInstall},
      .commits = {"2ea5eabaf04a"},
      .catalogue = {"ATTACH-05"},
      .variants = any_map(8).in({Mode::generic}),
      .check = attaches_main_program,
  });

  rules.add({
      .id = "attach.generic-mode-without-map-programs",
      .states =
          "A program that redirects through a device map with 8-byte values is refused in generic mode with EINVAL.",
      .refuses = {EINVAL},
      .since = kEgressSince,
      .until = kGenericEgressSince,
      .source = {"kernel/bpf/devmap.c:dev_map_can_have_prog"},
      .commits = {"2ea5eabaf04a"},
      .catalogue = {"ATTACH-05"},
      .variants = any_map(8).in({Mode::generic}),
      .check =
          [](Case& c) {
            const auto map = c.devmap();
            const auto small = c.must(DevMap::create({.type = c.type(), .value_size = 4}));
            const auto program = c.program(redirecting(map));
            const auto control = c.program(redirecting(small));
            const auto flags = xdp_flags(c.mode());
            c.note("the control's map has 4-byte values");
            c.refuses(attach_by_link(program, kLoopback, flags), EINVAL)
                .control(attach_by_link(control, kLoopback, flags));
          },
  });
}

}  // namespace

void add_attach_chapter(Registry& rules) {
  rules.chapter("attach", "Attaching programs that are or use devmap programs");
  add_refused_program_rules(rules);
  add_way_rules(rules);
  add_main_program_rules(rules);
  add_attach_device_rules(rules);
}

}  // namespace devmap::cases
