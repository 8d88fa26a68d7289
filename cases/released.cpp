#include <cases/released.hpp>

#include <cerrno>
#include <harness/base/wait.hpp>
#include <harness/net/link.hpp>

namespace devmap::cases {
namespace {

bool program_has_gone(Case& c, std::uint32_t id) {
  return wait_until([id] { return program_held(id).error() == ENOENT; }, c.patience());
}

}  // namespace

void program_goes(Case& c, std::uint32_t id) {
  c.holds(fmt::format("nothing holds program {} any more", id), program_has_gone(c, id));
}

void map_goes(Case& c, std::uint32_t id) {
  c.holds(fmt::format("nothing holds map {} any more", id),
          wait_until([id] { return map_held(id).error() == ENOENT; }, c.patience()));
}

void outwait_release(Case& c) {
  const auto id = [&c] {
    const auto map = c.must(DevMap::create({.value_size = sizeof(bpf_devmap_val)}));
    const auto program = c.egress_program();
    c.must(map.update(0, {.ifindex = kLoopback, .program_fd = program.fd()}));
    return c.must(program.info()).id;
  }();
  c.note("waited until a program that was let go of at the same time had gone");
  if (!program_has_gone(c, id)) c.must(Expected<void>(failure("wait", 0, "a released program does not go")));
}

}  // namespace devmap::cases
