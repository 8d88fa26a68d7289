#include <linux/capability.h>
#include <cases/life.hpp>
#include <cases/support.hpp>
#include <harness/base/capabilities.hpp>
#include <harness/bpf/features.hpp>
#include <harness/net/frame.hpp>
#include <harness/net/link.hpp>
#include <harness/spec/case.hpp>

#include <cerrno>
#include <initializer_list>
#include <optional>

namespace devmap::cases {
namespace {

constexpr std::uint32_t kEntries = 4;
const std::string kCommand = "kernel/bpf/syscall.c:__sys_bpf";
const std::string kFreeze = "kernel/bpf/syscall.c:map_freeze";
const std::string kTestRun = "net/bpf/test_run.c:bpf_prog_test_run_xdp";
const std::string kFreezeCommit = "c4c84f6fb2c4";
const std::string kDescriptorsCommit = "c8644cd0efe7";
constexpr KernelVersion kFreezeByDescriptorSince{.major = 6, .minor = 5};
/// Since then kernel.unprivileged_bpf_disabled keeps unprivileged processes from making maps and programs alone.
constexpr KernelVersion kDescriptorsSufficeSince{.major = 5, .minor = 19};

/// The call, made by a thread that holds these capabilities and no other.
template <class Call>
auto with(Case& c, std::initializer_list<int> capabilities, Call call) {
  std::optional<decltype(call())> reply;
  c.must(with_capabilities(capabilities, [&] { reply.emplace(call()); }));
  return std::move(*reply);
}

template <class Call>
auto unprivileged(Case& c, Call call) {
  return with(c, {}, call);
}

void add_opening_rules(Registry& rules) {
  rules.add({
      .id = "life.opening-map-by-id-needs-sys-admin",
      .states = "Opening a map by its id needs CAP_SYS_ADMIN: EPERM otherwise, also with CAP_BPF and CAP_NET_ADMIN.",
      .refuses = {EPERM},
      .source = {"kernel/bpf/syscall.c:bpf_map_get_fd_by_id"},
      .catalogue = {"LIFE-05", "LIFE-19"},
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            const auto open = [id = c.must(map.info()).id] { return map_held(id); };
            c.note("without capabilities; the control with CAP_SYS_ADMIN");
            c.refuses(unprivileged(c, open), EPERM).control(with(c, {CAP_SYS_ADMIN}, open));
            c.note("with CAP_BPF and CAP_NET_ADMIN; the control with CAP_SYS_ADMIN");
            c.refuses(with(c, {CAP_BPF, CAP_NET_ADMIN}, open), EPERM).control(with(c, {CAP_SYS_ADMIN}, open));
          },
  });

  rules.add({
      .id = "life.opening-program-by-id-needs-sys-admin",
      .states =
          "Opening a program by the id that a lookup gives needs CAP_SYS_ADMIN: EPERM otherwise, also with CAP_BPF "
          "and CAP_NET_ADMIN.",
      .refuses = {EPERM},
      .since = {.major = 5, .minor = 8},
      .source = {"kernel/bpf/syscall.c:bpf_prog_get_fd_by_id"},
      .catalogue = {"LIFE-19"},
      .variants = any_map(8),
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            const auto egress = c.egress_program();
            c.must(map.update(0, {.ifindex = kLoopback, .program_fd = egress.fd()}));
            const auto open = [id = c.must(map.lookup(0)).program_id] { return program_held(id); };
            c.note("without capabilities; the control with CAP_SYS_ADMIN");
            c.refuses(unprivileged(c, open), EPERM).control(with(c, {CAP_SYS_ADMIN}, open));
            c.note("with CAP_BPF and CAP_NET_ADMIN; the control with CAP_SYS_ADMIN");
            c.refuses(with(c, {CAP_BPF, CAP_NET_ADMIN}, open), EPERM).control(with(c, {CAP_SYS_ADMIN}, open));
          },
  });
}

