#include <cases/chapters.hpp>
#include <harness/spec/case.hpp>

namespace devmap::cases {

void add_attach_chapter(Registry& rules) {
  rules.chapter("attach", "Attaching programs that are or use devmap programs");
}

}  // namespace devmap::cases
