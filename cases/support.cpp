#include <cases/support.hpp>

#include <linux/if_link.h>

#include <cerrno>
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

Assembler looking_up(const Map& map) {
  return Assembler().lookup(map, 0).return_value(0);
}

std::uint32_t xdp_flags(Mode mode) {
  return mode == Mode::native ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE;
}

std::uint32_t device_for(Case& c, Mode mode) {
  return mode == Mode::native ? c.must(create_veth({.up = false})).first : kLoopback;
}

}  // namespace devmap::cases
