#include <cases/chapters.hpp>
#include <harness/spec/case.hpp>

namespace devmap::cases {

void add_life_chapter(Registry& rules) {
  rules.chapter("life", "Map lifecycle: info, pin, ids, freeze, access modes, map-in-map");
}

}  // namespace devmap::cases
