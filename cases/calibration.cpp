#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>
#include <cases/chapters.hpp>
#include <cases/traffic.hpp>
#include <harness/base/file.hpp>
#include <harness/base/unique_fd.hpp>
#include <harness/net/features.hpp>
#include <harness/spec/case.hpp>

#include <array>
#include <cerrno>
#include <csignal>
#include <thread>

namespace devmap::cases {
namespace {

constexpr const char* kSource = "cases/calibration.cpp:calibration";
const KernelVersion kNever{.major = 9999};

Rule rule(const char* id, const char* states, std::function<void(Case&)> check, std::vector<int> refuses = {}) {
  return {.id = id,
          .states = states,
          .refuses = std::move(refuses),
          .source = {kSource},
          .variants = once(),
          .check = std::move(check)};
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

/// A program that passes every frame to the program's port.
Assembler to_port(const Traffic& t, const DevMap& map) {
  return t.main().redirect_map(map, 0, XDP_DROP).exit();
}

/// A map with the only port under key 0.
DevMap map_of(Case& c, const Traffic& t) {
  auto map = c.must(DevMap::create({}));
  c.must(map.update(0, {.ifindex = t.target(0)}));
  return map;
}

/// A frame that is dropped, where what is stated is delivery; the same frame late would be delivered.
void lose_a_frame(Case& c) {
  Traffic t(c, {.mode = Mode::generic});
  t.run(t.main().return_value(XDP_DROP));
  const auto frame = t.frame();
  c.equals("where the frame went", t.fate_of(frame), delivered_to({0}));
}

/// Nothing but a frame of the same number by another case comes to the sink.
void deliver_anothers_frame(Case& c) {
  Traffic t(c, {.mode = Mode::generic});
  const auto map = map_of(c, t);
  t.run(to_port(t, map));
  const auto frame = t.frame();
  t.send({make_frame({.tag = {.token = new_token(), .number = 0}})});
  c.equals("where the frame went", t.fates().of(frame), delivered_to({0}));
}

/// A program writes into the frame it redirects.
void deliver_wrong_bytes(Case& c) {
  using enum Register;
  Traffic t(c, {.mode = Mode::generic});
  const auto map = map_of(c, t);
  auto code = t.main();
  const auto too_short = code.label();
  code.load(Width::word, r2, r1, offsetof(xdp_md, data))
      .load(Width::word, r3, r1, offsetof(xdp_md, data_end))
      .move(r4, r2)
      .compute(Arithmetic::add, r4, Traffic::kFreeByte + 1)
      .jump_if(Condition::greater, r4, r3, too_short)
      .store(Width::byte, r2, Traffic::kFreeByte, 0xaa)
      .place(too_short)
      .redirect_map(map, 0, XDP_DROP)
      .exit();
  t.run(code);
  c.equals("where the frame went", t.fate_of(t.frame()), delivered_to({0}));
}

}  // namespace

Registry calibration() {
  Registry rules;
  rules.chapter("calibration", "Checks that end in every possible way, on purpose");

  rules.add(rule("calibration.conforms", "A check that finds what it states conforms.", hold));
  rules.add(rule("calibration.deviates", "A check that finds something else deviates.", not_hold));
  rules.add(rule("calibration.refusal-with-wrong-errno", "A refusal with another errno deviates.",
                 [](Case& c) {
                   c.refuses(Map::create({.type = BPF_MAP_TYPE_DEVMAP, .key_size = 3}), EPERM)
                       .control(Map::create({.type = BPF_MAP_TYPE_DEVMAP, .key_size = 4}));
                 },
                 {EPERM}));
  rules.add(rule("calibration.control-fails-too", "A refusal whose control is refused as well deviates.",
                 [](Case& c) {
                   c.refuses(Map::create({.type = BPF_MAP_TYPE_DEVMAP, .key_size = 3, .value_size = 3}), EINVAL)
                       .control(Map::create({.type = BPF_MAP_TYPE_DEVMAP, .key_size = 4, .value_size = 3}));
                 },
                 {EINVAL}));

  for (auto& seen : {rule("calibration.frame-is-dropped", "A dropped frame is not taken for a late one.", lose_a_frame),
                     rule("calibration.frame-is-anothers", "Another case's frame is not taken for one's own.",
                          deliver_anothers_frame),
                     rule("calibration.frame-has-wrong-bytes", "A frame with wrong bytes is not taken for a right one.",
                          deliver_wrong_bytes)}) {
    Rule with_devices = seen;
    with_devices.needs = {features::veth()};
    rules.add(with_devices);
  }

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
  rules.add(rule("calibration.expects-an-undeclared-errno",
                 "A check that expects an errno which its rule does not declare is broken.",
                 [](Case& c) { c.ends_in("err", -EINVAL, EINVAL); }));
  rules.add(rule("calibration.declares-an-errno-in-vain",
                 "A check that does not expect an errno which its rule declares is broken.", hold, {EINVAL}));
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
