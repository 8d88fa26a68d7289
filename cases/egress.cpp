#include <cases/chapters.hpp>
#include <harness/spec/case.hpp>

namespace devmap::cases {

void add_egress_chapter(Registry& rules) {
  rules.chapter("egress", "Programs in map entries");
}

}  // namespace devmap::cases
