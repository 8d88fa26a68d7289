#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>
#include <cases/chapters.hpp>
#include <harness/base/file.hpp>
#include <harness/base/unique_fd.hpp>
#include <harness/spec/case.hpp>

#include <array>
#include <cerrno>
#include <csignal>
#include <thread>

namespace devmap::cases {
namespace {

constexpr const char* kSource = "cases/calibration.cpp:calibration";
const KernelVersion kNever{.major = 9999};

Rule rule(const char* id, const char* states, std::function<void(Case&)> check) {
  return {.id = id, .states = states, .source = {kSource}, .variants = once(), .check = std::move(check)};
}

void hold(Case& c) {
  c.holds("what always holds", true);
}
void not_hold(Case& c) {
  c.equals("one and one", 1 + 1, 3);
}

/// What the kernel would print of a warning in this task.
void write_warning(Case& c) {
  std::array<char, 16> name{};
  prctl(PR_GET_NAME, name.data());
  const UniqueFd log = c.must([]() -> Expected<UniqueFd> {
    UniqueFd opened(open("/dev/kmsg", O_WRONLY | O_CLOEXEC));
    if (!opened) return last_error("open", "/dev/kmsg");
    return opened;
  }());
  c.must(
      write_all(log.get(), fmt::format("<4>WARNING: CPU: 0 PID: {} at calibration Comm: {}\n", getpid(), name.data())));
  hold(c);
}

}  // namespace

Registry calibration() {
  Registry rules;
  rules.chapter("calibration", "Checks that end in every possible way, on purpose");

  rules.add(rule("calibration.conforms", "A check that finds what it states conforms.", hold));
  rules.add(rule("calibration.deviates", "A check that finds something else deviates.", not_hold));
  rules.add(rule("calibration.refusal-with-wrong-errno", "A refusal with another errno deviates.", [](Case& c) {
    c.refuses(Map::create({.type = BPF_MAP_TYPE_DEVMAP, .key_size = 3}), EPERM)
        .control(Map::create({.type = BPF_MAP_TYPE_DEVMAP, .key_size = 4}));
  }));
  rules.add(rule("calibration.control-fails-too", "A refusal whose control is refused as well deviates.", [](Case& c) {
    c.refuses(Map::create({.type = BPF_MAP_TYPE_DEVMAP, .key_size = 3, .value_size = 3}), EINVAL)
        .control(Map::create({.type = BPF_MAP_TYPE_DEVMAP, .key_size = 4, .value_size = 3}));
  }));

  Rule absent = rule("calibration.absent", "A rule of later kernels that is not true yet is absent.", not_hold);
  absent.since = kNever;
  rules.add(absent);
  Rule backported = rule("calibration.backported", "A rule of later kernels that is true already is backported.", hold);
  backported.since = kNever;
  rules.add(backported);

  Rule unmet = rule("calibration.unmet", "A check that needs what is not there is unmet.", hold);
  unmet.needs = {{.name = "the impossible", .remedy = "nothing helps: it is there to be missing", .probe = [] {
                    return Fact{Presence::absent, "looked for it and found nothing"};
                  }}};
  rules.add(unmet);
  Rule unclear = rule("calibration.could-not-tell", "A check whose need cannot be probed is unmet.", hold);
  unclear.needs = {{.name = "the unknowable", .remedy = "nothing helps: it is there to be unclear", .probe = [] {
                      return Fact{Presence::could_not_tell, "the probe gave no answer"};
                    }}};
  rules.add(unclear);
  Rule dangerous = rule("calibration.dangerous", "A dangerous check is unmet unless it is asked for.", hold);
  dangerous.danger = "only said to be";
  rules.add(dangerous);
  Rule known = rule("calibration.known", "A deviation that is listed is known.", not_hold);
  known.known = {{.reason = "it is there to be known"}};
  rules.add(known);
  Rule healed = rule("calibration.known-no-longer", "A listed deviation that has gone conforms, and says so.", hold);
  healed.known = {{.reason = "it used to be known"}};
  rules.add(healed);

  rules.add(rule("calibration.broken-set-up", "A check whose set-up fails is broken.", [](Case& c) {
    c.must(Expected<void>(failure("set_up", EIO, "on purpose")));
    hold(c);
  }));
  rules.add(rule("calibration.judges-nothing", "A check that judges nothing is broken.", [](Case&) {}));
  rules.add(rule("calibration.throws", "A check that throws is broken.",
                 [](Case&) { throw std::runtime_error("on purpose"); }));
  rules.add(rule("calibration.leaks-descriptor", "A check that leaves a descriptor open is broken.", [](Case& c) {
    (void)dup(STDERR_FILENO);
    hold(c);
  }));
  rules.add(rule("calibration.leaks-process", "A check that leaves a process behind is broken.", [](Case& c) {
    if (fork() == 0) {
      pause();
      _exit(0);
    }
    hold(c);
  }));
  rules.add(rule("calibration.hangs", "A check that does not end is a timeout.", [](Case& c) {
    hold(c);
    for (;;) pause();
  }));
  rules.add(rule("calibration.crashes", "A check whose process dies of a signal is a crash.", [](Case& c) {
    hold(c);
    std::raise(SIGSEGV);
  }));
  rules.add(rule("calibration.exits", "A check whose process exits early is a crash.", [](Case& c) {
    hold(c);
    _exit(3);
  }));
  rules.add(rule("calibration.warns", "A check during which the kernel warns is a splat.", write_warning));
  return rules;
}

}  // namespace devmap::cases
