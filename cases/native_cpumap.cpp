#include <cases/egress.hpp>
#include <cases/live_targets.hpp>
#include <cases/native.hpp>
#include <cases/support.hpp>
#include <cases/traffic.hpp>
#include <harness/base/own_thread.hpp>
#include <harness/base/processor.hpp>
#include <harness/base/wait.hpp>
#include <harness/bpf/features.hpp>
#include <harness/net/features.hpp>
#include <harness/net/topology.hpp>

#include <algorithm>
#include <iterator>
#include <vector>

// Programs in a CPUMAP that redirect by a device map.
//
//     frame --> in0 <====> in1 (main program) --> CPUMAP (program, on a kernel thread) --> t0 <====> s0
namespace devmap::cases {
namespace {

using enum RedirectTracepoint;

constexpr KernelVersion kSince{.major = 5, .minor = 9};
constexpr KernelVersion kGenericSince{.major = 5, .minor = 15};
const std::string kRun = "kernel/bpf/cpumap.c:cpu_map_bpf_prog_run_xdp";
const std::string kRunGeneric = "kernel/bpf/cpumap.c:cpu_map_bpf_prog_run_skb";

/// A CPUMAP in which one processor runs a program on all frames it is given.
struct CpuMap {
  std::uint32_t processor;
  Program program;
  Map map;
};

CpuMap cpumap_with(Case& c, const Assembler& code) {
  const std::uint32_t processor = c.must(allowed_processors()).front();
  auto program = c.program(code, {.expected_attach_type = BPF_XDP_CPUMAP});
  auto map = c.must(
      Map::create({.type = BPF_MAP_TYPE_CPUMAP, .value_size = sizeof(bpf_cpumap_val), .max_entries = processor + 1}));
  bpf_cpumap_val value{};
  value.qsize = 64;
  value.bpf_prog.fd = program.fd();
  c.must(map.update(processor, value));
  return {.processor = processor, .program = std::move(program), .map = std::move(map)};
}

/// Sends all frames of a main program on in1 through a CPUMAP whose program redirects by the map under a key.
CpuMap redirect_in_cpumap(Case& c, Traffic& t, const DevMap& map, std::uint64_t flags = 0) {
  auto cpumap = cpumap_with(c, t.main(Traffic::Answer::passed).redirect_map(map, kPresent, flags).exit());
  t.run(redirecting_program(c, cpumap.map, cpumap.processor, 0), Traffic::Answer::passed);
  return cpumap;
}

void delivers(Case& c) {
  Traffic t(c);
  const auto map = c.devmap(kEntries);
  c.must(map.update(kPresent, {.ifindex = t.target(0)}));
  const auto cpumap = redirect_in_cpumap(c, t, map);
  c.equals("where a frame that the program in the CPUMAP redirects to t0 went", t.fate_of(t.frame()),
           delivered_to({0}));
}

void broadcasts(Case& c) {
  Traffic t(c, {.ports = 2});
  const auto map = c.devmap(kEntries);
  c.must(map.update(0, {.ifindex = t.in1()}));
  c.must(map.update(1, {.ifindex = t.target(0)}));
  c.must(map.update(2, {.ifindex = t.target(1)}));
  {
    const auto cpumap = redirect_in_cpumap(c, t, map, BPF_F_BROADCAST);
    c.equals("where a frame broadcast to in1, t0 and t1 went", t.fate_of(t.frame()),
             Fate({at_in0(), at_sink(0), at_sink(1)}));
  }
  const auto cpumap = redirect_in_cpumap(c, t, map, BPF_F_BROADCAST | BPF_F_EXCLUDE_INGRESS);
  c.equals("where one went with BPF_F_EXCLUDE_INGRESS", t.fate_of(t.frame()), delivered_to({0, 1}));
}

/// Two frames of two receiving devices, redirected to one device by a program in a CPUMAP in one batch.
///
///     live frame --> w0 --+                          +--> device(0) <====> sink
///     live frame --> w1 --+--> CPUMAP (its program) -+
class TwoReceivers {
 public:
  TwoReceivers(Case& c, const DevMap& map)
      : c_(c),
        wire_(c.must(create_wire(20))),
        cpumap_(cpumap_with(c, Assembler().redirect_map(map, kPresent, 0).exit())),
        main_(redirecting_program(c, cpumap_.map, cpumap_.processor, 0)),
        trace_(c.trace({devmap_xmit}, {.devices = {wire_.first, wire_.second}})) {}

