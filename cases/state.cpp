#include <cases/chapters.hpp>
#include <cases/live_targets.hpp>
#include <cases/support.hpp>
#include <harness/base/wait.hpp>
#include <harness/bpf/features.hpp>
#include <harness/net/features.hpp>
#include <harness/net/frame.hpp>
#include <harness/net/link.hpp>
#include <harness/net/redirect_trace.hpp>
#include <harness/spec/case.hpp>

#include <linux/if_link.h>

#include <algorithm>
#include <cerrno>

// What becomes of the target that a helper recorded. Every program runs on live frames, and what it did is seen at the
// sinks behind the targets, or where a redirect fails, at the tracepoints.
namespace devmap::cases {
namespace {

using enum RedirectTracepoint;
using std::chrono_literals::operator""ms;

constexpr std::uint32_t kFirst = 0;   // the key of device(0)
constexpr std::uint32_t kSecond = 1;  // the key of device(1)
constexpr std::uint32_t kMissing = 2;
constexpr std::uint32_t kEntries = 4;
constexpr std::uint64_t kUnknownFlag = 0x20;
const std::string kHelper = "include/linux/filter.h:__bpf_xdp_redirect_map";
const std::string kCarriedOut = "net/core/filter.c:xdp_do_redirect";

/// Appends bpf_redirect(ifindex, 0).
Assembler& redirect_to(Assembler& code, std::uint32_t ifindex) {
  return code.move(Register::r1, static_cast<std::int32_t>(ifindex)).move(Register::r2, 0).call(BPF_FUNC_redirect);
}

/// Two targets, and a map of both.
struct Bench {
  LiveTargets targets;
  DevMap map;

  explicit Bench(Case& c) : targets(c), map(c.devmap(kEntries)) {
    c.must(map.update(kFirst, {.ifindex = targets.device(0)}));
    c.must(map.update(kSecond, {.ifindex = targets.device(1)}));
  }

