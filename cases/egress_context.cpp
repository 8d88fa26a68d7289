#include <cases/egress.hpp>
#include <cases/live_targets.hpp>
#include <cases/support.hpp>
#include <harness/base/processor.hpp>
#include <harness/base/wait.hpp>
#include <harness/bpf/features.hpp>
#include <harness/net/link.hpp>

#include <algorithm>
#include <cstddef>

// What an entry's program sees.
namespace devmap::cases {
namespace {

const std::string kNullPointer =
    "kernels without ca9984c5f0ab follow a null pointer when such a program reads ingress_ifindex or rx_queue_index";
constexpr KernelVersion kReworked{.major = 5, .minor = 14};

void add_devices(Registry& rules) {
  rules.add(egress_rule({
      .id = "egress.ingress-ifindex-is-the-receiving-device",
      .states = "An entry's program finds in ingress_ifindex the device that received the frame.",
      .since = kReceiverSince,
      .backports = kReceiverBackports,
      .commits = {"ca9984c5f0ab"},
      .catalogue = {"EGRESS-03"},
      .danger = kNullPointer,
      .check =
          [](Case& c) {
            EgressBench bench(c);
            const auto notes = notes_for_egress(c);
            bench.redirect_to(0);
            bench.put(0, noting(notes, Ingress::read).return_value(XDP_PASS));
            bench.goes("a frame", delivered_to({0}));
            c.equals("runs of the program", noted(c, notes).runs, 1U);
            c.equals("ingress_ifindex that it reads is that of in1", noted(c, notes).ingress, bench.traffic.in1());
          },
  }));

  rules.add(egress_rule({
      .id = "egress.egress-ifindex-is-the-entrys-device",
      .states = "An entry's program finds in egress_ifindex the device that the frame is about to leave through, also "
                "for each copy of a broadcast.",
      .catalogue = {"EGRESS-04"},
      .check =
          [](Case& c) {
            EgressBench bench(c, 2);
            const auto notes0 = notes_for_egress(c);
            const auto notes1 = notes_for_egress(c);
            bench.put(0, noting(notes0).return_value(XDP_PASS));
            bench.put(1, noting(notes1).return_value(XDP_PASS));
            bench.redirect_to(0);
            bench.goes("a frame redirected to t0", delivered_to({0}));
            c.equals("egress_ifindex that the program of t0 reads is that of t0", noted(c, notes0).egress,
                     bench.traffic.target(0));
            c.equals("runs of the program of t1", noted(c, notes1).runs, 0U);
            bench.redirect_to(0, BPF_F_BROADCAST);
            bench.goes("a frame that is broadcast", delivered_to({0, 1}));
            c.equals("egress_ifindex that the program of t0 reads is that of t0", noted(c, notes0).egress,
                     bench.traffic.target(0));
            c.equals("egress_ifindex that the program of t1 reads is that of t1", noted(c, notes1).egress,
                     bench.traffic.target(1));
          },
  }));
}

/// Frames that reach a main program by its second queue, and go on from there to an entry:
///
///     live frames --> w0 <====> w1 (main program) --> t0
///
/// A veth device puts a redirected frame into the queue of the processor (drivers/net/veth.c:veth_select_rxq).
void queue_is_not_kept(Case& c) {
  constexpr std::uint32_t kQueues = 2;
  const auto allowed = c.must(allowed_processors());
  const auto odd = std::ranges::find_if(allowed, [](unsigned processor) { return processor % kQueues == 1; });
  if (odd == allowed.end()) c.must(Expected<void>(failure("find a processor with an odd number", 0)));
  c.must(stay_on_processor(*odd));

  const LiveTargets targets(c, {.count = 1});
  const auto wire = c.must(create_veth({.first_name = "w0",
                                        .second_name = "w1",
                                        .first_index = distinct_ifindex(60),
                                        .second_index = distinct_ifindex(61),
                                        .queues = kQueues}));
  const auto notes = notes_for_egress(c);
  const auto map = c.devmap();
  put_with_program(c, map, 0, targets.device(0), noting(notes, Ingress::read).return_value(XDP_PASS));

  const auto main_queue = c.must(Map::create({.type = BPF_MAP_TYPE_ARRAY}));
  const auto main_program =
      c.program(Assembler()
                    .load_map_value(Register::r6, main_queue, 0)
                    .load(Width::word, Register::r7, Register::r1, offsetof(xdp_md, rx_queue_index))
                    .store(Width::word, Register::r6, 0, Register::r7)
                    .redirect_map(map, 0, 0)
                    .exit());
  const auto attached = c.attach(main_program, wire.second, Mode::native);
  const auto to_wire = c.devmap();
  c.must(to_wire.update(0, {.ifindex = wire.first}));
  run_live(c, redirecting_program(c, to_wire, 0, 0));
  // The main program runs in a softirq that may come after the call.
  c.holds("the frame comes to the program in the entry",
          wait_until([&] { return noted(c, notes).runs == 1; }, c.patience()));

  c.equals("rx_queue_index that the main program reads", c.must(main_queue.lookup<std::uint32_t>(0)), 1U);
  c.equals("rx_queue_index that it reads", noted(c, notes).queue, 0U);
  c.equals("ingress_ifindex that it reads is that of w1", noted(c, notes).ingress, wire.second);
}

void add_queue(Registry& rules) {
  rules.add(egress_rule(
      {
          .id = "egress.native-program-does-not-see-the-queue",
          .states = "With a native main program an entry's program finds 0 in rx_queue_index, whatever queue the frame "
                    "was received by.",
          .since = kReceiverSince,
          .backports = kReceiverBackports,
          .commits = {"cb261b594b41", "ca9984c5f0ab"},
          .catalogue = {"EGRESS-05"},
          .needs = {features::live_frames(), features::two_processors()},
          .danger = kNullPointer,
          .check = queue_is_not_kept,
      },
      {Mode::native}));
}

/// What a program in an entry finds of 8 bytes of metadata that the main program adds.
void sees_metadata(Case& c, std::uint32_t expected) {
  constexpr std::int32_t kMetadata = 8;
  EgressBench bench(c);
  const auto notes = notes_for_egress(c);
  auto code = bench.traffic.main();
  const auto refused = code.label();
  code.move(Register::r2, -kMetadata)
      .call(BPF_FUNC_xdp_adjust_meta)
      .jump_if(Condition::not_equal, Register::r0, 0, refused)
      .redirect_map(bench.map, 0, 0)
      .exit()
      .place(refused)
      .return_value(XDP_DROP);
  bench.traffic.run(code);
  bench.put(0, noting(notes).return_value(XDP_PASS));
  bench.goes("a frame to which the main program adds 8 bytes of metadata", delivered_to({0}));
  c.equals("runs of the program in the entry", noted(c, notes).runs, 1U);
  c.equals("bytes of metadata that it finds", noted(c, notes).metadata, expected);
}

void add_metadata(Registry& rules) {
  rules.add(egress_rule(
      {
          .id = "egress.native-program-sees-metadata",
          .states = "With a native main program an entry's program finds the metadata that the main program added.",
          .since = kReworked,
          .catalogue = {"EGRESS-06"},
          .check = [](Case& c) { sees_metadata(c, 8); },
      },
      {Mode::native}));
  rules.add(egress_rule(
      {
          .id = "egress.generic-program-sees-no-metadata",
          .states = "With a main program in SKB mode an entry's program finds no metadata, whatever the main program "
                    "added.",
          .catalogue = {"EGRESS-06"},
          .check = [](Case& c) { sees_metadata(c, 0); },
      },
      {Mode::generic}));

  rules.add(egress_rule({
      .id = "egress.program-may-add-metadata",
      .states = "bpf_xdp_adjust_meta succeeds in an entry's program, and does not change the frame that is sent.",
      .since = kReworked,
      .catalogue = {"EGRESS-07"},
      .check =
          [](Case& c) {
            using enum Register;
            EgressBench bench(c);
            const auto notes = notes_for_egress(c);
            bench.redirect_to(0);
            bench.put(0, noting(notes)
                             .move(r2, -4)
                             .call(BPF_FUNC_xdp_adjust_meta)
                             .store(Width::word, r6, offsetof(EgressNote, result), r0)
                             .return_value(XDP_PASS));
            bench.goes("a frame to which the program in the entry adds 4 bytes of metadata", delivered_to({0}));
            c.equals("runs of the program", noted(c, notes).runs, 1U);
            c.equals("result of bpf_xdp_adjust_meta", noted(c, notes).result, 0);
          },
  }));
}

}  // namespace

void add_egress_context(Registry& rules) {
  add_devices(rules);
  add_queue(rules);
  add_metadata(rules);
}

}  // namespace devmap::cases
