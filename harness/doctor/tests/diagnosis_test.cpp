#include <harness/doctor/tests/situations.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <cerrno>
#include <functional>
#include <set>

namespace devmap::doctor {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using namespace testing_support;
using enum Severity;
using enum Mode;

TEST(Diagnosis, FindsNothingWhereNothingIs) {
  EXPECT_THAT(names_of(diagnose(healthy(), native)), IsEmpty());
  EXPECT_THAT(names_of(diagnose(healthy(), generic)), IsEmpty());
}

/// One thing that is wrong with a healthy situation, and the one finding it comes to.
struct Ailment {
  const char* name;
  std::function<void(Situation&)> spoil;
  std::vector<Mode> modes;
  std::string finding;
  Severity severity;
  std::vector<std::string> found;
  std::string remedy;
  std::string_view rule;
};

class AilmentTest : public testing::TestWithParam<Ailment> {};

TEST_P(AilmentTest, IsFoundInItsModesAlone) {
  const auto& ailment = GetParam();
  Situation situation = healthy();
  ailment.spoil(situation);
  for (const auto mode : {native, generic}) {
    const auto findings = diagnose(situation, mode);
    if (std::ranges::find(ailment.modes, mode) == ailment.modes.end()) {
      EXPECT_THAT(names_of(findings), testing::Not(testing::Contains(ailment.finding))) << name_of(mode);
      EXPECT_EQ(prognosis(findings), Prognosis::delivers) << name_of(mode);
      continue;
    }
    ASSERT_THAT(names_of(findings), testing::ElementsAre(ailment.finding)) << name_of(mode);
    const auto& finding = findings.front();
    EXPECT_EQ(name_of(finding.severity), name_of(ailment.severity));
    for (const auto& words : ailment.found) EXPECT_THAT(finding.found, HasSubstr(words));
    EXPECT_THAT(finding.remedy, HasSubstr(ailment.remedy));
    if (!ailment.rule.empty()) {
      EXPECT_EQ(finding.rule, ailment.rule);
    }
    EXPECT_THAT(rule::kAll, testing::Contains(finding.rule));
  }
}

const std::vector<Mode> kBoth = {native, generic};
const std::vector<Mode> kNative = {native};
const std::vector<Mode> kGeneric = {generic};

void take_down(Device& device) {
  device.state.flags &= ~static_cast<std::uint32_t>(IFF_UP | IFF_LOWER_UP);
}
void lose_carrier(Device& device) {
  device.state.flags &= ~static_cast<std::uint32_t>(IFF_LOWER_UP);
}
void stop_polling(Situation& s) {
  peer_of(s.out).gro = false;
  s.out.device.features = XdpFeatures{.bits = kAllFeatures & ~std::uint64_t{0x44}};
}
KnownNamespace blue() {
  return namespace_called("blue");
}

INSTANTIATE_TEST_SUITE_P(OfTheReceiver, AilmentTest,
                         testing::Values(Ailment{"Down",
                                                 [](Situation& s) { take_down(s.in.device); },
                                                 kBoth,
                                                 "receiver-down",
                                                 obstacle,
                                                 {"eth1 is down"},
                                                 "ip link set eth1 up",
                                                 rule::kPeersClosedWire},
                                         Ailment{"PeerDown",
                                                 [](Situation& s) { lose_carrier(s.in.device); },
                                                 kBoth,
                                                 "receiver-without-carrier",
                                                 obstacle,
                                                 {"sender, the peer of eth1, is down"},
                                                 "ip link set sender up",
                                                 rule::kPeersClosedWire},
                                         Ailment{"NoCarrier",
                                                 [](Situation& s) {
                                                   lose_carrier(s.in.device);
                                                   s.in.device.state.kind = "";
                                                   s.in.other.reset();
                                                 },
                                                 kBoth,
                                                 "receiver-without-carrier",
                                                 obstacle,
                                                 {"the link of eth1 is down"},
                                                 "connect",
                                                 rule::kPeersClosedWire},
                                         Ailment{"RunsGenericProgram",
                                                 [](Situation& s) { s.in.device.state.generic_program = 12; },
                                                 kNative,
                                                 "receiver-runs-a-program-of-the-other-mode",
                                                 caution,
                                                 {"in generic mode (id 12)", "EEXIST"},
                                                 "ip link set eth1 xdpgeneric off",
                                                 rule::kOneMode},
                                         Ailment{"RunsNativeProgram",
                                                 [](Situation& s) { s.in.device.state.native_program = 12; },
                                                 kGeneric,
                                                 "receiver-runs-a-program-of-the-other-mode",
                                                 caution,
                                                 {"in native mode (id 12)"},
                                                 "ip link set eth1 xdpdrv off",
                                                 rule::kOneMode},
                                         Ailment{"TakesNoNativeProgram",
                                                 [](Situation& s) {
                                                   s.in.device.state.kind = "bridge";
                                                   s.in.device.features = XdpFeatures{};
                                                   s.in.other.reset();
                                                 },
                                                 kNative,
                                                 "receiver-takes-no-native-program",
                                                 obstacle,
                                                 {"runs no native programs", "EOPNOTSUPP"},
                                                 "generic mode",
                                                 rule::kNoNativeProgram},
                                         Ailment{"TakesNoNativeProgramButTheOneBelowMay",
                                                 [](Situation& s) {
                                                   s.in.device.state.kind = "macvlan";
                                                   s.in.device.features = XdpFeatures{};
                                                 },
                                                 kNative,
                                                 "receiver-takes-no-native-program",
                                                 obstacle,
                                                 {},
                                                 "sender, below it",
                                                 rule::kNoNativeProgram},
                                         Ailment{"DoesNotRedirect",
                                                 [](Situation& s) {
                                                   s.in.device.state.kind = "";
                                                   s.in.device.features = XdpFeatures{.bits = 1};
                                                 },
                                                 kNative,
                                                 "receiver-does-not-redirect",
                                                 obstacle,
                                                 {"does not carry out XDP_REDIRECT"},
                                                 "generic mode",
                                                 rule::kRedirects},
                                         Ailment{"FeaturesUnknown",
                                                 [](Situation& s) {
                                                   s.in.device.features = failure("get XDP features", EIO);
                                                 },
                                                 kNative,
                                                 "receiver-features-unknown",
                                                 unknown,
                                                 {"whether the driver of eth1 runs native programs", "EIO"},
                                                 "attach",
                                                 rule::kNoNativeProgram},
                                         Ailment{"FewerQueuesThanItsPeer",
                                                 [](Situation& s) {
                                                   peer_of(s.in).channels->transmit = 4;
                                                   s.in.device.channels->most_receive = 4;
                                                 },
                                                 kNative,
                                                 "receiver-has-fewer-queues-than-its-peer",
                                                 obstacle,
                                                 {"receive queues (1)", "transmit queues (4)", "ENOSPC"},
                                                 "ethtool -L eth1 rx 4",
                                                 rule::kFewerQueues},
                                         Ailment{"FewerQueuesThanItsPeerAndNoMore",
                                                 [](Situation& s) { peer_of(s.in).channels->transmit = 4; },
                                                 kNative,
                                                 "receiver-has-fewer-queues-than-its-peer",
                                                 obstacle,
                                                 {},
                                                 "ethtool -L sender tx 1",
                                                 rule::kFewerQueues},
                                         Ailment{"PeerHasALargeMtu",
                                                 [](Situation& s) { peer_of(s.in).state.mtu = 9000; },
                                                 kNative,
                                                 "receiver-peer-has-a-large-mtu",
                                                 caution,
                                                 {"sender", "an MTU of 9000, above 3506", "ERANGE"},
                                                 "xdp.frags",
                                                 rule::kLargePeerMtu},
                                         Ailment{"PeerUnknown",
                                                 [](Situation& s) { s.in.other = failure("setns", EPERM); },
                                                 kNative,
                                                 "receiver-peer-unknown",
                                                 note,
                                                 {"unknown: ", "EPERM"},
                                                 "",
                                                 rule::kFewerQueues}),
                         [](const testing::TestParamInfo<Ailment>& instance) { return instance.param.name; });

INSTANTIATE_TEST_SUITE_P(
    OfTheTarget, AilmentTest,
    testing::Values(Ailment{"Down",
                            [](Situation& s) { take_down(s.out.device); },
                            kBoth,
                            "target-down",
                            obstacle,
                            {"veth0 is down", "ENETDOWN"},
                            "ip link set veth0 up",
                            rule::kDown},
                    Ailment{"PeerDown",
                            [](Situation& s) {
                              lose_carrier(s.out.device);
                              take_down(peer_of(s.out));
                            },
                            kBoth,
                            "target-peer-down",
                            obstacle,
                            {"the peer of veth0, veth1, is down"},
                            "ip link set veth1 up",
                            {}},
                    Ailment{"PeerDownInAnotherNamespace",
                            [](Situation& s) {
                              lose_carrier(s.out.device);
                              take_down(peer_of(s.out));
                              peer_of(s.out).elsewhere = blue();
                            },
                            kBoth,
                            "target-peer-down",
                            obstacle,
                            {"veth1 (namespace blue)"},
                            "ip netns exec blue ip link set veth1 up",
                            {}},
                    Ailment{"NoCarrier",
                            [](Situation& s) {
                              lose_carrier(s.out.device);
                              s.out.device.state.kind = "";
                              s.out.other.reset();
                            },
                            kBoth,
                            "target-without-carrier",
                            obstacle,
                            {"no carrier"},
                            "connect",
                            {}},
                    Ailment{"TapWithoutAReader",
                            [](Situation& s) {
                              lose_carrier(s.out.device);
                              s.out.device.state.kind = "tun";
                              s.out.other.reset();
                            },
                            kBoth,
                            "target-without-a-reader",
                            obstacle,
                            {"nobody has veth0 open"},
                            "start the program",
                            {}},
                    Ailment{"PeerDoesNotPoll",
                            stop_polling,
                            kNative,
                            "target-peer-does-not-poll",
                            obstacle,
                            {"veth1, has neither a native XDP program nor GRO", "EOPNOTSUPP"},
                            "ethtool -K veth1 gro on",
                            rule::kPeerDoesNotPoll},
                    Ailment{"PeerDoesNotPollInAnotherNamespace",
                            [](Situation& s) {
                              stop_polling(s);
                              peer_of(s.out).elsewhere = blue();
                            },
                            kNative,
                            "target-peer-does-not-poll",
                            obstacle,
                            {"veth1 (namespace blue)"},
                            "ip netns exec blue ethtool -K veth1 gro on",
                            rule::kPeerDoesNotPoll},
                    Ailment{
                        "FewerQueuesThanItsPeer",
                        [](Situation& s) {
                          s.out.device.features = XdpFeatures{};
                          peer_of(s.out).channels->transmit = 2;
                        },
                        kNative,
                        "target-has-fewer-queues-than-its-peer",
                        obstacle,
                        {"veth0 has fewer receive queues (1) than its peer, veth1, transmit queues (2)", "EOPNOTSUPP"},
                        "ethtool -L veth1 tx 1",
                        rule::kTargetWithFewerQueues},
                    Ailment{"PeerRunsAProgram",
                            [](Situation& s) { peer_of(s.out).state.native_program = 9; },
                            kBoth,
                            "target-peer-runs-a-program",
                            note,
                            {"veth1", "native mode (id 9)"},
                            "",
                            rule::kPeerProgram},
                    Ailment{"Bridge",
                            [](Situation& s) { make_incapable(s, "bridge"); },
                            kNative,
                            "target-cannot-transmit",
                            obstacle,
                            {"veth0 (a device of kind bridge) cannot transmit"},
                            "redirect to a port of veth0",
                            rule::kBridge},
                    Ailment{"Macvlan",
                            [](Situation& s) {
                              s.out.device.state.kind = "macvlan";
                              s.out.device.features = XdpFeatures{};
                            },
                            kNative,
                            "target-cannot-transmit",
                            obstacle,
                            {},
                            "redirect to veth1, below it",
                            rule::kMacvlan},
                    Ailment{"Vlan",
                            [](Situation& s) {
                              s.out.device.state.kind = "vlan";
                              s.out.device.features = XdpFeatures{};
                            },
                            kNative,
                            "target-cannot-transmit",
                            obstacle,
                            {},
                            "puts the VLAN tag into the frame",
                            rule::kVlan},
                    Ailment{"BondWithoutPorts",
                            [](Situation& s) { make_incapable(s, "bond"); },
                            kNative,
                            "target-cannot-transmit",
                            obstacle,
                            {},
                            "give veth0 ports",
                            rule::kBondWithoutPorts},
                    Ailment{"Loopback",
                            [](Situation& s) {
                              make_incapable(s, "");
                              s.out.device.state.flags |= IFF_LOOPBACK;
                            },
                            kNative,
                            "target-cannot-transmit",
                            obstacle,
                            {"the loopback device"},
                            "generic mode",
                            rule::kLoopback},
                    Ailment{"HardwareThatIsNotReady",
                            [](Situation& s) {
                              make_incapable(s, "");
                              s.out.device.state.bus = "virtio";
                            },
                            kNative,
                            "target-is-not-ready",
                            obstacle,
                            {"virtio bus", "ndo-xmit is missing"},
                            "attach a native program to veth0 too",
                            rule::kLoopback},
                    Ailment{"AbilityUnknown",
                            [](Situation& s) { s.out.device.features = failure("get XDP features", EIO); },
                            kNative,
                            "target-ability-unknown",
                            unknown,
                            {"whether the target transmits XDP frames", "EIO"},
                            "--probe",
                            {}},
                    Ailment{"Itself",
                            [](Situation& s) { s.out = s.in; },
                            kBoth,
                            "target-is-the-receiver",
                            note,
                            {"back out of eth1"},
                            "",
                            rule::kBackOut},
                    Ailment{"InAnotherNamespace",
                            [](Situation& s) {
                              s.out.device.elsewhere = blue();
                              peer_of(s.out).elsewhere = blue();
                            },
                            kBoth,
                            "target-in-another-namespace",
                            obstacle,
                            {"veth0 is in namespace blue", "EINVAL"},
                            "ip netns exec blue",
                            rule::kOtherNamespace},
                    Ailment{"EnteredInAnotherNamespace",
                            [](Situation& s) {
                              s.out.device.elsewhere = blue();
                              s.out_entered_there = true;
                            },
                            kBoth,
                            "target-in-another-namespace",
                            note,
                            {"entered into the map from there"},
                            "",
                            rule::kCrossesNamespaces},
                    Ailment{"Dummy",
                            [](Situation& s) {
                              s.out.device.state.kind = "dummy";
                              s.out.other.reset();
                            },
                            kGeneric,
                            "target-swallows",
                            caution,
                            {"drops them"},
                            "another end",
                            rule::kGenericDummy},
                    Ailment{"Vxlan",
                            [](Situation& s) {
                              s.out.device.state.kind = "vxlan";
                              s.out.other.reset();
                            },
                            kGeneric,
                            "target-needs-a-remote-end",
                            caution,
                            {"forwarding table"},
                            "bridge fdb show dev veth0",
                            rule::kSilentLoss},
                    Ailment{"TunWithoutEthernet",
                            [](Situation& s) {
                              s.out.device.state.kind = "tun";
                              s.out.device.state.hardware = ARPHRD_NONE;
                              s.in.device.state.mtu = 1400;
                              s.out.other.reset();
                            },
                            kGeneric,
                            "target-without-ethernet",
                            caution,
                            {"without an Ethernet header"},
                            "tap",
                            rule::kGenericTun}),
    [](const testing::TestParamInfo<Ailment>& instance) { return instance.param.name; });

INSTANTIATE_TEST_SUITE_P(
    OfTheSize, AilmentTest,
    testing::Values(Ailment{"TargetMtu",
                            [](Situation& s) {
                              s.out.device.state.mtu = 1000;
                              peer_of(s.out).state.mtu = 1000;
                            },
                            kBoth,
                            "target-mtu",
                            caution,
                            {"the MTU of veth0 is 1000", "more than 1018 bytes (eth1 receives up to 1518)", "EMSGSIZE"},
                            "ip link set veth0 mtu 1500",
                            rule::kMtu},
                    Ailment{"TargetMtuAndThatSize",
                            [](Situation& s) {
                              s.out.device.state.mtu = 1000;
                              s.size = 1019;
                            },
                            kBoth,
                            "target-mtu",
                            obstacle,
                            {"frames of 1019 bytes are dropped"},
                            "ip link set veth0 mtu 1005",
                            rule::kMtu},
                    Ailment{"PeerMtu",
                            [](Situation& s) { peer_of(s.out).state.mtu = 1000; },
                            kBoth,
                            "target-peer-mtu",
                            caution,
                            {"the peer of veth0, veth1, is 1000"},
                            "ip link set veth1 mtu 1500",
                            {}},
                    Ailment{"PeerMtuAndThatSize",
                            [](Situation& s) {
                              peer_of(s.out).state.mtu = 1000;
                              s.size = 1019;
                            },
                            kBoth,
                            "target-peer-mtu",
                            obstacle,
                            {"frames of 1019 bytes are dropped by the driver"},
                            "ip link set veth1 mtu 1005",
                            {}},
                    Ailment{"PeerMtuUnknown",
                            [](Situation& s) { s.out.other = failure("setns", EPERM); },
                            kBoth,
                            "target-peer-unknown",
                            note,
                            {"unknown: the MTU", "EPERM"},
                            "",
                            {}},
                    Ailment{"SenderLeavesSegmentationToTheDevice",
                            [](Situation& s) { peer_of(s.in).tcp_segmentation = true; },
                            kGeneric,
                            "receiver-gets-frames-to-be-segmented",
                            caution,
                            {"the peer of eth1, sender, does not cut", "more than 1518 bytes", "EMSGSIZE"},
                            "ethtool -K sender tso off",
                            rule::kToBeSegmented},
                    Ailment{"NoFragments",
                            [](Situation& s) {
                              s.in.device.state.mtu = 9000;
                              s.out.device.state.mtu = 9000;
                              s.out.device.state.kind = "tun";
                              s.out.device.features = XdpFeatures{.bits = 7};
                              s.out.other.reset();
                            },
                            kNative,
                            "target-takes-no-fragments",
                            caution,
                            {"more than 3520 bytes", "EOPNOTSUPP", "ndo-xmit-sg is missing"},
                            "ip link set eth1 mtu 3502",
                            rule::kNoFragments}),
    [](const testing::TestParamInfo<Ailment>& instance) { return instance.param.name; });

INSTANTIATE_TEST_SUITE_P(OfAnOldKernel, AilmentTest,
                         testing::Values(Ailment{"GroDoesNotSuffice",
                                                 [](Situation& s) { make_old(s, {5, 12, 0}); },
                                                 kNative,
                                                 "kernel-too-old-for-gro",
                                                 obstacle,
                                                 {"has GRO but no native XDP program", "Linux 5.13 (this is 5.12)",
                                                  "ENXIO"},
                                                 "attach a native program to veth1",
                                                 rule::kPeerDoesNotPollUntil63},
                                         Ailment{"NeitherProgramNorGro",
                                                 [](Situation& s) {
                                                   make_old(s, {6, 1, 0});
                                                   peer_of(s.out).gro = false;
                                                 },
                                                 kNative,
                                                 "target-peer-does-not-poll",
                                                 obstacle,
                                                 {"ENXIO"},
                                                 "ethtool -K veth1 gro on",
                                                 rule::kPeerDoesNotPollUntil63},
                                         Ailment{"PeerUnknown",
                                                 [](Situation& s) {
                                                   make_old(s, {6, 1, 0});
                                                   s.out.device.state.kind = "";
                                                   s.out.other.reset();
                                                 },
                                                 kNative,
                                                 "target-ability-unknown",
                                                 unknown,
                                                 {"before Linux 6.3"},
                                                 "--probe",
                                                 {}},
                                         Ailment{"IncapableKind",
                                                 [](Situation& s) {
                                                   make_old(s, {6, 1, 0});
                                                   s.out.device.state.kind = "vxlan";
                                                   s.out.other.reset();
                                                 },
                                                 kNative,
                                                 "target-cannot-transmit",
                                                 obstacle,
                                                 {},
                                                 "generic",
                                                 rule::kVxlan},
                                         Ailment{"BondBeforeTheyTransmit",
                                                 [](Situation& s) {
                                                   make_old(s, {5, 14, 0});
                                                   s.out.device.state.kind = "bond";
                                                   s.out.other.reset();
                                                 },
                                                 kNative,
                                                 "target-cannot-transmit",
                                                 obstacle,
                                                 {},
                                                 "generic",
                                                 rule::kBondWithoutPorts},
                                         Ailment{"ReceiverWithoutNativeMode",
                                                 [](Situation& s) {
                                                   make_old(s, {6, 1, 0});
                                                   s.in.device.state.kind = "dummy";
                                                   s.in.other.reset();
                                                 },
                                                 kNative,
                                                 "receiver-takes-no-native-program",
                                                 obstacle,
                                                 {},
                                                 "generic",
                                                 rule::kNoNativeProgram},
                                         Ailment{"LargeMtuBeforeFragments",
                                                 [](Situation& s) {
                                                   make_old(s, {5, 17, 0});
                                                   peer_of(s.in).state.mtu = 9000;
                                                 },
                                                 kNative,
                                                 "receiver-peer-has-a-large-mtu",
                                                 obstacle,
                                                 {"a native program is refused with ERANGE"},
                                                 "ip link set sender mtu 3506",
                                                 rule::kLargePeerMtu}),
                         [](const testing::TestParamInfo<Ailment>& instance) { return instance.param.name; });

TEST(Diagnosis, OfAnOldKernelWithAPollingPeerFindsNothing) {
  Situation s = healthy();
  make_old(s, {6, 1, 0});
  EXPECT_THAT(names_of(diagnose(s, native)), IsEmpty());
  make_old(s, {5, 12, 0});
  peer_of(s.out).state.native_program = 3;
  EXPECT_THAT(names_of(diagnose(s, native)), testing::ElementsAre("target-peer-runs-a-program"));
}

TEST(Diagnosis, WideValuesAreACautionBeforeTheyWorkInGenericMode) {
  Situation s = healthy();
  s.kernel = {5, 14, 0};
  EXPECT_THAT(names_of(diagnose(s, generic)), testing::ElementsAre("wide-values-in-generic-mode"));
  EXPECT_EQ(prognosis(diagnose(s, generic)), Prognosis::delivers);
}

TEST(Diagnosis, WhatRunsAlreadyIsNotDoubted) {
  Situation s = healthy();
  s.in.device.state.native_program = 7;
  s.in.device.features = XdpFeatures{};
  peer_of(s.in).channels->transmit = 8;
  peer_of(s.in).state.mtu = 9000;
  EXPECT_THAT(names_of(diagnose(s, native)), IsEmpty());
}

TEST(Diagnosis, TooFewQueuesShowWithoutASightOfThePeer) {
  Situation s = healthy();
  for (auto* const interface : {&s.in, &s.out}) {
    interface->device.features = XdpFeatures{};
    interface->other = failure("setns", EPERM);
  }
  EXPECT_THAT(names_of(diagnose(s, native)),
              testing::ElementsAre("receiver-has-fewer-queues-than-its-peer", "target-has-fewer-queues-than-its-peer",
                                   "receiver-peer-unknown", "target-peer-unknown"));
}

TEST(Diagnosis, WorstComesFirst) {
  Situation s = healthy();
  peer_of(s.out).state.native_program = 9;
  peer_of(s.in).state.mtu = 9000;
  take_down(s.out.device);
  EXPECT_THAT(names_of(diagnose(s, native)),
              testing::ElementsAre("target-down", "receiver-peer-has-a-large-mtu", "target-peer-runs-a-program"));
}

TEST(Diagnosis, AnObstacleOutweighsWhatIsUnknown) {
  EXPECT_EQ(prognosis({}), Prognosis::delivers);
  EXPECT_EQ(prognosis({{.severity = note}, {.severity = caution}}), Prognosis::delivers);
  EXPECT_EQ(prognosis({{.severity = unknown}}), Prognosis::cannot_tell);
  EXPECT_EQ(prognosis({{.severity = unknown}, {.severity = obstacle}}), Prognosis::does_not_deliver);
}

TEST(Diagnosis, RulesAreListedOnce) {
  EXPECT_EQ(std::set(rule::kAll.begin(), rule::kAll.end()).size(), rule::kAll.size());
}

}  // namespace
}  // namespace devmap::doctor
