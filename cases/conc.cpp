#include <cases/chapters.hpp>
#include <harness/spec/case.hpp>

namespace devmap::cases {

void add_conc_chapter(Registry& rules) {
  rules.chapter("conc", "Concurrency guarantees");
}

}  // namespace devmap::cases