  [[nodiscard]] const VethPair& wire() const { return wire_; }

  /// The transmission of both. The map's thread cannot run while its processor is claimed, so it finds both frames
  /// waiting, unless a run had to sleep.
  [[nodiscard]] RedirectEvent transmission() {
    constexpr int kAttempts = 20;
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
      c_.must(on_own_thread([this] { return claim_processor(cpumap_.processor); },
                            [this] {
                              run_live(c_, main_, {.ingress = wire_.first});
                              run_live(c_, main_, {.ingress = wire_.second});
                            }));
      const auto events = transmissions_of(2);
      if (events.size() == 1) return events.front();
    }
    c_.must(Expected<void>(failure("have two frames redirected in one batch", 0)));
    return {};
  }

  /// The transmission of a frame of the second device.
  [[nodiscard]] RedirectEvent transmission_of_second() {
    run_live(c_, main_, {.ingress = wire_.second});
    return transmissions_of(1).front();
  }

 private:
  std::vector<RedirectEvent> transmissions_of(std::int32_t frames) {
    std::vector<RedirectEvent> events;
    const bool all = wait_until(
        [&] {
          std::ranges::copy(c_.must(trace_.events()), std::back_inserter(events));
          std::int32_t seen = 0;
          for (const auto& event : events) seen += event.sent + event.drops;
          return seen == frames;
        },
        c_.patience());
    if (!all) c_.must(Expected<void>(failure("hear of the frames that a program in a CPUMAP redirects", 0)));
    return events;
  }

  Case& c_;
  VethPair wire_;
  CpuMap cpumap_;
  Program main_;
  RedirectTrace trace_;
};

void add_two_receivers(Registry& rules) {
  const std::vector<std::string> source = {"kernel/bpf/devmap.c:bq_enqueue", "kernel/bpf/cpumap.c:cpu_map_kthread_run"};
  rules.add({
      .id = "native.batch-of-two-receivers-is-told-as-one",
      .states = "Of frames of two receiving devices that a program in a CPUMAP redirects to one device in one batch, "
                "xdp_devmap_xmit says that all were received by the device that received the first.",
      .since = kSince,
      .source = source,
      .catalogue = {"EGRESS-22"},
      .variants = any_map(4).in({Mode::native}),
      .needs = {features::veth(), features::live_frames(), features::redirect_trace()},
      .check =
          [](Case& c) {
            const LiveTargets targets(c, {.count = 1});
            const auto map = c.devmap(kEntries);
            c.must(map.update(kPresent, {.ifindex = targets.device(0)}));
            TwoReceivers two(c, map);
            const auto event = two.transmission();
            c.holds("the transmission of a frame of w0 and one of w1 tells w0", event.ifindex == two.wire().first,
                    event.text());
            c.equals("frames it sent", event.sent, 2);
            const auto alone = two.transmission_of_second();
            c.holds("that of a frame of w1 alone tells w1", alone.ifindex == two.wire().second, alone.text());
          },
  });

  rules.add({
      .id = "native.batch-of-two-receivers-has-one-ingress-for-programs",
      .states = "Of frames of two receiving devices that a program in a CPUMAP redirects to one device in one batch, "
                "the entry's program finds in ingress_ifindex of each the device that received the first.",
      .since = kReceiverSince,
      .backports = kReceiverBackports,
      .source = source,
      .catalogue = {"EGRESS-22"},
      .variants = any_map(8).in({Mode::native}),
      .needs = {features::veth(), features::live_frames(), features::redirect_trace()},
      .danger = "kernels without ca9984c5f0ab follow a null pointer when such a program reads ingress_ifindex",
      .check =
          [](Case& c) {
            const LiveTargets targets(c, {.count = 1});
            const auto notes = notes_for_egress(c);
            const auto map = c.devmap(kEntries);
            put_with_program(c, map, kPresent, targets.device(0), noting(notes, Ingress::read).return_value(XDP_PASS));
            TwoReceivers two(c, map);
            (void)two.transmission();
            c.note("the program has been given a frame of w0, and last one of w1");
            c.equals("ingress_ifindex that it found last is that of w0", noted(c, notes).ingress, two.wire().first);
          },
  });
}

}  // namespace

