#include <cases/support.hpp>

#include <cerrno>
#include <harness/base/wait.hpp>
#include <harness/net/device_state.hpp>
#include <harness/net/frame.hpp>
#include <harness/net/link.hpp>

namespace devmap::cases {

DevMap map_with_entry(Case& c) {
  auto map = c.devmap(kEntries);
  c.must(map.update(kPresent, {.ifindex = kLoopback}));
  return map;
}

std::optional<Element> element(Case& c, const DevMap& map, std::uint32_t key) {
  auto reply = map.lookup(key);
  if (reply.error() == ENOENT) return std::nullopt;
  return c.must(std::move(reply));
}

void has(Case& c, const DevMap& map, std::uint32_t key, std::optional<Element> stated) {
  c.equals(fmt::format("the element under key {}", key), element(c, map, key), stated);
}

std::uint32_t id_of(Case& c, const Map& map) {
  return c.must(map.info()).id;
}

std::uint32_t id_of(Case& c, const Program& program) {
  return c.must(program.info()).id;
}

Reply<Program> load(Case& c, const Assembler& instructions, const ProgramSpec& spec) {
  return Program::load(spec, c.must(instructions.build()));
}

Assembler redirecting(const Map& map) {
  return Assembler().redirect_map(map, 0, XDP_PASS).exit();
}

Program redirecting_program(Case& c, const Map& map, std::uint64_t key, std::uint64_t flags) {
  return c.program(Assembler().redirect_map(map, key, flags).exit());
}

Program passing_program(Case& c, const ProgramSpec& spec) {
  return c.program(Assembler().return_value(XDP_PASS), spec);
}

Map frame_counter(Case& c) {
  return c.must(Map::create({.type = BPF_MAP_TYPE_ARRAY, .value_size = sizeof(std::uint64_t)}));
}

Assembler& number_the_frame(Assembler& code, const Map& counter) {
  using enum Register;
  return code.move(r6, r1)
      .load_map_value(r8, counter, 0)
      .load(Width::double_word, r7, r8, 0)
      .move(r9, r7)
      .compute(Arithmetic::add, r9, 1)
      .store(Width::double_word, r8, 0, r9);
}

std::uint32_t returned_by(Case& c, const Program& program) {
  return c.must(program.test_run({.repeat = 1, .data_in = make_frame()})).return_value;
}

Assembler looking_up(const Map& map) {
  return Assembler().lookup(map, 0).return_value(0);
}

std::uint32_t device_for(Case& c, Mode mode) {
  return mode == Mode::native ? c.must(create_veth({.up = false})).first : kLoopback;
}

void await_carrier(Case& c, std::uint32_t ifindex) {
  constexpr std::uint8_t kUp = 6;  // IF_OPER_UP; linux/if.h cannot stand beside net/if.h
  const bool up = wait_until([&] { return c.must(device_state(ifindex)).operational_state == kUp; }, c.patience());
  if (!up) c.must(Expected<void>(failure("wait for a carrier", 0)));
}

}  // namespace devmap::cases
