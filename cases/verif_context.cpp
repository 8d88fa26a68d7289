#include <cases/chapters.hpp>
#include <cases/support.hpp>
#include <harness/net/link.hpp>
#include <harness/spec/case.hpp>

#include <array>
#include <cerrno>

// What programs may do with their context (struct xdp_md), and what of it expected_attach_type decides.
namespace devmap::cases {
namespace {

constexpr KernelVersion kEgressSince{.major = 5, .minor = 8};
const std::string kAccess = "net/core/filter.c:xdp_is_valid_access";

/// A word of struct xdp_md.
struct Field {
  const char* name;
  std::int16_t offset;
};
constexpr std::array kFields = {Field{"data", 0},
                                Field{"data_end", 4},
                                Field{"data_meta", 8},
                                Field{"ingress_ifindex", 12},
                                Field{"rx_queue_index", 16},
                                Field{"egress_ifindex", 20}};
/// The fields that are numbers, not addresses.
constexpr std::array kNumbers = {kFields[3], kFields[4], kFields[5]};
constexpr std::int16_t kEgressIfindex = 20;
constexpr std::uint32_t kNoAttachType = 0xffff;

ProgramSpec egress(std::string purpose) {
  return {.expected_attach_type = BPF_XDP_DEVMAP, .purpose = std::move(purpose)};
}

Assembler reading(Width width, std::int16_t offset) {
  return Assembler().load(width, Register::r0, Register::r1, offset).return_value(XDP_PASS);
}

/// A read of the context by a program that may read all of it.
Reply<Program> read(Case& c, Width width, std::int16_t offset) {
  const int bytes = width == Width::byte ? 1 : width == Width::half ? 2 : width == Width::word ? 4 : 8;
  return load(c, reading(width, offset), egress(fmt::format("reads {} bytes at offset {}", bytes, offset)));
}

void add_access_rules(Registry& rules) {
  rules.add({
      .id = "verif.egress-program-reads-whole-context",
      .states =
          "A program with expected_attach_type BPF_XDP_DEVMAP may read every word of struct xdp_md, egress_ifindex "
          "included.",
      .since = kEgressSince,
      .source = {kAccess},
      .commits = {"64b59025c15b"},
      .catalogue = {"VERIF-12", "VERIF-13"},
      .variants = once(),
      .check =
          [](Case& c) {
            for (const auto& field : kFields) {
              c.succeeds(load(c, reading(Width::word, field.offset), egress(fmt::format("reads {}", field.name))));
            }
          },
  });

  rules.add({
      .id = "verif.egress-ifindex-needs-attach-type",
      .states = "An XDP program that reads egress_ifindex is refused with EACCES unless its expected_attach_type is "
                "BPF_XDP_DEVMAP.",
      .refuses = {EACCES},
      .since = kEgressSince,
      .source = {kAccess},
      .commits = {"64b59025c15b"},
      .catalogue = {"VERIF-12"},
      .variants = once(),
      .check =
          [](Case& c) {
            const auto load_with = [&](std::uint32_t attach_type) {
              return load(c, reading(Width::word, kEgressIfindex),
                          {.expected_attach_type = attach_type, .purpose = "reads egress_ifindex"});
            };
            for (const std::uint32_t attach_type :
                 {0U, std::uint32_t{BPF_XDP}, std::uint32_t{BPF_XDP_CPUMAP}, kNoAttachType}) {
              c.refuses(load_with(attach_type), EACCES, "invalid bpf_context access off=20 size=4")
                  .control(load_with(BPF_XDP_DEVMAP));
            }
          },
  });

  rules.add({
      .id = "verif.context-is-read-in-words",
      .states = "An XDP program that reads 1, 2 or 8 bytes of its context at once is refused with EACCES.",
      .refuses = {EACCES},
      .since = kEgressSince,
      .source = {kAccess},
      .catalogue = {"VERIF-13"},
      .variants = once(),
      .check =
          [](Case& c) {
            for (const auto& field : kNumbers) {
              for (const auto width : {Width::byte, Width::half, Width::double_word}) {
                // At offset 12 eight bytes are not even aligned, at 20 they reach beyond the context.
                c.refuses(read(c, width, field.offset), EACCES).control(read(c, Width::word, field.offset));
              }
            }
          },
  });

  rules.add({
      .id = "verif.context-is-read-at-its-words",
      .states =
          "An XDP program that reads its context between two words, before the first or beyond the last is refused "
          "with EACCES.",
      .refuses = {EACCES},
      .since = kEgressSince,
      .source = {kAccess},
      .catalogue = {"VERIF-13"},
      .variants = once(),
      .check =
          [](Case& c) {
            for (const auto offset : std::array<std::int16_t, 3>{14, 18, 22}) {
              c.refuses(read(c, Width::word, offset), EACCES)
                  .control(read(c, Width::word, static_cast<std::int16_t>(offset - 2)));
            }
            c.refuses(read(c, Width::word, 24), EACCES, "invalid bpf_context access off=24 size=4")
                .control(read(c, Width::word, kEgressIfindex));
            c.refuses(read(c, Width::word, -4), EACCES).control(read(c, Width::word, 0));
          },
  });

  rules.add({
      .id = "verif.context-cannot-be-written",
      .states = "An XDP program that stores to its context is refused with EACCES.",
      .refuses = {EACCES},
      .since = kEgressSince,
      .source = {kAccess},
      .catalogue = {"VERIF-13"},
      .variants = once(),
      .check =
          [](Case& c) {
            for (const auto& field : kFields) {
              const auto storing = Assembler()
                                       .move(Register::r0, 1)
                                       .store(Width::word, Register::r1, field.offset, Register::r0)
                                       .return_value(XDP_PASS);
              const auto storing_number =
                  Assembler().store(Width::word, Register::r1, field.offset, 1).return_value(XDP_PASS);
              const auto control = [&] {
                return load(c, reading(Width::word, field.offset), egress(fmt::format("reads {}", field.name)));
              };
              c.refuses(load(c, storing, egress(fmt::format("stores a register to {}", field.name))), EACCES)
                  .control(control());
              c.refuses(load(c, storing_number, egress(fmt::format("stores 1 to {}", field.name))), EACCES)
                  .control(control());
            }
          },
  });
}

void add_attach_type_rules(Registry& rules) {
  rules.add({
      .id = "verif.any-attach-type-loads",
      .states = "An XDP program loads with any number for its expected_attach_type, also with one that names nothing.",
      .source = {"kernel/bpf/syscall.c:bpf_prog_load_check_attach"},
      .catalogue = {"VERIF-14"},
      .variants = once(),
      .check =
          [](Case& c) {
            for (const std::uint32_t attach_type :
                 {0U, 1U, std::uint32_t{BPF_XDP_DEVMAP}, std::uint32_t{BPF_XDP_CPUMAP}, std::uint32_t{BPF_XDP},
                  kNoAttachType, UINT32_MAX}) {
              c.succeeds(load(c, Assembler().return_value(XDP_PASS), {.expected_attach_type = attach_type}));
            }
          },
  });

  rules.add({
      .id = "verif.unknown-attach-type-cannot-be-inserted",
      .states = "A program whose expected_attach_type names nothing loads, and to insert it is refused with EINVAL.",
      .refuses = {EINVAL},
      .since = kEgressSince,
      .source = {"kernel/bpf/devmap.c:__dev_map_alloc_node"},
      .catalogue = {"VERIF-14"},
      .variants = any_map(8),
      .check =
          [](Case& c) {
            const auto map = c.devmap();
            const auto stray =
                c.succeeds(load(c, Assembler().return_value(XDP_PASS), {.expected_attach_type = kNoAttachType}));
            const auto proper = c.egress_program();
            c.note(fmt::format("program fd {} has expected_attach_type {:#x}, program fd {} has BPF_XDP_DEVMAP",
                               stray.fd(), kNoAttachType, proper.fd()));
            c.refuses(map.update(0, {.ifindex = kLoopback, .program_fd = stray.fd()}), EINVAL)
                .control(map.update(0, {.ifindex = kLoopback, .program_fd = proper.fd()}));
          },
  });
}

}  // namespace

void add_verif_context_rules(Registry& rules) {
  add_access_rules(rules);
  add_attach_type_rules(rules);
}

}  // namespace devmap::cases
