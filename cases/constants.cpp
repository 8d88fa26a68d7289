#include <cases/chapters.hpp>
#include <harness/spec/case.hpp>

namespace devmap::cases {

void add_constants_chapter(Registry& rules) {
  rules.chapter("constants", "Numbers of the interface");
}

}  // namespace devmap::cases
