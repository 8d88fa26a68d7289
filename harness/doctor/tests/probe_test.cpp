#include <harness/doctor/probe.hpp>

#include <harness/base/capabilities.hpp>
#include <harness/doctor/tests/situations.hpp>
#include <harness/net/devices.hpp>
#include <harness/net/ethtool.hpp>
#include <harness/net/features.hpp>
#include <harness/net/link.hpp>
#include <harness/net/tests/netns_fixture.hpp>
#include <harness/net/tun.hpp>

// What is said of a target without sending anything, against what becomes of frames that are sent.
namespace devmap::doctor {
namespace {

using devmap::testing_support::fault;
using testing::HasSubstr;
using enum Mode;
using Outcome = Probe::Outcome;

class ProbeTest : public devmap::testing_support::NetNsTest, public testing::WithParamInterface<Mode> {
 protected:
  static Situation situation(std::uint32_t in, std::uint32_t out) {
    auto s = examine({.ifindex = in}, {.ifindex = out});
    EXPECT_EQ(fault(s), "");
    return *s;
  }

  static std::string outcome(const Situation& s) {
    const auto result = probe(s, GetParam());
    if (result.outcome == Outcome::impossible) ADD_FAILURE() << result.seen;
    return std::string(name_of(result.outcome));
  }

  static std::vector<std::string> findings(const Situation& s) {
    return testing_support::names_of(diagnose(s, GetParam()));
  }
};

/// Two veth pairs, all up, everything that may receive polling.
///
///     sender <====> eth1     veth0 <====> veth1
struct Wires {
  VethPair in;
  VethPair out;

