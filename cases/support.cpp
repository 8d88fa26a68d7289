#include <cases/support.hpp>

#include <cerrno>

namespace devmap::cases {

std::optional<Element> element(Case& c, const DevMap& map, std::uint32_t key) {
  auto reply = map.lookup(key);
  if (reply.error() == ENOENT) return std::nullopt;
  return c.must(std::move(reply));
}

void has(Case& c, const DevMap& map, std::uint32_t key, std::optional<Element> stated) {
  c.equals(fmt::format("the element under key {}", key), element(c, map, key), stated);
}

std::uint32_t id_of(Case& c, const Program& program) {
  return c.must(program.info()).id;
}

}  // namespace devmap::cases
