#include <cases/chapters.hpp>
#include <harness/spec/case.hpp>

namespace devmap::cases {

void add_iter_chapter(Registry& rules) {
  rules.chapter("iter", "Iteration");
}

}  // namespace devmap::cases
