#include <cases/native.hpp>

#include <cases/chapters.hpp>

namespace devmap::cases {

void add_native_chapter(Registry& rules) {
  rules.chapter("native", "Native (driver-mode) delivery");
  add_native_veth(rules);
  add_native_devices(rules);
  add_native_features(rules);
  add_native_bulk(rules);
  add_native_cpumap(rules);
}

void add_generic_chapter(Registry& rules) {
  rules.chapter("generic", "Generic (SKB-mode) delivery");
  add_generic_veth(rules);
  add_generic_devices(rules);
  add_generic_cpumap(rules);
}

}  // namespace devmap::cases
