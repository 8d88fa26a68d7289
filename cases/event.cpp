#include <cases/event.hpp>

#include <cases/chapters.hpp>

namespace devmap::cases {

void add_event_chapter(Registry& rules) {
  rules.chapter("event", "Network device events and namespaces");
  add_event_deletion_rules(rules);
  add_event_change_rules(rules);
  add_event_namespace_rules(rules);
  add_event_traffic_rules(rules);
}

}  // namespace devmap::cases
