#include <harness/doctor/diagnosis.hpp>

#include <algorithm>

namespace devmap::doctor {
namespace {

constexpr std::uint32_t kEthernetHeader = 14;
constexpr std::uint32_t kTaggedHeader = 18;

/// The longest frames there are: as asked, or what the receiving device takes, with an 802.1Q header.
std::uint32_t longest(const Situation& situation) {
  return situation.size.value_or(situation.in.device.state.mtu + kTaggedHeader);
}

std::uint32_t allowed_by(const Device& device) {
  constexpr std::uint16_t kWithoutHeader = 0xfffe;  // ARPHRD_NONE
  return device.state.mtu + kTaggedHeader - (device.state.hardware == kWithoutHeader ? kEthernetHeader : 0);
}

Severity severity(const Situation& situation) {
  return situation.size ? Severity::obstacle : Severity::caution;
}

/// "frames of 1600 bytes are", "frames of more than 1518 bytes (eth1 receives up to 9018) are"
std::string frames_above(const Situation& situation, std::uint32_t limit) {
  if (situation.size) return fmt::format("frames of {} bytes are", *situation.size);
  return fmt::format("frames of more than {} bytes ({} receives up to {}) are", limit, situation.in.device.state.name,
                     longest(situation));
}

std::uint32_t mtu_for(const Situation& situation) {
  return situation.size ? *situation.size - std::min(*situation.size, kEthernetHeader) : situation.in.device.state.mtu;
}

void look_at_mtu(const Situation& situation, Findings& findings) {
  const auto& device = situation.out.device;
  const auto limit = allowed_by(device);
  if (longest(situation) <= limit) return;
  findings.push_back({.name = "target-mtu",
                      .severity = severity(situation),
                      .found = fmt::format("the MTU of {} is {}: {} dropped with EMSGSIZE", device.state.name,
                                           device.state.mtu, frames_above(situation, limit)),
                      .remedy = on(device, fmt::format("ip link set {} mtu {}", device.state.name, mtu_for(situation))),
                      .rule = rule::kMtu});
}

void look_at_peer_mtu(const Situation& situation, Mode mode, Findings& findings) {
  const auto& out = situation.out;
  if (!is_veth(out.device)) return;
  const auto rule = mode == Mode::native ? rule::kPeerMtu : rule::kSilentLoss;
  const Device* const peer = other_of(out);
  if (peer == nullptr) {
    findings.push_back(
        {.name = "target-peer-unknown",
         .severity = Severity::note,
         .found = fmt::format("unknown: the MTU of the peer of {}, {}, above which frames are dropped ({})",
                              out.device.state.name, other_title(out), other_unknown(out)),
         .rule = rule});
    return;
  }
  const auto limit = allowed_by(*peer);
  if (std::min(longest(situation), allowed_by(out.device)) <= limit) return;
  if (situation.size && *situation.size > allowed_by(out.device)) return;  // dropped before
  findings.push_back(
      {.name = "target-peer-mtu",
       .severity = severity(situation),
       .found =
           fmt::format("the MTU of the peer of {}, {}, is {}: {} dropped by the driver ({})", out.device.state.name,
                       title_of(*peer), peer->state.mtu, frames_above(situation, limit),
                       mode == Mode::native ? "a drop without an error in xdp_devmap_xmit, and with it the rest of its "
                                              "bulk"
                                            : "no event tells"),
       .remedy = on(*peer, fmt::format("ip link set {} mtu {}", peer->state.name,
                                       std::min(mtu_for(situation), out.device.state.mtu))),
       .rule = rule});
}

/// What a veth device's peer sends by TCP comes in one piece, unless a native program has its TSO switched off
/// (drivers/net/veth.c:veth_xdp_set).
void look_at_segmentation(const Situation& situation, Findings& findings) {
  const auto& in = situation.in;
  const Device* const sender = is_veth(in.device) ? other_of(in) : nullptr;
  if (sender == nullptr || situation.size || !sender->tcp_segmentation.value_or(false)) return;
  const auto limit = allowed_by(situation.out.device);
  findings.push_back(
      {.name = "receiver-gets-frames-to-be-segmented",
       .severity = Severity::caution,
       .found = fmt::format("the peer of {}, {}, does not cut what TCP sends into segments (its TSO is on): "
                            "it comes in frames of up to 64 KiB, of which those of more than {} bytes are "
                            "dropped with EMSGSIZE",
                            in.device.state.name, title_of(*sender), limit),
       .remedy = on(*sender, fmt::format("ethtool -K {} tso off", sender->state.name)),
       .rule = rule::kToBeSegmented});
}

/// Frames in several buffers, which only native programs see as such.
void look_at_fragments(const Situation& situation, Findings& findings) {
  const auto& device = situation.out.device;
  const auto limit = single_buffer(situation);
  if (longest(situation) <= limit || longest(situation) > allowed_by(device)) return;
  if (!device.features || !device.features->has(XdpFeature::transmit)) return;
  if (device.features->has(XdpFeature::transmit_frags)) return;
  findings.push_back(
      {.name = "target-takes-no-fragments",
       .severity = severity(situation),
       .found = fmt::format("{} takes no XDP frames in several buffers (its feature bit ndo-xmit-sg is "
                            "missing): {} refused with EOPNOTSUPP",
                            device.state.name, frames_above(situation, limit)),
       .remedy = fmt::format("keep frames below that (ip link set {} mtu {}), or redirect in generic mode",
                             situation.in.device.state.name, limit - kTaggedHeader),
       .rule = rule::kNoFragments});
}

}  // namespace

void diagnose_size(const Situation& situation, Mode mode, Findings& findings) {
  look_at_mtu(situation, findings);
  look_at_peer_mtu(situation, mode, findings);
  if (mode == Mode::native) {
    look_at_fragments(situation, findings);
  } else {
    look_at_segmentation(situation, findings);
  }
}

}  // namespace devmap::doctor
