#include <cases/chapters.hpp>
#include <harness/spec/case.hpp>

namespace devmap::cases {

void add_limit_chapter(Registry& rules) {
  rules.chapter("limit", "Numeric limits in one place");
}

}  // namespace devmap::cases
