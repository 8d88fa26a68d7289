#include <cases/life.hpp>

#include <cases/chapters.hpp>

namespace devmap::cases {

void add_life_chapter(Registry& rules) {
  rules.chapter("life", "Map lifecycle: info, pin, ids, freeze, access modes, map-in-map");
  add_life_info_rules(rules);
  add_life_access_rules(rules);
  add_life_privilege_rules(rules);
  add_life_reference_rules(rules);
  add_life_inner_rules(rules);
}

}  // namespace devmap::cases
