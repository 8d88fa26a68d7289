#include <harness/doctor/diagnosis.hpp>

#include <cerrno>

namespace devmap::doctor {
namespace {

void look_at_state(const Interface& in, Findings& findings) {
  const auto& device = in.device;
  const auto& name = device.state.name;
  if (!is_up(device)) {
    findings.push_back({.name = "receiver-down",
                        .severity = Severity::obstacle,
                        .found = fmt::format("{} is down, so it receives nothing that could be redirected", name),
                        .remedy = on(device, fmt::format("ip link set {} up", name)),
                        .rule = rule::kPeersClosedWire});
  } else if (!has_carrier(device)) {
    const Device* const peer = is_veth(device) ? other_of(in) : nullptr;
    findings.push_back({.name = "receiver-without-carrier",
                        .severity = Severity::obstacle,
                        .found = peer != nullptr
                                     ? fmt::format("{}, the peer of {}, is down, so {} receives nothing that could be "
                                                   "redirected",
                                                   title_of(*peer), name, name)
                                     : fmt::format("the link of {} is down (no carrier), so it receives nothing that "
                                                   "could be redirected",
                                                   name),
                        .remedy = peer != nullptr   ? on(*peer, fmt::format("ip link set {} up", peer->state.name))
                                  : is_veth(device) ? fmt::format("set {} up in its namespace", other_title(in))
                                                    : fmt::format("connect what is at the other end of {}", name),
                        .rule = rule::kPeersClosedWire});
  }
}

/// A program in the other mode keeps this one's out (net/core/dev.c:dev_xdp_attach).
void look_at_programs(const Device& device, Mode mode, Findings& findings) {
  const bool native = mode == Mode::native;
  const auto other = native ? device.state.generic_program : device.state.native_program;
  if (other == 0) return;
  const auto& name = device.state.name;
  findings.push_back(
      {.name = "receiver-runs-a-program-of-the-other-mode",
       .severity = Severity::caution,
       .found = fmt::format("{} runs a program in {} mode (id {}); as long as it does, one in {} mode is "
                            "refused with EEXIST",
                            name, native ? "generic" : "native", other, native ? "native" : "generic"),
       .remedy = on(device, fmt::format("ip link set {} {} off", name, native ? "xdpgeneric" : "xdpdrv")),
       .rule = rule::kOneMode});
}

/// Kinds whose drivers have no XDP at all; for kernels that do not tell.
bool lacks_native_mode(const Device& device) {
  const auto& kind = device.state.kind;
  if (is_loopback(device)) return true;
  if (is_tun(device)) return device.state.hardware != 1;  // ARPHRD_ETHER
  return !kind.empty() && kind != "veth" && kind != "bond" && kind != "team";
}

void look_at_driver(const Interface& in, Findings& findings) {
  const auto& device = in.device;
  const auto& name = device.state.name;
  const bool told = device.features.has_value();
  if (!told && device.features.error().code != ENOENT) {
    findings.push_back({.name = "receiver-features-unknown",
                        .severity = Severity::unknown,
                        .found = fmt::format("whether the driver of {} runs native programs ({})", name,
                                             device.features.error().text()),
                        .remedy = "attach a program in native mode and see",
                        .rule = rule::kNoNativeProgram});
    return;
  }
  // A veth device says so where it has too few queues, and that is found there.
  if (is_veth(device)) return;
  if (told ? !device.features->has(XdpFeature::basic) : lacks_native_mode(device)) {
    const Device* const lower = is_veth(device) ? nullptr : other_of(in);
    findings.push_back(
        {.name = "receiver-takes-no-native-program",
         .severity = Severity::obstacle,
         .found =
             fmt::format("the driver of {} runs no native programs: attaching one is refused with EOPNOTSUPP", name),
         .remedy = lower != nullptr
                       ? fmt::format("attach the program to {}, below it, or in generic mode", title_of(*lower))
                       : "attach the program in generic mode (xdpgeneric)",
         .rule = rule::kNoNativeProgram});
  } else if (told && !device.features->has(XdpFeature::redirect)) {
    findings.push_back(
        {.name = "receiver-does-not-redirect",
         .severity = Severity::obstacle,
         .found = fmt::format("the driver of {} runs native programs but does not carry out XDP_REDIRECT", name),
         .remedy = "attach the program in generic mode (xdpgeneric)",
         .rule = rule::kRedirects});
  }
}

/// What keeps a native program off a veth device (drivers/net/veth.c:veth_xdp_set). Where it has one, nothing did.
void look_at_veth(const Situation& situation, Findings& findings) {
  const auto& device = situation.in.device;
  const auto& name = device.state.name;
  if (!is_veth(device) || device.state.native_program != 0) return;
  if (has_fewer_queues(situation.in)) {
    findings.push_back(
        {.name = "receiver-has-fewer-queues-than-its-peer",
         .severity = Severity::obstacle,
         .found = fmt::format("{}: attaching a native program is refused with ENOSPC", too_few_queues(situation.in)),
         .remedy = remedy_for_few_queues(situation.in),
         .rule = rule::kFewerQueues});
  }
  const Device* const peer = other_of(situation.in);
  if (peer == nullptr) {
    findings.push_back(
        {.name = "receiver-peer-unknown",
         .severity = Severity::note,
         .found = fmt::format("unknown: whether the peer of {}, {}, has more transmit queues than {} has "
                              "receive queues, or a large MTU, which would keep native programs off ({})",
                              name, other_title(situation.in), name, other_unknown(situation.in)),
         .remedy = {},
         .rule = rule::kFewerQueues});
    return;
  }
  constexpr std::uint32_t kEthernetHeader = 14;
  const auto largest = single_buffer(situation) - kEthernetHeader;
  if (peer->state.mtu > largest) {
    const bool fragments = situation.kernel >= kFragments;
    findings.push_back(
        {.name = "receiver-peer-has-a-large-mtu",
         .severity = fragments ? Severity::caution : Severity::obstacle,
         .found = fmt::format(
             "the peer of {}, {}, has an MTU of {}, above {}: a native program {}is refused with ERANGE", name,
             title_of(*peer), peer->state.mtu, largest, fragments ? "that does not allow for fragments " : ""),
         .remedy = (fragments ? "load the program with BPF_F_XDP_HAS_FRAGS (libbpf: SEC(\"xdp.frags\")), or: " : "") +
                   on(*peer, fmt::format("ip link set {} mtu {}", peer->state.name, largest)),
         .rule = rule::kLargePeerMtu});
  }
}

}  // namespace

void diagnose_receiver(const Situation& situation, Mode mode, Findings& findings) {
  const auto& device = situation.in.device;
  look_at_state(situation.in, findings);
  look_at_programs(device, mode, findings);
  if (mode == Mode::native) {
    if (device.state.native_program == 0) look_at_driver(situation.in, findings);
    look_at_veth(situation, findings);
  } else if (situation.kernel < kWideValuesInGenericMode) {
    findings.push_back({.name = "wide-values-in-generic-mode",
                        .severity = Severity::caution,
                        .found = fmt::format("this kernel, {}, refuses with EINVAL to attach a program in generic mode "
                                             "whose map has 8-byte values",
                                             situation.kernel.text()),
                        .remedy = "make the map with 4-byte values (an ifindex alone), or use Linux 5.15 or later",
                        .rule = rule::kWideValues});
  }
}

}  // namespace devmap::doctor
