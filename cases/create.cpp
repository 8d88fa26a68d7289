#include <cases/chapters.hpp>
#include <harness/spec/case.hpp>

namespace devmap::cases {

void add_create_chapter(Registry& rules) {
  rules.chapter("create", "Map creation");
}

}  // namespace devmap::cases