void add_native_cpumap(Registry& rules) {
  rules.add({
      .id = "native.cpumap-program-redirects-by-a-device-map",
      .states = "A program in a CPUMAP can redirect by a device map a frame that a native program sent to it.",
      .since = kSince,
      .source = {kRun},
      .catalogue = {"NATIVE-24"},
      .variants = any_map(4).in({Mode::native}),
      .needs = {features::veth()},
      .check = delivers,
  });
  rules.add({
      .id = "native.redirect-of-a-cpumap-program-is-told-as-its-own",
      .states = "xdp_redirect of a redirect by a program in a CPUMAP tells the id of that program and the device that "
                "received the frame.",
      .since = kSince,
      .source = {kRun},
      .catalogue = {"NATIVE-24"},
      .variants = any_map(4).in({Mode::native}),
      .needs = {features::veth(), features::redirect_trace()},
      .check =
          [](Case& c) {
            Traffic t(c);
            const auto map = c.devmap(kEntries);
            c.must(map.update(kPresent, {.ifindex = t.target(0)}));
            const auto cpumap = redirect_in_cpumap(c, t, map);
            t.trace({redirect});
            c.equals("where a frame went", t.fate_of(t.frame()), delivered_to({0}));
            auto events = t.events();
            const auto map_id = id_of(c, map);
            std::erase_if(events, [map_id](const RedirectEvent& event) { return event.map_id != map_id; });
            if (!c.equals("events of a redirect by the device map", events.size(), 1U)) return;
            c.holds("it tells the program in the CPUMAP and in1",
                    events.front().program_id == id_of(c, cpumap.program) && events.front().ifindex == t.in1(),
                    events.front().text());
          },
  });
  rules.add({
      .id = "native.cpumap-program-broadcasts-without-the-receiver",
      .states = "A broadcast by a program in a CPUMAP leaves out, with BPF_F_EXCLUDE_INGRESS, the device that received "
                "the frame.",
      .since = kBroadcastSince,
      .source = {kRun, "kernel/bpf/devmap.c:dev_map_enqueue_multi"},
      .catalogue = {"NATIVE-24"},
      .variants = any_map(4).in({Mode::native}),
      .needs = {features::veth()},
      .check = broadcasts,
  });
  add_two_receivers(rules);
}

void add_generic_cpumap(Registry& rules) {
  // The kernels whose SKB-mode programs can use maps with such values can use CPUMAPs with programs.
  rules.add({
      .id = "generic.cpumap-program-redirects-by-a-device-map",
      .states = "A program in a CPUMAP can redirect by a device map a frame that an SKB-mode program sent to it.",
      .since = kGenericSince,
      .source = {kRunGeneric},
      .commits = {"11941f8a8536"},
      .catalogue = {"NATIVE-24"},
      .variants = any_map(4).in({Mode::generic}),
      .needs = {features::veth(), features::wide_values_in_skb_mode()},
      .check = delivers,
  });
  rules.add({
      .id = "generic.cpumap-program-broadcasts-without-the-receiver",
      .states = "A broadcast by a program in a CPUMAP of a frame from an SKB-mode program leaves out, with "
                "BPF_F_EXCLUDE_INGRESS, the device that received the frame.",
      .since = kGenericSince,
      .source = {kRunGeneric, "kernel/bpf/devmap.c:dev_map_redirect_multi"},
      .commits = {"11941f8a8536"},
      .catalogue = {"NATIVE-24"},
      .variants = any_map(4).in({Mode::generic}),
      .needs = {features::veth(), features::wide_values_in_skb_mode()},
      .check = broadcasts,
  });
}

}  // namespace devmap::cases
