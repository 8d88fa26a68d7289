#include <cases/chapters.hpp>
#include <harness/spec/case.hpp>

namespace devmap::cases {

void add_state_chapter(Registry& rules) {
  rules.chapter("state", "Redirect state between helper call and verdict");
}

}  // namespace devmap::cases
