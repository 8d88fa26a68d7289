#include <harness/spec/suite.hpp>
#include <harness/spec/tests/support.hpp>

#include <harness/base/file.hpp>
#include <harness/base/unique_fd.hpp>

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <string>
#include <thread>

// A suite for guests that are meant to be ended by it: never run it outside a virtual machine.
namespace {

using devmap::Case;
using devmap::Registry;
using devmap::Rule;
using devmap::testing_support::make_rule;

void write_to(Case& c, const std::string& file, std::string_view text) {
  const devmap::UniqueFd opened(open(file.c_str(), O_WRONLY | O_CLOEXEC));
  c.holds(file + " takes it", opened && devmap::write_all(opened.get(), text).has_value());
}

void panic(Case& c) {
  write_to(c, "/proc/sysrq-trigger", "c");
}

void wait_a_moment(Case& c) {
  usleep(500'000);
  c.holds("time passes", true);
}

/// Lasts as long as it may.
void last(Case& c) {
  c.holds("it has begun", true);
  pause();
}

/// Takes every processor for good, from the kernel's own threads too.
void starve_all_others(Case& c) {
  write_to(c, "/proc/sys/kernel/sched_rt_runtime_us", "-1");
  const auto processors = std::thread::hardware_concurrency();
  for (unsigned i = 0; i < processors; ++i) {
    std::thread([] {
      const sched_param highest{.sched_priority = 99};
      sched_setscheduler(0, SCHED_FIFO, &highest);
      for (;;) asm volatile("");
    }).detach();
  }
  pause();
}

/// Takes all memory, and has the kernel end the suite itself for it.
void exhaust_memory(Case& c) {
  write_to(c, "/proc/" + std::to_string(getppid()) + "/oom_score_adj", "1000");
  constexpr std::size_t kBlock = std::size_t{16} << 20;
  while (mmap(nullptr, kBlock, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0) !=
         MAP_FAILED) {
  }
  pause();
}

Registry rules() {
  Registry registry;
  registry.chapter("trial", "Ways in which a guest ends");
  const auto add = [&registry](const char* id, void (*check)(Case&), const char* danger, bool all_maps = false) {
    Rule rule = make_rule(id, check);
    if (all_maps) rule.variants = devmap::any_map();
    rule.danger = danger;
    registry.add(rule);
  };
  add("trial.conforms", devmap::testing_support::hold, "", true);
  add("trial.waits", wait_a_moment, "", true);
  add("trial.lasts", last, "");
  add("trial.panics-among-others", panic, "");
  add("trial.panics", panic, "panics", true);
  add("trial.hangs", starve_all_others, "hangs");
  add("trial.exhausts-memory", exhaust_memory, "exhausts memory");
  add("trial.conforms-dangerously", devmap::testing_support::hold, "none");
  return registry;
}

}  // namespace

int main(int argc, char** argv) {
  return devmap::suite_main({.name = "trial-suite", .rules = rules(), .calibration = {}}, argc, argv);
}
