#include <harness/spec/suite.hpp>
#include <harness/spec/tests/support.hpp>

#include <unistd.h>

// A suite as a program, for the tests that need one: a rule for each way in which a run can end.
namespace {

using devmap::Registry;
using devmap::testing_support::make_rule;

Registry rules() {
  Registry registry;
  registry.chapter("trial", "Ways to end");
  registry.add(make_rule("trial.conforms"));
  registry.add(make_rule("trial.conforms-too"));
  registry.add(make_rule("trial.deviates", devmap::testing_support::not_hold));
  registry.add(make_rule("trial.breaks", [](devmap::Case&) {}));
  registry.add(make_rule("trial.hangs", [](devmap::Case&) {
    for (;;) pause();
  }));
  auto unmet = make_rule("trial.unmet");
  unmet.needs = {{.name = "the impossible", .remedy = "nothing helps", .probe = [] {
                    return devmap::Fact{devmap::Presence::absent, "it is not there"};
                  }}};
  registry.add(unmet);
  return registry;
}

}  // namespace

int main(int argc, char** argv) {
  return devmap::suite_main({.name = "trial-suite", .rules = rules(), .calibration = {}}, argc, argv);
}
