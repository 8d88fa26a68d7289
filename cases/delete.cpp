#include <cases/chapters.hpp>
#include <harness/spec/case.hpp>

namespace devmap::cases {

void add_delete_chapter(Registry& rules) {
  rules.chapter("delete", "Element delete");
}

}  // namespace devmap::cases