  static Wires create() {
    const auto in = create_veth({.first_name = "sender", .second_name = "eth1", .queues = 1});
    const auto first = distinct_ifindex(10);
    const auto out = create_veth(
        {.first_name = "veth0", .second_name = "veth1", .first_index = first, .second_index = first + 1, .queues = 1});
    EXPECT_EQ(fault(in) + fault(out), "");
    EXPECT_EQ(fault(set_gro(out->second, true)) + fault(set_tcp_segmentation(in->first, false)), "");
    return {.in = *in, .out = *out};
  }
};

/// Something that is wrong, and its repair.
struct Fault {
  const char* name;
  std::function<void(const Wires&)> spoil;
  std::function<void(const Wires&)> repair;
  std::string finding;
  std::uint32_t size = 60;
  bool generic_too = true;
};

const std::vector<Fault>& faults() {
  static const std::vector<Fault> all = {
      {.name = "target down",
       .spoil = [](const Wires& w) { ASSERT_EQ(fault(set_up(w.out.first, false)), ""); },
       .repair = [](const Wires& w) { ASSERT_EQ(fault(set_up(w.out.first)), ""); },
       .finding = "target-down"},
      {.name = "peer down",
       .spoil = [](const Wires& w) { ASSERT_EQ(fault(set_up(w.out.second, false)), ""); },
       .repair = [](const Wires& w) { ASSERT_EQ(fault(set_up(w.out.second)), ""); },
       .finding = "target-peer-down"},
      {.name = "peer does not poll",
       .spoil = [](const Wires& w) { ASSERT_EQ(fault(set_gro(w.out.second, false)), ""); },
       .repair = [](const Wires& w) { ASSERT_EQ(fault(set_gro(w.out.second, true)), ""); },
       .finding = "target-peer-does-not-poll",
       .generic_too = false},
      {.name = "MTU of the target",
       .spoil = [](const Wires& w) { ASSERT_EQ(fault(set_mtu(w.out.first, 1000)), ""); },
       .repair = [](const Wires& w) { ASSERT_EQ(fault(set_mtu(w.out.first, 1001)), ""); },
       .finding = "target-mtu",
       .size = 1019},
      {.name = "MTU of the peer",
       .spoil = [](const Wires& w) { ASSERT_EQ(fault(set_mtu(w.out.second, 1000)), ""); },
       .repair = [](const Wires& w) { ASSERT_EQ(fault(set_mtu(w.out.second, 1001)), ""); },
       .finding = "target-peer-mtu",
       .size = 1019},
  };
  return all;
}

TEST_P(ProbeTest, AgreesWithTheDiagnosisBeforeAndAfterTheRepair) {
  inside([] {
    const auto wires = Wires::create();
    for (const auto& wrong : faults()) {
      SCOPED_TRACE(wrong.name);
      const auto look = [&] {
        auto s = situation(wires.in.second, wires.out.first);
        s.size = wrong.size;
        return s;
      };
      wrong.spoil(wires);
      const auto spoiled = look();
      if (GetParam() == native || wrong.generic_too) {
        EXPECT_THAT(findings(spoiled), testing::ElementsAre(wrong.finding));
        EXPECT_THAT(outcome(spoiled), testing::AnyOf("refused", "lost"));
      } else {
        EXPECT_THAT(findings(spoiled), testing::IsEmpty());
        EXPECT_EQ(outcome(spoiled), "received");
      }
      wrong.repair(wires);
      const auto repaired = look();
      EXPECT_THAT(findings(repaired), testing::IsEmpty());
      EXPECT_EQ(outcome(repaired), "received");
    }
  });
}

TEST_P(ProbeTest, OfATapIsTakenWhileSomebodyReads) {
  if (const auto fact = features::tun().probe(); fact.presence != Presence::present) GTEST_SKIP() << fact.text;
  inside([] {
    const auto wires = Wires::create();
    auto tap = Tun::create({.name = "tap7", .ifindex = distinct_ifindex(50), .persistent = true});
    ASSERT_EQ(fault(tap), "");
    const auto read = situation(wires.in.second, tap->ifindex());
    EXPECT_THAT(findings(read), testing::IsEmpty());
    EXPECT_EQ(outcome(read), "taken");
    tap->close();
    const auto unread = situation(wires.in.second, tap->ifindex());
    EXPECT_THAT(findings(unread), testing::ElementsAre("target-without-a-reader"));
    EXPECT_EQ(outcome(unread), GetParam() == native ? "refused" : "lost");
  });
}

/// A device that only generic mode can use.
void expect_generic_only(const Feature& kind, const std::function<std::uint32_t()>& make,
                         const std::vector<std::string>& in_generic_mode, const std::string& generic_outcome, Mode mode,
                         const std::function<void(const std::function<void()>&)>& inside) {
  if (const auto fact = kind.probe(); fact.presence != Presence::present) GTEST_SKIP() << fact.text;
  inside([&] {
    const auto wires = Wires::create();
    const auto s = examine({.ifindex = wires.in.second}, {.ifindex = make()});
    ASSERT_EQ(fault(s), "");
    const auto names = testing_support::names_of(diagnose(*s, mode));
    const auto result = probe(*s, mode);
    if (mode == native) {
      EXPECT_EQ(names.front(), "target-cannot-transmit");
      EXPECT_EQ(name_of(result.outcome), "refused") << result.seen;
      EXPECT_THAT(result.seen, HasSubstr("EOPNOTSUPP"));
    } else {
      EXPECT_EQ(names, in_generic_mode);
      EXPECT_EQ(name_of(result.outcome), generic_outcome) << result.seen;
    }
  });
}

TEST_P(ProbeTest, OfLoopback) {
  expect_generic_only(
      features::veth(),
      [] {
        EXPECT_EQ(fault(set_up(kLoopback)), "");
        return kLoopback;
      },
      {}, "received", GetParam(), [this](const auto& part) { inside(part); });
}

TEST_P(ProbeTest, OfABridge) {
  expect_generic_only(
      features::bridge(), [] { return create_bridge({.name = "br7", .ifindex = distinct_ifindex(50)}).value(); }, {},
      "taken", GetParam(), [this](const auto& part) { inside(part); });
}

TEST_P(ProbeTest, OfAMacvlan) {
  expect_generic_only(
      features::macvlan(),
      [] {
        const auto below = create_veth({.first_name = "below", .second_name = "wire"}).value().first;
        return create_macvlan(below, {.name = "mv7", .ifindex = distinct_ifindex(50)}).value();
      },
      {}, "taken", GetParam(), [this](const auto& part) { inside(part); });
}

TEST_P(ProbeTest, OfAnIfb) {
  expect_generic_only(
      features::ifb(), [] { return create_ifb({.name = "ifb7", .ifindex = distinct_ifindex(50)}).value(); },
      {"target-swallows"}, "taken", GetParam(), [this](const auto& part) { inside(part); });
}

TEST_P(ProbeTest, OfADummy) {
  expect_generic_only(
      features::dummy(), [] { return create_dummy({.name = "dummy7", .ifindex = distinct_ifindex(50)}).value(); },
      {"target-swallows"}, "taken", GetParam(), [this](const auto& part) { inside(part); });
}

TEST_P(ProbeTest, OfAVxlan) {
  expect_generic_only(
      features::vxlan(), [] { return create_vxlan(7, {.name = "vxlan7", .ifindex = distinct_ifindex(50)}).value(); },
      {"target-needs-a-remote-end"}, "lost", GetParam(), [this](const auto& part) { inside(part); });
}

TEST_P(ProbeTest, ChangesNothingThatIsThere) {
  inside([] {
    const auto wires = Wires::create();
    const auto before = situation(wires.in.second, wires.out.first);
    EXPECT_EQ(outcome(before), "received");
    const auto after = situation(wires.in.second, wires.out.first);
    for (const auto& [one, other] :
         {std::pair{before.in.device, after.in.device}, {before.out.device, after.out.device}}) {
      EXPECT_EQ(one.state.flags, other.state.flags);
      EXPECT_EQ(one.state.native_program, other.state.native_program);
      EXPECT_EQ(one.state.generic_program, other.state.generic_program);
      EXPECT_EQ(one.state.mtu, other.state.mtu);
      EXPECT_EQ(one.gro.value(), other.gro.value());
    }
  });
}

TEST_P(ProbeTest, IsImpossibleWithoutPrivilege) {
  inside([] {
    const auto wires = Wires::create();
    const auto s = situation(wires.in.second, wires.out.first);
    ASSERT_EQ(fault(with_capabilities({},
                                      [&] {
                                        const auto result = probe(s, GetParam());
                                        EXPECT_EQ(name_of(result.outcome), "impossible");
                                        EXPECT_THAT(result.seen, HasSubstr("run it as root"));
                                      })),
              "");
  });
}

INSTANTIATE_TEST_SUITE_P(In, ProbeTest, testing::Values(native, generic),
                         [](const testing::TestParamInfo<Mode>& instance) {
                           return std::string(name_of(instance.param));
                         });

}  // namespace
}  // namespace devmap::doctor
