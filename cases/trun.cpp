#include <cases/chapters.hpp>
#include <harness/spec/case.hpp>

namespace devmap::cases {

void add_trun_chapter(Registry& rules) {
  rules.chapter("trun", "BPF_PROG_TEST_RUN");
}

}  // namespace devmap::cases
