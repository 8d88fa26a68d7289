#include <cases/redirecting.hpp>

#include <harness/net/frame.hpp>

namespace devmap::cases {

Program redirecting_program(Case& c, const Map& map, std::uint64_t key, std::uint64_t flags) {
  return c.program(Assembler().redirect_map(map, key, flags).exit());
}

std::uint32_t returned_by(Case& c, const Program& program) {
  return c.must(program.test_run({.repeat = 1, .data_in = make_frame()})).return_value;
}

}  // namespace devmap::cases
