#include <cases/chapters.hpp>
#include <cases/support.hpp>
#include <harness/bpf/features.hpp>
#include <harness/spec/case.hpp>

#include <cerrno>
#include <functional>

// What programs may do with the value of a device map, and with its address.
namespace devmap::cases {
namespace {

const std::string kAccessType = "kernel/bpf/verifier.c:check_map_access_type";
const std::string kBounds = "kernel/bpf/verifier.c:check_map_access";
constexpr const char* kReadOnly = "write into map forbidden";
constexpr const char* kOutside = "outside of the allowed memory range";

/// A program that looks key 0 up and, where there is a value, does something with the pointer to it in r0.
Assembler with_value(const Map& map, const std::function<void(Assembler&)>& use) {
  Assembler program;
  const auto out = program.label();
  program.lookup(map, 0).jump_if(Condition::equal, Register::r0, 0, out);
  use(program);
  return program.place(out).return_value(XDP_PASS);
}

/// A map with values of the same size that programs may write to.
Map writable_map(Case& c) {
  return c.must(Map::create({.type = BPF_MAP_TYPE_ARRAY, .value_size = c.value_size()}));
}

/// Something done with the value in r0 is refused of a device map, and allowed of an array with such values.
void refuses_write(Case& c, const std::string& purpose, const std::function<void(Assembler&)>& write) {
  const auto map = c.devmap();
  const auto array = writable_map(c);
  c.refuses(load(c, with_value(map, write), {.purpose = purpose + " of a device map"}), EACCES, kReadOnly)
      .control(load(c, with_value(array, write), {.purpose = purpose + " of an array"}));
}

Assembler reading(const Map& map, Width width, std::int16_t offset) {
  return with_value(map, [=](Assembler& program) { program.load(width, Register::r1, Register::r0, offset); });
}

void add_value_rules(Registry& rules) {
  rules.add({
      .id = "verif.value-cannot-be-stored-to",
      .states = "A program that stores to the value it looked up is refused with EACCES.",
      .refuses = {EACCES},
      .source = {kAccessType},
      .catalogue = {"VERIF-04"},
      .check =
          [](Case& c) {
            for (std::int16_t offset = 0; offset < static_cast<std::int16_t>(c.value_size()); offset += 4) {
              refuses_write(c, fmt::format("stores 0 to offset {} of the value", offset),
                            [=](Assembler& program) { program.store(Width::word, Register::r0, offset, 0); });
              refuses_write(c, fmt::format("stores a register to offset {} of the value", offset),
                            [=](Assembler& program) {
                              program.move(Register::r1, 1).store(Width::word, Register::r0, offset, Register::r1);
                            });
            }
          },
  });

  rules.add({
      .id = "verif.value-cannot-be-added-to",
      .states = "A program that adds atomically to the value it looked up is refused with EACCES.",
      .refuses = {EACCES},
      .source = {kAccessType},
      .catalogue = {"VERIF-04"},
      .variants = any_map(8),
      .check =
          [](Case& c) {
            refuses_write(c, "adds to the value", [](Assembler& program) {
              program.move(Register::r1, 1).atomic_add(Register::r0, 0, Register::r1);
            });
          },
  });

  rules.add({
      .id = "verif.value-cannot-be-helper-output",
      .states = "A program that lets a helper write to the value it looked up is refused with EACCES.",
      .refuses = {EACCES},
      .source = {"kernel/bpf/verifier.c:check_helper_mem_access", kAccessType},
      .catalogue = {"VERIF-04"},
      .check =
          [](Case& c) {
            const auto queue =
                c.must(Map::create({.type = BPF_MAP_TYPE_QUEUE, .key_size = 0, .value_size = c.value_size()}));
            refuses_write(c, "peeks from a queue into the value", [&](Assembler& program) {
              program.move(Register::r2, Register::r0).load_map(Register::r1, queue).call(BPF_FUNC_map_peek_elem);
            });
          },
  });

  rules.add({
      .id = "verif.reads-within-value",
      .states = "A program may read the value it looked up in any width that stays within value_size.",
      .source = {kBounds},
      .catalogue = {"VERIF-05"},
      .check =
          [](Case& c) {
            const auto map = c.devmap();
            for (const auto& [width, bytes] : {std::pair{Width::byte, 1}, std::pair{Width::half, 2},
                                               std::pair{Width::word, 4}, std::pair{Width::double_word, 8}}) {
              for (int offset = 0; offset + bytes <= static_cast<int>(c.value_size()); offset += bytes) {
                c.succeeds(load(c, reading(map, width, static_cast<std::int16_t>(offset)),
                                {.purpose = fmt::format("reads {} bytes at offset {}", bytes, offset)}));
              }
            }
          },
  });

  rules.add({
      .id = "verif.reads-beyond-value-are-refused",
      .states = "A program that reads beyond value_size, or before the value, is refused with EACCES.",
      .refuses = {EACCES},
      .source = {kBounds},
      .catalogue = {"VERIF-05"},
      .check =
          [](Case& c) {
            const auto map = c.devmap();
            const auto size = static_cast<std::int16_t>(c.value_size());
            const auto read = [&](int bytes, int offset) {
              const auto width = bytes == 4 ? Width::word : Width::double_word;
              return load(c, reading(map, width, static_cast<std::int16_t>(offset)),
                          {.flags = BPF_F_ANY_ALIGNMENT,  // some architectures would refuse 8 bytes at offset 4
                           .purpose = fmt::format("reads {} bytes at offset {}", bytes, offset)});
            };
            c.refuses(read(4, size), EACCES, kOutside).control(read(4, size - 4));
            c.refuses(read(4, -4), EACCES, kOutside).control(read(4, 0));
            c.refuses(read(8, size - 4), EACCES, kOutside).control(read(4, size - 4));
          },
  });
}

void add_address_rules(Registry& rules) {
  rules.add({
      .id = "verif.no-direct-value-access",
      .states = "A program that holds the address of the map's first value (BPF_PSEUDO_MAP_VALUE) is refused with "
                "EINVAL.",
      .refuses = {EINVAL},
      .source = {"kernel/bpf/verifier.c:resolve_pseudo_ldimm64"},
      .catalogue = {"VERIF-09"},
      .check =
          [](Case& c) {
            const auto map = c.devmap(1);
            const auto array = writable_map(c);
            const auto with_address = [](const Map& of) {
              return Assembler().load_map_value(Register::r1, of, 0).return_value(XDP_PASS);
            };
            c.refuses(load(c, with_address(map), {.purpose = "holds the address of a device map's value"}), EINVAL,
                      "no direct value access support for this map type")
                .control(load(c, with_address(array), {.purpose = "holds the address of an array's value"}));
          },
  });

  rules.add({
      .id = "verif.sleepable-programs-have-no-devmap",
      .states = "A sleepable program that names a device map is refused with EINVAL.",
      .refuses = {EINVAL},
      .source = {"kernel/bpf/verifier.c:check_map_prog_compatibility"},
      .catalogue = {"VERIF-08"},
      .needs = {features::syscall_programs()},
      .check =
          [](Case& c) {
            const auto map = c.devmap();
            const auto array = writable_map(c);
            // The one type whose programs always sleep; others need a kernel function to attach to.
            const auto spec = [](const char* purpose) {
              return ProgramSpec{.type = BPF_PROG_TYPE_SYSCALL, .flags = BPF_F_SLEEPABLE, .purpose = purpose};
            };
            c.refuses(load(c, looking_up(map), spec("looks up in a device map")), EINVAL,
                      "Sleepable programs can only use")
                .control(load(c, looking_up(array), spec("looks up in an array")));
          },
  });
}

}  // namespace

void add_verif_chapter(Registry& rules) {
  rules.chapter("verif", "Verifier rules");
  add_verif_helper_rules(rules);
  add_value_rules(rules);
  add_address_rules(rules);
  add_verif_context_rules(rules);
}

}  // namespace devmap::cases
