#include <cases/chapters.hpp>
#include <harness/spec/case.hpp>

namespace devmap::cases {

void add_lookup_chapter(Registry& rules) {
  rules.chapter("lookup", "Element lookup");
}

}  // namespace devmap::cases
