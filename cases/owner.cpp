#include <cases/chapters.hpp>
#include <harness/spec/case.hpp>

namespace devmap::cases {

void add_owner_chapter(Registry& rules) {
  rules.chapter("owner", "Program and map owner compatibility");
}

}  // namespace devmap::cases