  /// What the program, which ends with XDP_REDIRECT, must deliver of one frame.
  void delivers(Case& c, std::string_view what, Assembler& code, const std::vector<std::uint64_t>& expected) {
    const auto program = c.program(code.return_value(XDP_REDIRECT));
    c.equals(fmt::format("frames at each target after {}, return XDP_REDIRECT", what), targets.arrivals_of(c, program),
             expected);
  }
};

/// The only event that a failed redirect raises must be an xdp_redirect_err with this errno.
void fails_with(Case& c, std::string_view what, const std::vector<RedirectEvent>& events, int code) {
  const bool is_error = events.size() == 1 && events.front().tracepoint == redirect_err;
  if (!c.holds(
          fmt::format("{} raises one event, xdp_redirect_err", what), is_error,
          events.empty() ? "no event" : fmt::format("{} events, first {}", events.size(), events.front().text()))) {
    return;
  }
  c.ends_in("err of that event", events.front().err, code);
}

/// A rule that live frames decide.
Rule live_rule(Rule rule) {
  rule.needs.insert(rule.needs.begin(), {features::live_frames(), features::veth()});
  if (rule.source.empty()) rule.source = {kHelper, kCarriedOut};
  return rule;
}

void add_last_call_wins(Registry& rules) {
  rules.add(live_rule({
      .id = "state.last-hit-wins",
      .states = "Of several keys that bpf_redirect_map found for a frame, the last one decides where it goes.",
      .catalogue = {"STATE-01"},
      .variants = any_map(4),
      .check =
          [](Case& c) {
            Bench bench(c);
            Assembler second_last;
            second_last.redirect_map(bench.map, kFirst, 0).redirect_map(bench.map, kSecond, 0);
            bench.delivers(c, "a hit of the first, a hit of the second", second_last, arrived(0, 1));
            Assembler first_last;
            first_last.redirect_map(bench.map, kSecond, 0).redirect_map(bench.map, kFirst, 0);
            bench.delivers(c, "a hit of the second, a hit of the first", first_last, arrived(1, 0));
          },
  }));

  rules.add(live_rule({
      .id = "state.last-of-broadcast-and-unicast-wins",
      .states = "Of a broadcast and a key that bpf_redirect_map found for a frame, the later one decides.",
      .since = kBroadcastSince,
      .catalogue = {"STATE-01"},
      .variants = any_map(4),
      .check =
          [](Case& c) {
            Bench bench(c);
            Assembler unicast_last;
            unicast_last.redirect_map(bench.map, kFirst, BPF_F_BROADCAST).redirect_map(bench.map, kSecond, 0);
            bench.delivers(c, "a broadcast, a hit of the second", unicast_last, arrived(0, 1));
            Assembler broadcast_last;
            broadcast_last.redirect_map(bench.map, kSecond, 0).redirect_map(bench.map, kFirst, BPF_F_BROADCAST);
            bench.delivers(c, "a hit of the second, a broadcast", broadcast_last, arrived(1, 1));
          },
  }));

  rules.add(live_rule({
      .id = "state.last-of-map-entry-and-ifindex-wins",
      .states = "Of a key that bpf_redirect_map found and an ifindex given to bpf_redirect for a frame, the later one "
                "decides.",
      .source = {kHelper, "net/core/filter.c:bpf_xdp_redirect"},
      .catalogue = {"STATE-01"},
      .variants = any_map(4),
      .check =
          [](Case& c) {
            Bench bench(c);
            Assembler ifindex_last;
            ifindex_last.redirect_map(bench.map, kFirst, 0);
            bench.delivers(c, "a hit of the first, bpf_redirect to the second",
                           redirect_to(ifindex_last, bench.targets.device(1)), arrived(0, 1));
            Assembler entry_last;
            redirect_to(entry_last, bench.targets.device(1)).redirect_map(bench.map, kFirst, 0);
            bench.delivers(c, "bpf_redirect to the second, a hit of the first", entry_last, arrived(1, 0));
          },
  }));

  rules.add(live_rule({
      .id = "state.refused-flags-leave-the-earlier-hit",
      .states = "A call of bpf_redirect_map that is refused for its flags leaves an earlier hit in place: a frame then "
                "given XDP_REDIRECT goes to the earlier target.",
      .catalogue = {"STATE-04"},
      .variants = any_map(4),
      .check =
          [](Case& c) {
            Bench bench(c);
            Assembler refused;
            refused.redirect_map(bench.map, kFirst, 0).redirect_map(bench.map, kSecond, kUnknownFlag);
            bench.delivers(c, "a hit of the first, a call for the second with flags 0x20", refused, arrived(1, 0));
            Assembler accepted;
            accepted.redirect_map(bench.map, kFirst, 0).redirect_map(bench.map, kSecond, 0);
            bench.delivers(c, "the same with flags 0", accepted, arrived(0, 1));
          },
  }));
}

void add_other_verdicts(Registry& rules) {
  rules.add(live_rule({
      .id = "state.hit-then-pass-is-pass",
      .states = "A frame whose program found a key and returns XDP_PASS goes to the stack of the receiving device, and "
                "nowhere else.",
      .catalogue = {"STATE-02"},
      .variants = any_map(4),
      .check =
          [](Case& c) {
            Bench bench(c);
            c.must(set_up(kLoopback));
            const auto stack = c.must(PacketSocket::open(kLoopback));
            const auto program = c.program(Assembler().redirect_map(bench.map, kFirst, 0).return_value(XDP_PASS));
            c.equals("frames at each target after a hit of the first, return XDP_PASS",
                     bench.targets.arrivals_of(c, program), arrived(0, 0));
            c.holds("a packet socket on lo, the receiving device, hears the frame",
                    c.must(stack.receive(1000ms)).has_value());
          },
  }));

  rules.add(live_rule({
      .id = "state.hit-then-drop-is-drop",
      .states = "A frame whose program found a key and returns XDP_DROP goes nowhere.",
      .catalogue = {"STATE-02"},
      .variants = any_map(4),
      .check =
          [](Case& c) {
            Bench bench(c);
            c.must(set_up(kLoopback));
            const auto stack = c.must(PacketSocket::open(kLoopback));
            const auto dropping = c.program(Assembler().redirect_map(bench.map, kFirst, 0).return_value(XDP_DROP));
            const auto passing = c.program(Assembler().return_value(XDP_PASS));
            c.equals("frames at each target after a hit of the first, return XDP_DROP",
                     bench.targets.arrivals_of(c, dropping), arrived(0, 0));
            run_live(c, passing);  // what the stack hears first shows that it heard nothing before
            c.holds("lo hears a later frame that is passed", c.must(stack.receive(1000ms)).has_value());
            c.holds("lo hears no other frame", !c.must(stack.receive(0ms)).has_value());
          },
  }));

  rules.add(live_rule({
      .id = "state.hit-then-tx-is-tx",
      .states = "A frame whose program found a key and returns XDP_TX leaves through the receiving device.",
      .catalogue = {"STATE-02"},
      .variants = any_map(4),
      .check =
          [](Case& c) {
            Bench bench(c);
            const auto program = c.program(Assembler().redirect_map(bench.map, kFirst, 0).return_value(XDP_TX));
            c.equals("frames at each target, the second one receiving, after a hit of the first, return XDP_TX",
                     bench.targets.arrivals_of(c, program, {.ingress = bench.targets.device(1)}), arrived(0, 1));
          },
  }));
}

void add_forced_redirects(Registry& rules) {
  rules.add(live_rule({
      .id = "state.redirect-after-miss-goes-to-the-recorded-number",
      .states =
          "A frame given XDP_REDIRECT after a call of bpf_redirect_map that found nothing goes to the device whose "
          "ifindex is the number recorded before: the key found earlier, or the ifindex given to bpf_redirect.",
      .catalogue = {"STATE-03"},
      .variants = any_map(4),
      .check =
          [](Case& c) {
            // The key of device(0) is the ifindex of device(1).
            constexpr std::uint32_t kIfindex = 10;
            LiveTargets targets(c, {.first_ifindex = kIfindex});
            const auto map = c.devmap(kIfindex + 4);
            c.must(map.update(targets.device(1), {.ifindex = targets.device(0)}));
            const auto hit = [&](std::uint64_t missing) {
              Assembler code;
              code.redirect_map(map, targets.device(1), 0);
              if (missing != 0) code.redirect_map(map, missing, XDP_REDIRECT & 3);
              return c.program(code.return_value(XDP_REDIRECT));
            };
            c.equals(
                "frames at each target after a hit of the first under the key that is the second's ifindex, "
                "return XDP_REDIRECT",
                targets.arrivals_of(c, hit(0)), arrived(1, 0));
            c.equals("frames at each target after the same hit and a miss, return XDP_REDIRECT",
                     targets.arrivals_of(c, hit(1)), arrived(0, 1));
            Assembler by_ifindex;
            redirect_to(by_ifindex, targets.device(1)).redirect_map(map, 1, 0).return_value(XDP_REDIRECT);
            c.equals("frames at each target after bpf_redirect to the second and a miss, return XDP_REDIRECT",
                     targets.arrivals_of(c, c.program(by_ifindex)), arrived(0, 1));
          },
  }));

  rules.add(live_rule({
      .id = "state.redirect-after-miss-to-no-device-is-einval",
      .states = "XDP_REDIRECT after a call of bpf_redirect_map that found nothing fails with EINVAL where the number "
                "recorded before is no ifindex, and the event names no map.",
      .refuses = {EINVAL},
      .catalogue = {"STATE-03"},
      .variants = any_map(4),
      .needs = {features::redirect_trace()},
      .check =
          [](Case& c) {
            constexpr std::uint32_t kNoDevice = 3;  // a key with an entry, and the ifindex of nothing here
            const auto map = c.devmap(kEntries);
            c.must(map.update(kNoDevice, {.ifindex = kLoopback}));
            Assembler code;
            code.redirect_map(map, kNoDevice, 0).redirect_map(map, kMissing, 0).return_value(XDP_REDIRECT);
            const auto program = c.program(code);
            auto trace = c.trace({redirect, redirect_err}, {.programs = {id_of(c, program)}});
            run_live(c, program);
            const auto events = c.must(trace.events());
            fails_with(c, "a hit of key 3, a miss, return XDP_REDIRECT", events, EINVAL);
            if (!events.empty()) c.equals("map_id of that event", events.front().map_id, kNoMapId);
          },
  }));
}

/// Frames that nobody recorded a target for, through an attached program.
///
///     packet socket --> sender <====> receiver, with the program
void redirect_without_helper(Case& c, int code) {
  const auto pair = c.must(create_veth({.first_index = distinct_ifindex(), .queues = 1}));
  const auto program = c.program(Assembler().return_value(XDP_REDIRECT));
  auto trace = c.trace({redirect, redirect_err}, {.programs = {id_of(c, program)}});
  const auto link = c.must(XdpLink::create(program, {.ifindex = pair.first, .flags = xdp_flags(c.mode())}));
  const auto sender = c.must(PacketSocket::open(pair.second));
  std::vector<RedirectEvent> events;
  // Some kernels skip an event raised in a softirq and do not tell (RedirectTrace), and on some a helper that somebody
  // else's program called on this processor has left its target behind: a few frames make sure of an event about
  // neither.
  for (int attempt = 0; attempt < 5 && events.empty(); ++attempt) {
    c.must(sender.send(make_frame()));
    (void)wait_until(
        [&] {
          events = c.must(trace.events());
          return !events.empty();
        },
        500ms);
    std::erase_if(events, [](const RedirectEvent& event) { return event.to_ifindex != 0; });
  }
  fails_with(c, "a frame whose program returns XDP_REDIRECT and nothing else", events, code);
  if (events.empty()) return;
  c.equals("map_id of that event", events.front().map_id, 0U);
  c.equals("to_ifindex of that event", events.front().to_ifindex, 0U);
}

void add_missing_helper(Registry& rules) {
  const std::vector<std::string> source = {"net/core/filter.c:__xdp_do_redirect_frame",
                                           "net/core/filter.c:xdp_do_generic_redirect_map"};
  rules.add({
      .id = "state.redirect-without-helper-is-ebadrqc",
      .states = "XDP_REDIRECT from a program that called no redirect helper fails with EBADRQC.",
      .refuses = {EBADRQC},
      .since = {.major = 5, .minor = 13},
      .source = source,
      .commits = {"ee75aef23afe"},
      .catalogue = {"STATE-05"},
      .variants = once().in({Mode::native, Mode::generic}),
      .needs = {features::veth(), features::redirect_trace()},
      .check = [](Case& c) { redirect_without_helper(c, EBADRQC); },
  });

  rules.add({
      .id = "state.redirect-without-helper-is-redirect-to-0",
      .states = "XDP_REDIRECT from a program that called no redirect helper is taken for a redirect to ifindex 0, and "
                "fails with EINVAL.",
      .refuses = {EINVAL},
      .until = KernelVersion{.major = 5, .minor = 13},
      .source = source,
      .catalogue = {"STATE-05"},
      .variants = once().in({Mode::native, Mode::generic}),
      .needs = {features::veth(), features::redirect_trace()},
      .check = [](Case& c) { redirect_without_helper(c, EINVAL); },
  });
}

/// The first frame's program finds a key and returns XDP_DROP; the others' return XDP_REDIRECT and nothing else.
Program hit_once(Case& c, const DevMap& map, const Map& counter) {
  Assembler code;
  const auto later = code.label();
  number_the_frame(code, counter).jump_if(Condition::not_equal, Register::r7, 0, later);
  code.redirect_map(map, kFirst, 0).return_value(XDP_DROP);
  return c.program(code.place(later).return_value(XDP_REDIRECT));
}

/// How many of these events are errors with this errno.
std::size_t errors(const std::vector<RedirectEvent>& events, int code) {
  return static_cast<std::size_t>(std::ranges::count_if(
      events, [code](const auto& event) { return event.tracepoint == redirect_err && event.err == -code; }));
}

void add_between_frames(Registry& rules) {
  const std::vector<std::string> source = {kCarriedOut, "include/linux/filter.h:bpf_net_ctx_set"};
  rules.add(live_rule({
      .id = "state.hit-is-kept-for-a-later-frame-of-the-poll",
      .states = "A hit that its own frame did not use is used, once, by a later frame of the same poll whose program "
                "returns XDP_REDIRECT without a helper.",
      .refuses = {EBADRQC},
      .since = kBareRedirectSince,
      .until_backports = kFreshStateBackports,
      .source = source,
      .commits = {"401cb7dae813"},
      .catalogue = {"STATE-06"},
      .variants = any_map(4),
      .needs = {features::redirect_trace()},
      .check =
          [](Case& c) {
            Bench bench(c);
            const auto counter = frame_counter(c);
            const auto program = hit_once(c, bench.map, counter);
            auto trace = c.trace({redirect, redirect_err}, {.programs = {id_of(c, program)}});
            c.equals(
                "frames at each target after three frames: a hit of the first and XDP_DROP, XDP_REDIRECT, "
                "XDP_REDIRECT",
                bench.targets.arrivals_of(c, program, {.frames = 3, .batch_size = 64}), arrived(1, 0));
            c.count_that_ends_in("their redirects", EBADRQC, errors(c.must(trace.events()), EBADRQC), 1U);
          },
  }));

  rules.add(live_rule({
      .id = "state.hit-ends-with-the-poll",
      .states = "A hit that no frame of its poll used is gone in the next poll, where XDP_REDIRECT without a helper "
                "fails with EBADRQC.",
      .refuses = {EBADRQC},
      .since = kFreshStateSince,
      .backports = kFreshStateBackports,
      .source = source,
      .commits = {"401cb7dae813"},
      .catalogue = {"STATE-06"},
      .variants = any_map(4),
      .needs = {features::redirect_trace()},
      .check =
          [](Case& c) {
            Bench bench(c);
            const auto counter = frame_counter(c);
            const auto program = hit_once(c, bench.map, counter);
            auto trace = c.trace({redirect, redirect_err}, {.programs = {id_of(c, program)}});
            c.equals(
                "frames at each target after three frames, each a poll of its own: a hit of the first and "
                "XDP_DROP, XDP_REDIRECT, XDP_REDIRECT",
                bench.targets.arrivals_of(c, program, {.frames = 3, .batch_size = 1}), arrived(0, 0));
            c.count_that_ends_in("their redirects", EBADRQC, errors(c.must(trace.events()), EBADRQC), 2U);
          },
  }));

  rules.add(live_rule({
      .id = "state.plain-run-leaves-no-hit",
      .states = "A plain BPF_PROG_TEST_RUN leaves no hit behind: XDP_REDIRECT without a helper fails with EBADRQC for "
                "the next frame on that CPU.",
      .refuses = {EBADRQC},
      .since = kFreshStateSince,
      .backports = kFreshStateBackports,
      .source = {"net/bpf/test_run.c:bpf_test_run"},
      .commits = {"401cb7dae813"},
      .catalogue = {"STATE-07"},
      .variants = any_map(4),
      .needs = {features::redirect_trace()},
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            c.must(map.update(kFirst, {.ifindex = kLoopback}));
            const auto hit = redirecting_program(c, map, kFirst, 0);
            const auto bare = c.program(Assembler().return_value(XDP_REDIRECT));
            auto trace = c.trace({redirect, redirect_err}, {.programs = {id_of(c, bare)}});
            // Both on one CPU, as nearly always; several times for the other cases.
            constexpr std::size_t kRounds = 8;
            for (std::size_t round = 0; round < kRounds; ++round) {
              c.must(hit.test_run({.repeat = 1, .data_in = make_frame()}));
              run_live(c, bare);
            }
            const auto events = c.must(trace.events());
            c.equals("events of 8 live frames given XDP_REDIRECT without a helper, each after a plain run that hit",
                     events.size(), kRounds);
            c.count_that_ends_in("their redirects", EBADRQC, errors(events, EBADRQC), kRounds);
          },
  }));
}

}  // namespace

void add_state_chapter(Registry& rules) {
  rules.chapter("state", "Redirect state between helper call and verdict");
  add_last_call_wins(rules);
  add_other_verdicts(rules);
  add_forced_redirects(rules);
  add_missing_helper(rules);
  add_between_frames(rules);
}

}  // namespace devmap::cases
