#include <cases/egress.hpp>
#include <cases/support.hpp>
#include <harness/net/features.hpp>
#include <harness/net/link.hpp>

#include <algorithm>

// What becomes of a frame by the verdict of its entry's program, and when the program runs.
namespace devmap::cases {
namespace {

using enum RedirectTracepoint;

/// A program in an entry that does nothing but return this.
Assembler returning(std::int32_t verdict) {
  return Assembler().return_value(verdict);
}

/// One that marks the frame.
Assembler marking(std::int32_t value) {
  Assembler code;
  return write_byte(code, Traffic::kFreeByte, value).return_value(XDP_PASS);
}

/// An xdp_exception about the target of port 0, with this action, must be among the events.
void excepts(EgressBench& bench, std::string_view native, std::string_view generic, std::uint32_t action) {
  const auto events = bench.traffic.events();
  const bool is_native = bench.traffic.mode() == Mode::native;
  if (!bench.c.equals("events", summary(events), std::string(is_native ? native : generic))) return;
  const auto found = std::ranges::find(events, exception, &RedirectEvent::tracepoint);
  bench.c.equals("action of xdp_exception", found->action, action);
  bench.c.holds("its ifindex is that of the target", found->ifindex == bench.traffic.target(0), found->text());
}

constexpr std::string_view kNativeException = "xdp_redirect, xdp_exception, xdp_devmap_xmit sent 0 of 1";
constexpr std::string_view kGenericException = "xdp_exception, xdp_redirect";

void add_verdicts(Registry& rules) {
  rules.add(egress_rule({
      .id = "egress.pass-sends-the-frame-as-modified",
      .states = "A frame for which the entry's program returns XDP_PASS leaves through the entry's device, with what "
                "the program wrote to it.",
      .catalogue = {"EGRESS-08"},
      .check =
          [](Case& c) {
            EgressBench bench(c);
            bench.redirect_to(0);
            bench.put(0, marking(0xaa));
            bench.goes("a frame whose byte 30 the program sets to aa", {at_sink(0, "[30] = aa")});
            bench.put(0, returning(XDP_PASS));
            bench.goes("a frame that the program leaves alone", delivered_to({0}));
          },
  }));

  rules.add(egress_rule({
      .id = "egress.drop-is-counted-as-a-drop-only",
      .states = "A frame for which the entry's program returns XDP_DROP is dropped without an error: xdp_redirect "
                "tells of a success, and in native mode xdp_devmap_xmit counts a drop.",
      .catalogue = {"EGRESS-09"},
      .needs = {features::redirect_trace()},
      .check =
          [](Case& c) {
            EgressBench bench(c);
            bench.redirect_to(0);
            bench.put(0, returning(XDP_DROP));
            bench.traffic.trace({redirect, redirect_err, devmap_xmit, exception});
            bench.goes("a frame that the program drops", nowhere());
            bench.raises("xdp_redirect, xdp_devmap_xmit sent 0 of 1", "xdp_redirect");
            bench.put(0, returning(XDP_PASS));
            bench.goes("a frame that the program passes", delivered_to({0}));
            bench.raises("xdp_redirect, xdp_devmap_xmit sent 1 of 1", "xdp_redirect");
          },
  }));

  struct Verdict {
    const char* slug;
    const char* name;
    std::uint32_t value;
    const char* number;
  };
  for (const auto& verdict :
       {Verdict{"aborted", "XDP_ABORTED", XDP_ABORTED, "EGRESS-10"}, Verdict{"tx", "XDP_TX", XDP_TX, "EGRESS-11"},
        Verdict{"redirect", "XDP_REDIRECT", XDP_REDIRECT, "EGRESS-11"},
        Verdict{"unknown-verdict", "a verdict that does not exist", 7, "EGRESS-11"}}) {
    rules.add(egress_rule({
        .id = fmt::format("egress.{}-is-a-drop-with-an-exception", verdict.slug),
        .states = fmt::format("A frame for which the entry's program returns {} is dropped, with an xdp_exception that "
                              "tells the verdict and the entry's device.",
                              verdict.name),
        .catalogue = {verdict.number},
        .needs = {features::redirect_trace()},
        .check =
            [verdict](Case& c) {
              EgressBench bench(c);
              bench.redirect_to(0);
              bench.put(0, returning(static_cast<std::int32_t>(verdict.value)));
              bench.traffic.trace({redirect, redirect_err, devmap_xmit, exception});
              bench.goes(fmt::format("a frame for which the program returns {}", verdict.value), nowhere());
              excepts(bench, kNativeException, kGenericException, verdict.value);
            },
    }));
  }

  rules.add(egress_rule({
      .id = "egress.redirect-in-the-program-has-no-effect",
      .states = "A call of bpf_redirect_map in an entry's program does not change where the frame goes: with XDP_PASS "
                "it leaves through the entry's device only, and with XDP_REDIRECT it is dropped.",
      .catalogue = {"EGRESS-11"},
      .check =
          [](Case& c) {
            EgressBench bench(c, 2);
            const auto other = c.devmap(kEntries);
            c.must(other.update(kPresent, {.ifindex = bench.traffic.target(1)}));
            bench.redirect_to(0);
            bench.put(0, Assembler().redirect_map(other, kPresent, 0).return_value(XDP_PASS));
            bench.goes("a frame that the program of t0 redirects to t1, returning XDP_PASS", delivered_to({0}));
            bench.put(0, Assembler().redirect_map(other, kPresent, 0).exit());
            bench.goes("the same, returning what bpf_redirect_map returns", nowhere());
            bench.put(0, returning(XDP_PASS));
            bench.goes("a frame after that, with a program that only passes", delivered_to({0}));
          },
  }));
}

void add_time(Registry& rules) {
  rules.add(egress_rule(
      {
          .id = "egress.generic-program-runs-in-the-redirect",
          .states = "With a main program in SKB mode the entry's program runs during the redirect: what it raises "
                    "comes before the frame's xdp_redirect.",
          .commits = {"2ea5eabaf04a"},
          .catalogue = {"EGRESS-02"},
          .needs = {features::redirect_trace()},
          .check =
              [](Case& c) {
                EgressBench bench(c);
                bench.redirect_to(0);
                bench.put(0, returning(XDP_ABORTED));
                bench.traffic.trace({redirect, redirect_err, exception});
                bench.traffic.send(bench.traffic.frames(2));
                (void)bench.traffic.fates();
                c.equals("events of two frames for which the program returns XDP_ABORTED",
                         summary(bench.traffic.events()), "xdp_exception, xdp_redirect, xdp_exception, xdp_redirect");
              },
      },
      {Mode::generic}));

  rules.add(egress_rule({
      .id = "egress.program-runs-once-per-frame",
      .states = "An entry's program runs once for each frame that is redirected to the entry.",
      .catalogue = {"EGRESS-01", "EGRESS-02"},
      .check =
          [](Case& c) {
            EgressBench bench(c);
            const auto notes = notes_for_egress(c);
            bench.redirect_to(0);
            bench.put(0, noting(notes).return_value(XDP_PASS));
            for (const std::uint32_t runs : {1U, 2U, 3U}) {
              bench.goes("a frame", delivered_to({0}));
              c.equals("runs of the program so far", noted(c, notes).runs, runs);
            }
          },
  }));

  rules.add(egress_rule({
      .id = "egress.program-does-not-run-for-a-target-that-is-down",
      .states = "An entry's program does not run for a frame that is refused because the entry's device is down.",
      .since = {.major = 5, .minor = 14},
      .commits = {"cb261b594b41", "2ea5eabaf04a"},
      .catalogue = {"EGRESS-01", "EGRESS-02"},
      .check =
          [](Case& c) {
            EgressBench bench(c);
            const auto notes = notes_for_egress(c);
            bench.redirect_to(0);
            bench.put(0, noting(notes).return_value(XDP_PASS));
            c.must(set_up(bench.traffic.target(0), false));
            bench.goes("a frame while t0 is down", nowhere());
            c.equals("runs of the program", noted(c, notes).runs, 0U);
            c.must(set_up(bench.traffic.target(0)));
            bench.goes("a frame after t0 is up again", delivered_to({0}));
            c.equals("runs of the program", noted(c, notes).runs, 1U);
          },
  }));
}

void add_several(Registry& rules) {
  rules.add(egress_rule({
      .id = "egress.each-entry-has-its-own-program",
      .states = "A frame runs the program of the entry it is redirected to, and of no other.",
      .catalogue = {"EGRESS-16"},
      .check =
          [](Case& c) {
            EgressBench bench(c, 2);
            bench.put(0, marking(0xaa));
            bench.put(1, marking(0xbb));
            bench.redirect_to(0);
            bench.goes("a frame redirected to t0, whose program writes aa", {at_sink(0, "[30] = aa")});
            bench.redirect_to(1);
            bench.goes("a frame redirected to t1, whose program writes bb", {at_sink(1, "[30] = bb")});
          },
  }));

  rules.add(egress_rule({
      .id = "egress.one-program-serves-many-entries",
      .states = "A program may be in several entries of a map, and runs for the frames of each.",
      .catalogue = {"EGRESS-20"},
      .check =
          [](Case& c) {
            EgressBench bench(c, 2);
            const auto notes = notes_for_egress(c);
            {
              const auto program = load_egress(c, noting(notes).return_value(XDP_PASS));
              for (const std::uint32_t port : {0U, 1U}) {
                c.succeeds(bench.map.update(port, {.ifindex = bench.traffic.target(port), .program_fd = program.fd()}));
              }
            }
            for (const std::uint32_t port : {0U, 1U}) {
              bench.redirect_to(port);
              bench.goes(fmt::format("a frame redirected to t{}", port), delivered_to({port}));
              c.equals("runs of the program so far", noted(c, notes).runs, port + 1);
            }
            bench.redirect_to(0, BPF_F_BROADCAST);
            bench.goes("a frame that is broadcast", delivered_to({0, 1}));
            c.equals("runs of the program so far", noted(c, notes).runs, 4U);
          },
  }));

  rules.add(egress_rule(
      {
          .id = "egress.native-broadcast-copies-are-modified-apart",
          .states = "What an entry's program writes to its copy of a frame that a native program broadcasts is in that "
                    "copy only.",
          .since = {.major = 5, .minor = 14},
          .catalogue = {"EGRESS-16"},
          .check =
              [](Case& c) {
                EgressBench bench(c, 3);
                bench.put(0, marking(0xaa));
                bench.put(1, marking(0xbb));
                bench.put(2, returning(XDP_PASS));
                bench.redirect_to(0, BPF_F_BROADCAST);
                bench.goes("a frame broadcast to t0 (writes aa), t1 (writes bb) and t2 (writes nothing)",
                           {at_sink(0, "[30] = aa"), at_sink(1, "[30] = bb"), at_sink(2)});
              },
      },
      {Mode::native}));
}

}  // namespace

void add_egress_verdicts(Registry& rules) {
  add_verdicts(rules);
  add_time(rules);
  add_several(rules);
}

}  // namespace devmap::cases
