#include <cases/egress.hpp>
#include <harness/bpf/features.hpp>
#include <harness/net/features.hpp>

#include <algorithm>
#include <cstddef>

namespace devmap::cases {
namespace {

constexpr std::int16_t at(std::size_t offset) {
  return static_cast<std::int16_t>(offset);
}

}  // namespace

Map notes_for_egress(Case& c) {
  return c.must(Map::create({.type = BPF_MAP_TYPE_ARRAY, .value_size = sizeof(EgressNote)}));
}

EgressNote noted(Case& c, const Map& notes) {
  return c.must(notes.lookup<EgressNote>(0));
}

Assembler noting(const Map& notes, Ingress ingress) {
  using enum Register;
  Assembler code;
  code.load_map_value(r6, notes, 0)
      .load(Width::word, r7, r6, at(offsetof(EgressNote, runs)))
      .compute(Arithmetic::add, r7, 1)
      .store(Width::word, r6, at(offsetof(EgressNote, runs)), r7)
      .load(Width::word, r7, r1, at(offsetof(xdp_md, egress_ifindex)))
      .store(Width::word, r6, at(offsetof(EgressNote, egress)), r7)
      .load(Width::word, r7, r1, at(offsetof(xdp_md, data)))
      .load(Width::word, r8, r1, at(offsetof(xdp_md, data_meta)))
      .compute(Arithmetic::subtract, r7, r8)
      .store(Width::word, r6, at(offsetof(EgressNote, metadata)), r7)
      .load(Width::word, r7, r1, at(offsetof(xdp_md, data_end)))
      .load(Width::word, r8, r1, at(offsetof(xdp_md, data)))
      .compute(Arithmetic::subtract, r7, r8)
      .store(Width::word, r6, at(offsetof(EgressNote, length)), r7);
  if (ingress == Ingress::read) {
    code.load(Width::word, r7, r1, at(offsetof(xdp_md, ingress_ifindex)))
        .store(Width::word, r6, at(offsetof(EgressNote, ingress)), r7)
        .load(Width::word, r7, r1, at(offsetof(xdp_md, rx_queue_index)))
        .store(Width::word, r6, at(offsetof(EgressNote, queue)), r7);
  }
  return code;
}

Assembler& write_byte(Assembler& code, std::int16_t offset, std::int32_t value) {
  using enum Register;
  const auto too_short = code.label();
  return code.load(Width::word, r2, r1, at(offsetof(xdp_md, data)))
      .load(Width::word, r3, r1, at(offsetof(xdp_md, data_end)))
      .move(r4, r2)
      .compute(Arithmetic::add, r4, offset + 1)
      .jump_if(Condition::greater, r4, r3, too_short)
      .store(Width::byte, r2, offset, value)
      .place(too_short);
}

Program load_egress(Case& c, const Assembler& code) {
  return c.program(code, {.expected_attach_type = BPF_XDP_DEVMAP});
}

void put_with_program(Case& c, const DevMap& map, std::uint32_t key, std::uint32_t ifindex, const Assembler& code) {
  const auto program = load_egress(c, code);
  c.must(map.update(key, {.ifindex = ifindex, .program_fd = program.fd()}));
}

Rule egress_rule(Rule rule, const std::vector<Mode>& modes) {
  const bool generic = std::ranges::find(modes, Mode::generic) != modes.end();
  const KernelVersion since = generic ? KernelVersion{.major = 5, .minor = 15} : KernelVersion{.major = 5, .minor = 8};
  rule.since = std::max(rule.since, since);
  rule.variants = any_map(8).in(modes);
  rule.needs.insert(rule.needs.begin(), features::veth());
  if (generic) rule.needs.push_back(features::wide_values_in_skb_mode());
  if (rule.source.empty()) {
    rule.source = {"kernel/bpf/devmap.c:dev_map_bpf_prog_run"};
    if (generic) rule.source.emplace_back("kernel/bpf/devmap.c:dev_map_bpf_prog_run_skb");
  }
  return rule;
}

Rule live_egress_rule(Rule rule) {
  rule.since = std::max(rule.since, KernelVersion{.major = 5, .minor = 18});
  rule.variants = any_map(8);
  rule.needs.insert(rule.needs.begin(), {features::veth(), features::live_frames()});
  return rule;
}

EgressBench::EgressBench(Case& owner, std::uint32_t ports)
    : traffic(owner, {.ports = ports}), map(owner.devmap(8)), c(owner) {}

void EgressBench::put(std::uint32_t port, const Assembler& code) {
  put_with_program(c, map, port, traffic.target(port), code);
}

void EgressBench::redirect_to(std::uint32_t key, std::uint64_t flags) {
  traffic.run(traffic.main().redirect_map(map, key, flags).exit());
}

void EgressBench::goes(std::string_view what, const Frame& frame, const Fate& expected) {
  c.equals(fmt::format("where {} went", what), traffic.fate_of(frame), expected);
}

void EgressBench::raises(std::string_view native, std::string_view generic) {
  c.equals("events", summary(traffic.events()), std::string(traffic.mode() == Mode::native ? native : generic));
}

}  // namespace devmap::cases
