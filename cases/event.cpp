#include <cases/chapters.hpp>
#include <harness/spec/case.hpp>

namespace devmap::cases {

void add_event_chapter(Registry& rules) {
  rules.chapter("event", "Network device events and namespaces");
}

}  // namespace devmap::cases
