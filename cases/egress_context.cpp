#include <cases/egress.hpp>

// What an entry's program sees.
namespace devmap::cases {
namespace {

constexpr KernelVersion kReworked{.major = 5, .minor = 14};

void add_devices(Registry& rules) {
  rules.add(egress_rule({
      .id = "egress.ingress-ifindex-is-the-receiving-device",
      .states = "An entry's program finds in ingress_ifindex the device that received the frame.",
      .since = {.major = 6, .minor = 12},
      .backports = {{.major = 6, .minor = 11, .patch = 6}, {.major = 6, .minor = 1, .patch = 115}},
      .commits = {"ca9984c5f0ab"},
      .catalogue = {"EGRESS-03"},
      .danger = "kernels without ca9984c5f0ab follow a null pointer when such a program reads ingress_ifindex",
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
  add_metadata(rules);
}

}  // namespace devmap::cases
