#pragma once

#include <harness/doctor/situation.hpp>
#include <harness/spec/variant.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace devmap::doctor {

/// What a finding means for a redirect.
enum class Severity : std::uint8_t {
  obstacle,  ///< no frame is delivered
  unknown,   ///< whether any is cannot be told from here
  caution,   ///< frames are delivered, but not all, or not everywhere
  note,      ///< worth knowing
};
[[nodiscard]] std::string_view name_of(Severity severity);

struct Finding {
  /// A short name: "target-down".
  std::string_view name = {};
  Severity severity = Severity::note;
  /// What was observed, and what follows from it; of something unknown, what that is, and why it is.
  std::string found = {};
  /// What a person can do about it; empty where there is nothing to do.
  std::string remedy = {};
  /// The rule of the suite that shows it.
  std::string_view rule = {};
};

/// What the situation means for frames that a program of this mode on IN redirects to OUT, the worst first.
[[nodiscard]] std::vector<Finding> diagnose(const Situation& situation, Mode mode);

/// What the findings come to.
enum class Prognosis : std::uint8_t { delivers, does_not_deliver, cannot_tell };
[[nodiscard]] Prognosis prognosis(const std::vector<Finding>& findings);
[[nodiscard]] std::string_view name_of(Prognosis prognosis);

/// "veth1", and of another namespace "veth1 (namespace blue)".
[[nodiscard]] std::string title_of(const Device& device);

/// The largest frame that lies in one buffer, and so needs no program that allows for fragments: a page without the
/// headroom of XDP and the data the kernel keeps behind a frame (drivers/net/veth.c:veth_xdp_set).
[[nodiscard]] std::uint32_t single_buffer(const Situation& situation);

/// The rules that findings name. That the suite has them is for a test to see.
namespace rule {
inline constexpr std::string_view kPeersClosedWire = "delivery.wire-with-an-end-that-is-down-carries-nothing";
inline constexpr std::string_view kNoNativeProgram = "integration.loopback-takes-no-native-program";
inline constexpr std::string_view kFewerQueues = "attach.veth-with-fewer-queues-than-its-peer-takes-no-native-program";
inline constexpr std::string_view kLargePeerMtu = "attach.veth-whose-peer-has-a-large-mtu-takes-programs-for-fragments";
inline constexpr std::string_view kOneMode = "attach.native-and-generic-programs-exclude-each-other";
inline constexpr std::string_view kOtherNamespace = "update.device-of-other-namespace-is-einval";
inline constexpr std::string_view kCrossesNamespaces = "event.redirect-crosses-namespaces";
inline constexpr std::string_view kDown = "delivery.target-that-is-down-is-enetdown";
inline constexpr std::string_view kMtu = "delivery.frame-above-the-mtu-is-emsgsize";
inline constexpr std::string_view kBackOut = "delivery.ingress-device-may-be-the-target";
inline constexpr std::string_view kPeerDown = "native.veth-whose-peer-is-down-is-enxio-of-the-driver";
inline constexpr std::string_view kPeerMtu = "native.veth-drops-frames-above-the-mtu-of-its-peer";
inline constexpr std::string_view kSilentLoss = "generic.losses-in-the-driver-raise-no-event";
inline constexpr std::string_view kPeerDoesNotPoll = "native.veth-whose-peer-does-not-poll-is-no-target";
inline constexpr std::string_view kPeerDoesNotPollUntil63 = "native.veth-whose-peer-does-not-poll-refuses-frames";
inline constexpr std::string_view kTargetWithFewerQueues = "native.veth-with-fewer-queues-than-its-peer-is-no-target";
inline constexpr std::string_view kPeerProgram = "native.veth-whose-peer-has-a-program-is-a-target";
inline constexpr std::string_view kPeerGro = "native.veth-whose-peer-has-gro-is-a-target";
inline constexpr std::string_view kLoopback = "native.loopback-is-no-target";
inline constexpr std::string_view kBridge = "native.bridge-is-no-target";
inline constexpr std::string_view kMacvlan = "native.macvlan-is-no-target";
inline constexpr std::string_view kVlan = "native.vlan-is-no-target";
inline constexpr std::string_view kIfb = "native.ifb-is-no-target";
inline constexpr std::string_view kDummy = "native.dummy-is-no-target";
inline constexpr std::string_view kVxlan = "native.vxlan-is-no-target";
inline constexpr std::string_view kTun = "native.tun-is-no-target";
inline constexpr std::string_view kBondWithoutPorts = "native.bond-without-ports-is-no-target";
inline constexpr std::string_view kBond = "native.bond-sends-through-its-active-port";
inline constexpr std::string_view kTapWithoutReader = "native.tap-without-a-reader-refuses-frames";
inline constexpr std::string_view kNoFragments = "native.device-that-takes-no-fragments-is-no-target-of-them";
inline constexpr std::string_view kGenericDummy = "generic.dummy-is-a-target";
inline constexpr std::string_view kGenericIfb = "generic.ifb-is-a-target";
inline constexpr std::string_view kGenericTun = "generic.tun-is-a-target";
inline constexpr std::string_view kToBeSegmented = "generic.frame-to-be-segmented-above-the-mtu-is-emsgsize";
inline constexpr std::string_view kWideValues = "attach.generic-mode-without-map-programs";
inline constexpr std::string_view kRedirects = "delivery.frame-leaves-through-the-entrys-device";

inline constexpr std::array kAll = {kToBeSegmented,
                                    kTargetWithFewerQueues,
                                    kPeersClosedWire,
                                    kNoNativeProgram,
                                    kFewerQueues,
                                    kLargePeerMtu,
                                    kOneMode,
                                    kOtherNamespace,
                                    kCrossesNamespaces,
                                    kDown,
                                    kMtu,
                                    kBackOut,
                                    kPeerDown,
                                    kPeerMtu,
                                    kSilentLoss,
                                    kPeerDoesNotPoll,
                                    kPeerDoesNotPollUntil63,
                                    kPeerProgram,
                                    kPeerGro,
                                    kLoopback,
                                    kBridge,
                                    kMacvlan,
                                    kVlan,
                                    kIfb,
                                    kDummy,
                                    kVxlan,
                                    kTun,
                                    kBondWithoutPorts,
                                    kBond,
                                    kTapWithoutReader,
                                    kNoFragments,
                                    kGenericDummy,
                                    kGenericIfb,
                                    kGenericTun,
                                    kWideValues,
                                    kRedirects};
}  // namespace rule

}  // namespace devmap::doctor
