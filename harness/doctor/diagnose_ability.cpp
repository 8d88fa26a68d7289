#include <harness/doctor/diagnosis.hpp>

#include <array>
#include <cerrno>
#include <utility>

namespace devmap::doctor {
namespace {

constexpr std::string_view kInGenericMode = "redirect in generic mode (attach the program with xdpgeneric)";

/// Where the kernel has feature bits, the redirect fails at once; before, the driver refuses the frame.
std::string_view refusal(const Situation& situation) {
  return situation.out.device.features ? "fails with EOPNOTSUPP" : "is refused by the driver with ENXIO";
}

Finding peer_does_not_poll(const Situation& situation) {
  const auto& out = situation.out;
  const auto& name = out.device.state.name;
  const Device* const peer = other_of(out);
  const bool gro_suffices = situation.kernel >= kGroSuffices;
  const bool gro_in_vain = !gro_suffices && peer != nullptr && peer->gro.value_or(false);
  const auto program_on = [&](const std::string& title) { return "attach a native program to " + title; };
  std::string remedy;
  if (peer == nullptr) {
    remedy = fmt::format("in the namespace of the peer, {}",
                         gro_suffices ? "ethtool -K PEER gro on" : program_on("it: one that passes every frame"));
  } else if (gro_suffices) {
    remedy = on(*peer, fmt::format("ethtool -K {} gro on", peer->state.name)) + "; or " + program_on(title_of(*peer));
  } else {
    remedy = program_on(title_of(*peer)) + ", one that passes every frame, or use Linux 5.13 or later with GRO";
  }
  return {
      .name = gro_in_vain ? "kernel-too-old-for-gro" : "target-peer-does-not-poll",
      .severity = Severity::obstacle,
      .found = gro_in_vain
                   ? fmt::format("the peer of {}, {}, has GRO but no native XDP program, and GRO suffices only since "
                                 "Linux 5.13 (this is {}): a redirect to {} {}",
                                 name, other_title(out), situation.kernel.text(), name, refusal(situation))
                   : fmt::format("the peer of {}, {}, has neither a native XDP program nor GRO, so a redirect to {} {}",
                                 name, other_title(out), name, refusal(situation)),
      .remedy = std::move(remedy),
      .rule = situation.out.device.features ? rule::kPeerDoesNotPoll : rule::kPeerDoesNotPollUntil63};
}

bool polls(const Device& peer) {
  return peer.state.native_program != 0 || peer.gro.value_or(false);
}

/// Such a device has no feature bits at all (drivers/net/veth.c:veth_set_xdp_features).
Finding too_few_queues_to_transmit(const Situation& situation) {
  return {.name = "target-has-fewer-queues-than-its-peer",
          .severity = Severity::obstacle,
          .found = fmt::format("{}, so it offers nothing of XDP: a redirect to it fails with EOPNOTSUPP",
                               too_few_queues(situation.out)),
          .remedy = remedy_for_few_queues(situation.out),
          .rule = rule::kTargetWithFewerQueues};
}

std::string_view rule_of_kind(const Device& device) {
  constexpr std::array kRules = {std::pair{"bridge", rule::kBridge}, std::pair{"macvlan", rule::kMacvlan},
                                 std::pair{"vlan", rule::kVlan},     std::pair{"ifb", rule::kIfb},
                                 std::pair{"dummy", rule::kDummy},   std::pair{"vxlan", rule::kVxlan},
                                 std::pair{"tun", rule::kTun},       std::pair{"bond", rule::kBondWithoutPorts}};
  for (const auto& [kind, rule] : kRules) {
    if (device.state.kind == kind) return rule;
  }
  return rule::kLoopback;
}

std::string remedy_for_kind(const Interface& out) {
  const auto& device = out.device;
  const auto& kind = device.state.kind;
  const auto& name = device.state.name;
  if (kind == "bridge") return fmt::format("redirect to a port of {} instead, or {}", name, kInGenericMode);
  if (kind == "bond" || kind == "team") {
    return fmt::format(
        "give {} ports that are themselves targets of native redirects, in a mode that XDP knows "
        "(active-backup, balance-rr, balance-xor, 802.3ad), or {}",
        name, kInGenericMode);
  }
  if (const Device* const lower = other_of(out); lower != nullptr && !is_veth(device)) {
    const auto tag = kind == "vlan" ? " (the program then puts the VLAN tag into the frame)" : "";
    return fmt::format("redirect to {}, below it, instead{}, or {}", title_of(*lower), tag, kInGenericMode);
  }
  if (!device.state.bus.empty()) {
    return fmt::format(
        "attach a native program to {} too, one that passes every frame: many drivers transmit only then; "
        "or {}",
        name, kInGenericMode);
  }
  return std::string(kInGenericMode);
}

Finding cannot_transmit(const Situation& situation) {
  const auto& device = situation.out.device;
  const auto& kind = device.state.kind;
  const bool hardware = !device.state.bus.empty();
  const auto what = is_loopback(device) ? std::string("the loopback device")
                    : hardware          ? fmt::format("a device on the {} bus", device.state.bus)
                    : is_tun(device)    ? std::string("a tun device, without an Ethernet header")
                                        : fmt::format("a device of kind {}", kind.empty() ? "unknown" : kind);
  return {.name = hardware ? "target-is-not-ready" : "target-cannot-transmit",
          .severity = Severity::obstacle,
          .found = fmt::format(
              "{} ({}) {} transmit XDP frames: a redirect to it fails with EOPNOTSUPP", device.state.name, what,
              hardware ? "does not offer to (its feature bit ndo-xmit is missing, which many drivers set "
                         "only while a program is attached to it), so it cannot"
                       : "cannot"),
          .remedy = remedy_for_kind(situation.out),
          .rule = rule_of_kind(device)};
}

Finding ability_unknown(const Situation& situation, std::string_view what, const std::string& why,
                        std::string_view rule) {
  return {.name = "target-ability-unknown",
          .severity = Severity::unknown,
          .found = fmt::format("{} ({})", what, why),
          .remedy =
              fmt::format("ask with --probe as root, which sends a frame through {}", situation.out.device.state.name),
          .rule = rule};
}

/// A kernel that tells no feature bits leaves it to the driver; what is known of it is known by kind.
void judge_by_kind(const Situation& situation, Findings& findings) {
  const auto& device = situation.out.device;
  const auto& kind = device.state.kind;
  if (is_veth(device)) {
    const Device* const peer = other_of(situation.out);
    if (peer == nullptr) {
      findings.push_back(ability_unknown(situation, "whether the peer has a native XDP program or GRO",
                                         other_unknown(situation.out), rule::kPeerDoesNotPollUntil63));
    } else if (peer->state.native_program == 0 && !(situation.kernel >= kGroSuffices && peer->gro.value_or(false))) {
      findings.push_back(peer_does_not_poll(situation));
    }
    return;
  }
  const bool tap = is_tun(device) && device.state.hardware == 1;  // ARPHRD_ETHER
  if (tap) return;
  if (is_loopback(device) || (!kind.empty() && kind != "bond" && kind != "team") ||
      (kind == "bond" && situation.kernel < kBondsTransmit)) {
    findings.push_back(cannot_transmit(situation));
    return;
  }
  findings.push_back(ability_unknown(situation, "whether the driver of the target transmits XDP frames",
                                     "this kernel, before Linux 6.3, does not tell",
                                     kind == "bond" ? rule::kBond : rule::kLoopback));
}

}  // namespace

void diagnose_ability(const Situation& situation, Findings& findings) {
  const auto& device = situation.out.device;
  if (!device.features) {
    if (device.features.error().code == ENOENT) {
      judge_by_kind(situation, findings);
    } else {
      findings.push_back(ability_unknown(situation, "whether the target transmits XDP frames",
                                         device.features.error().text(), rule_of_kind(device)));
    }
    return;
  }
  if (device.features->has(XdpFeature::transmit)) return;
  if (!is_veth(device)) {
    findings.push_back(cannot_transmit(situation));
    return;
  }
  // A program or GRO that the peer has would not help here.
  const Device* const peer = other_of(situation.out);
  const bool few_queues = has_fewer_queues(situation.out);
  if (few_queues) findings.push_back(too_few_queues_to_transmit(situation));
  if (!few_queues || (peer != nullptr && !polls(*peer))) findings.push_back(peer_does_not_poll(situation));
}

}  // namespace devmap::doctor
