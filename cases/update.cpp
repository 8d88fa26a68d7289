#include <cases/chapters.hpp>
#include <harness/spec/case.hpp>

namespace devmap::cases {

void add_update_chapter(Registry& rules) {
  rules.chapter("update", "Element update");
}

}  // namespace devmap::cases
