#include <harness/doctor/diagnosis.hpp>

namespace devmap::doctor {
namespace {

void look_at_namespace(const Situation& situation, Findings& findings) {
  const auto& device = situation.out.device;
  if (!device.elsewhere) return;
  const auto& where = *device.elsewhere;
  if (situation.out_entered_there) {
    findings.push_back(
        {.name = "target-in-another-namespace",
         .severity = Severity::note,
         .found = fmt::format("{} is in {}, and is entered into the map from there (ifindex {}); the entry "
                              "goes when the device leaves that namespace",
                              device.state.name, where.title, device.ifindex),
         .rule = rule::kCrossesNamespaces});
    return;
  }
  findings.push_back(
      {.name = "target-in-another-namespace",
       .severity = Severity::obstacle,
       .found = fmt::format("{} is in {}: its ifindex {} names no device here, or another one, so that an "
                            "update from here is refused with EINVAL, or enters the wrong device",
                            device.state.name, where.title, device.ifindex),
       .remedy = fmt::format("update the map from there ({} YOUR-PROGRAM; entries work across namespaces), "
                             "then ask again with --out-netns {}",
                             where.enter, where.path),
       .rule = rule::kOtherNamespace});
}

/// Why the link is not up, and what would help.
Finding without_carrier(const Interface& out, Mode mode) {
  const auto& device = out.device;
  const auto& name = device.state.name;
  const bool native = mode == Mode::native;
  if (is_tun(device)) {
    return {.name = "target-without-a-reader",
            .severity = Severity::obstacle,
            .found = fmt::format("nobody has {} open, so its driver drops every frame ({})", name,
                                 native ? "ENXIO in xdp_devmap_xmit" : "no event tells"),
            .remedy = fmt::format("start the program that reads {} (a virtual machine, a tunnel)", name),
            .rule = native ? rule::kTapWithoutReader : rule::kSilentLoss};
  }
  if (is_veth(device)) {
    const Device* const peer = other_of(out);
    return {.name = "target-peer-down",
            .severity = Severity::obstacle,
            .found = fmt::format("the peer of {}, {}, is down, so the driver drops every frame ({})", name,
                                 other_title(out), native ? "ENXIO in xdp_devmap_xmit" : "no event tells"),
            .remedy = peer != nullptr ? on(*peer, fmt::format("ip link set {} up", peer->state.name))
                                      : fmt::format("set {} up in its namespace", other_title(out)),
            .rule = native ? rule::kPeerDown : rule::kSilentLoss};
  }
  return {.name = "target-without-carrier",
          .severity = Severity::obstacle,
          .found = fmt::format("the link of {} is down (no carrier), so nobody receives what it sends", name),
          .remedy = fmt::format("connect what is at the other end of {}", name),
          .rule = native ? rule::kPeerDown : rule::kSilentLoss};
}

void look_at_state(const Situation& situation, Mode mode, Findings& findings) {
  const auto& device = situation.out.device;
  const auto& name = device.state.name;
  if (!is_up(device)) {
    findings.push_back({.name = "target-down",
                        .severity = Severity::obstacle,
                        .found = fmt::format("{} is down: every redirect fails with ENETDOWN (the map takes it all the "
                                             "same)",
                                             name),
                        .remedy = on(device, fmt::format("ip link set {} up", name)),
                        .rule = rule::kDown});
  } else if (!has_carrier(device)) {
    findings.push_back(without_carrier(situation.out, mode));
  }
  // A device that is down tells nothing of its peer.
  const Device* const peer = is_veth(device) ? other_of(situation.out) : nullptr;
  if (!is_up(device) && peer != nullptr && !is_up(*peer)) findings.push_back(without_carrier(situation.out, mode));
}

void look_at_what_follows(const Situation& situation, Mode mode, Findings& findings) {
  const auto& device = situation.out.device;
  const auto& name = device.state.name;
  if (same(situation.in.device, device)) {
    findings.push_back({.name = "target-is-the-receiver",
                        .severity = Severity::note,
                        .found = fmt::format("frames go back out of {}, the device they came in by", name),
                        .rule = rule::kBackOut});
  }
  const Device* const peer = is_veth(device) ? other_of(situation.out) : nullptr;
  if (peer != nullptr && (peer->state.native_program != 0 || peer->state.generic_program != 0)) {
    const bool native = peer->state.native_program != 0;
    findings.push_back(
        {.name = "target-peer-runs-a-program",
         .severity = Severity::note,
         .found = fmt::format("the peer of {}, {}, runs an XDP program in {} mode (id {}), which decides "
                              "what becomes of the frames that arrive",
                              name, title_of(*peer), native ? "native" : "generic",
                              native ? peer->state.native_program : peer->state.generic_program),
         .rule = rule::kPeerProgram});
  }
  if (mode == Mode::native) return;
  if (const auto& kind = device.state.kind; kind == "dummy" || kind == "ifb") {
    findings.push_back(
        {.name = "target-swallows",
         .severity = Severity::caution,
         .found = fmt::format("{} is a device of kind {}: it takes the frames and drops them", name, kind),
         .remedy = "redirect to a device that has another end",
         .rule = kind == "dummy" ? rule::kGenericDummy : rule::kGenericIfb});
  }
  if (device.state.kind == "vxlan") {
    findings.push_back(
        {.name = "target-needs-a-remote-end",
         .severity = Severity::caution,
         .found = fmt::format("{} sends frames to the remote ends its forwarding table has for them, and "
                              "drops all others (no event tells)",
                              name),
         .remedy = on(device, fmt::format("bridge fdb show dev {}", name)),
         .rule = rule::kSilentLoss});
  }
  if (is_tun(device) && device.state.hardware != 1) {  // ARPHRD_ETHER
    findings.push_back({.name = "target-without-ethernet",
                        .severity = Severity::caution,
                        .found = fmt::format("{} carries packets without an Ethernet header, but its reader gets "
                                             "redirected frames with theirs",
                                             name),
                        .remedy = "use a tap device, or take the Ethernet header off (bpf_xdp_adjust_head)",
                        .rule = rule::kGenericTun});
  }
}

}  // namespace

void diagnose_target(const Situation& situation, Mode mode, Findings& findings) {
  look_at_namespace(situation, findings);
  look_at_state(situation, mode, findings);
  look_at_what_follows(situation, mode, findings);
}

}  // namespace devmap::doctor
