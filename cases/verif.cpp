#include <cases/chapters.hpp>
#include <harness/spec/case.hpp>

namespace devmap::cases {

void add_verif_chapter(Registry& rules) {
  rules.chapter("verif", "Verifier rules");
}

}  // namespace devmap::cases