void add_holder_rules(Registry& rules) {
  rules.add({
      .id = "life.unprivileged-holder-gets-info",
      .states = "A process without capabilities gets the info of a map whose descriptor it holds.",
      .since = kDescriptorsSufficeSince,
      .source = {kCommand},
      .commits = {kDescriptorsCommit},
      .catalogue = {"LIFE-19"},
      .needs = {features::restricted_unprivileged_bpf()},
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            c.note("without capabilities");
            c.equals("the id it gets", c.succeeds(unprivileged(c, [&] { return map.info(); })).id,
                     c.must(map.info()).id);
          },
  });

  rules.add({
      .id = "life.unprivileged-holder-freezes",
      .states = "A process without capabilities freezes a map whose writable descriptor it holds.",
      .since = kFreezeByDescriptorSince,
      .source = {kFreeze},
      .commits = {kFreezeCommit},
      .catalogue = {"LIFE-11", "LIFE-19"},
      .needs = {features::restricted_unprivileged_bpf()},
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            c.note("without capabilities");
            c.succeeds(unprivileged(c, [&] { return map.freeze(); }));
            c.equals("frozen, by fdinfo", c.must(map.fdinfo("frozen")), 1U);
          },
  });

  rules.add({
      .id = "life.freezing-needs-cap-bpf",
      .states = "Freezing a map needs CAP_BPF: EPERM otherwise, also with a writable descriptor.",
      .refuses = {EPERM},
      .since = {.major = 5, .minor = 8},
      .until = kFreezeByDescriptorSince,
      .source = {kFreeze},
      .commits = {kFreezeCommit},
      .catalogue = {"LIFE-11"},
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            const auto freeze = [&] { return map.freeze(); };
            c.note("without capabilities; the control with CAP_BPF");
            c.refuses(unprivileged(c, freeze), EPERM).control(with(c, {CAP_BPF}, freeze));
          },
  });

  rules.add({
      .id = "life.unprivileged-holder-runs-programs",
      .states = "A process without capabilities runs a program whose descriptor it holds with BPF_PROG_TEST_RUN, "
                "redirects included.",
      .since = kDescriptorsSufficeSince,
      .source = {kTestRun},
      .commits = {kDescriptorsCommit},
      .catalogue = {"LIFE-19"},
      .needs = {features::restricted_unprivileged_bpf()},
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            c.must(map.update(0, {.ifindex = kLoopback}));
            const auto program = redirecting_program(c, map, 0, XDP_DROP);
            const auto frame = make_frame();
            c.note("without capabilities");
            const auto run = unprivileged(c, [&] { return program.test_run({.repeat = 1, .data_in = frame}); });
            c.equals("bpf_redirect_map in the program", c.succeeds(run).return_value, XDP_REDIRECT);
          },
  });

  rules.add({
      .id = "life.unprivileged-holder-sends-frames",
      .states = "A process without capabilities makes BPF_PROG_TEST_RUN send frames with a program whose descriptor it "
                "holds.",
      .since = kDescriptorsSufficeSince,
      .source = {kTestRun},
      .commits = {kDescriptorsCommit},
      .catalogue = {"LIFE-19"},
      .needs = {features::restricted_unprivileged_bpf(), features::live_frames()},
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            c.must(map.update(0, {.ifindex = kLoopback}));
            const auto program = redirecting_program(c, map, 0, XDP_DROP);
            const auto frame = make_frame();
            c.note("without capabilities");
            c.succeeds(unprivileged(c, [&] {
              return program.test_run({.repeat = 1, .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .data_in = frame});
            }));
          },
  });

  rules.add({
      .id = "life.unprivileged-holder-is-refused",
      .states = "A process without capabilities is refused every command of bpf(2) with EPERM, whatever descriptors it "
                "holds, where BPF is kept from unprivileged users.",
      .refuses = {EPERM},
      .since = {.major = 5, .minor = 8},
      .until = kDescriptorsSufficeSince,
      .source = {kCommand},
      .commits = {kDescriptorsCommit},
      .catalogue = {"LIFE-19"},
      .needs = {features::restricted_unprivileged_bpf()},
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            const auto program = c.program(Assembler().return_value(XDP_PASS));
            const auto frame = make_frame();
            const auto get_info = [&] { return map.info(); };
            const auto run = [&] { return program.test_run({.repeat = 1, .data_in = frame}); };
            c.note("without capabilities; the controls with CAP_BPF");
            c.refuses(unprivileged(c, get_info), EPERM).control(with(c, {CAP_BPF}, get_info));
            c.refuses(unprivileged(c, run), EPERM).control(with(c, {CAP_BPF}, run));
          },
  });
}

}  // namespace

void add_life_privilege_rules(Registry& rules) {
  add_opening_rules(rules);
  add_holder_rules(rules);
}

}  // namespace devmap::cases
