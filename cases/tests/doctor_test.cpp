// What doctor says of a topology, against what the topology does with a frame.

#include <cases/support.hpp>
#include <cases/traffic.hpp>
#include <harness/doctor/finding.hpp>
#include <harness/doctor/probe.hpp>
#include <harness/doctor/tests/situations.hpp>
#include <harness/net/ethtool.hpp>
#include <harness/net/features.hpp>
#include <harness/net/tests/netns_fixture.hpp>

#include <unistd.h>

namespace devmap::cases {
namespace {

using doctor::Prognosis;
using testing::ElementsAre;
using testing::IsEmpty;
using testing_support::fault;
using enum Mode;

class DoctorTest : public testing_support::NetNsTest, public testing::WithParamInterface<Mode> {
 protected:
  /// Runs a part of a check in a namespace of its own.
  void check(const std::function<void(Case&)>& part) const {
    inside([&] {
      Case c({.type = DevMapType::devmap, .value_size = 4, .mode = GetParam()}, [](const Evidence&) {});
      const auto outcome = c.run([&part](Case& the_case) {
        part(the_case);
        the_case.holds("the part is through", true);
      });
      EXPECT_EQ(outcome.broken.value_or(""), "");
    });
  }

  static std::vector<doctor::Finding> findings(std::uint32_t in, std::uint32_t out,
                                               std::optional<std::uint32_t> size = {}) {
    auto situation = doctor::examine({.ifindex = in}, {.ifindex = out});
    EXPECT_EQ(fault(situation), "");
    situation->size = size;
    return doctor::diagnose(*situation, GetParam());
  }
  static std::vector<std::string> names(std::uint32_t in, std::uint32_t out, std::optional<std::uint32_t> size = {}) {
    return doctor::testing_support::names_of(findings(in, out, size));
  }
};

/// A frame of this size goes where the prognosis says.
void expect_truth(Traffic& t, const std::vector<doctor::Finding>& findings, std::size_t size) {
  const auto expected = doctor::prognosis(findings) == Prognosis::delivers ? delivered_to({0}) : nowhere();
  EXPECT_EQ(t.fate_of(t.frame({.size = size})).text(), expected.text());
}

/// Something wrong with t0 or s0, and its repair.
struct Wrong {
  const char* name;
  std::function<void(Case&, const Traffic&)> spoil;
  std::function<void(Case&, const Traffic&)> repair;
  std::string finding;
  std::uint32_t size = 60;
  bool generic_too = true;
};

std::vector<Wrong> all_wrongs() {
  return {
      {.name = "t0 is down",
       .spoil = [](Case& c, const Traffic& t) { c.must(set_up(t.target(0), false)); },
       .repair = [](Case& c, const Traffic& t) { c.must(set_up(t.target(0))); },
       .finding = "target-down"},
      {.name = "s0 is down",
       .spoil = [](Case& c, const Traffic& t) { c.must(set_up(t.sink(0), false)); },
       .repair = [](Case& c, const Traffic& t) { c.must(set_up(t.sink(0))); },
       .finding = "target-peer-down"},
      {.name = "s0 has no GRO",
       .spoil = [](Case& c, const Traffic& t) { c.must(set_gro(t.sink(0), false)); },
       .repair = [](Case& c, const Traffic& t) { c.must(set_gro(t.sink(0), true)); },
       .finding = "target-peer-does-not-poll",
       .generic_too = false},
      {.name = "the MTU of t0 is one too small",
       .spoil = [](Case& c, const Traffic& t) { c.must(set_mtu(t.target(0), 1000)); },
       .repair = [](Case& c, const Traffic& t) { c.must(set_mtu(t.target(0), 1001)); },
       .finding = "target-mtu",
       .size = 1019},
      {.name = "the MTU of s0 is one too small",
       .spoil = [](Case& c, const Traffic& t) { c.must(set_mtu(t.sink(0), 1000)); },
       .repair = [](Case& c, const Traffic& t) { c.must(set_mtu(t.sink(0), 1001)); },
       .finding = "target-peer-mtu",
       .size = 1019},
  };
}

TEST_P(DoctorTest, TellsTheTruthOfATargetBeforeAndAfterTheRepair) {
  check([](Case& c) {
    Traffic t(c, {.polling = Polling::offload});
    const auto map = c.devmap();
    c.must(map.update(0, {.ifindex = t.target(0)}));
    t.run(t.main().redirect_map(map, 0, 0).exit());
    for (const auto& wrong : all_wrongs()) {
      SCOPED_TRACE(wrong.name);
      wrong.spoil(c, t);
      const auto spoiled = findings(t.in1(), t.target(0), wrong.size);
      if (GetParam() == native || wrong.generic_too) {
        EXPECT_THAT(doctor::testing_support::names_of(spoiled), ElementsAre(wrong.finding));
      } else {
        EXPECT_THAT(doctor::testing_support::names_of(spoiled), IsEmpty());
      }
      expect_truth(t, spoiled, wrong.size);
      wrong.repair(c, t);
      const auto repaired = findings(t.in1(), t.target(0), wrong.size);
      EXPECT_THAT(doctor::testing_support::names_of(repaired), IsEmpty());
      expect_truth(t, repaired, wrong.size);
    }
  });
}

TEST_P(DoctorTest, TellsTheTruthOfAPeerThatPollsByItsProgram) {
  check([](Case& c) {
    Traffic t(c, {.polling = Polling::program});
    const auto map = c.devmap();
    c.must(map.update(0, {.ifindex = t.target(0)}));
    t.run(t.main().redirect_map(map, 0, 0).exit());
    const auto found = findings(t.in1(), t.target(0), 60);
    EXPECT_THAT(doctor::testing_support::names_of(found), ElementsAre("target-peer-runs-a-program"));
    expect_truth(t, found, 60);
  });
}

TEST_P(DoctorTest, TellsTheTruthOfTheReceiverAsTheTarget) {
  check([](Case& c) {
    Traffic t(c, {.polling = Polling::offload});
    const auto map = c.devmap();
    c.must(map.update(0, {.ifindex = t.in1()}));
    t.run(t.main().redirect_map(map, 0, 0).exit());
    EXPECT_THAT(names(t.in1(), t.in1(), 60), testing::Contains("target-is-the-receiver"));
    EXPECT_EQ(doctor::prognosis(findings(t.in1(), t.in1(), 60)), Prognosis::delivers);
    EXPECT_EQ(t.fate_of(t.frame()).text(), sent_back().text());
  });
}

/// Whether a program of the mode can be attached; it is detached again.
std::string attaching(Case& c, std::uint32_t ifindex, Mode mode) {
  const auto program = c.program(Assembler().return_value(XDP_PASS));
  const auto attached = set_xdp(ifindex, program.fd(), xdp_flags(mode));
  if (attached) c.must(set_xdp(ifindex, -1, xdp_flags(mode)));
  return attached ? "success" : errno_name(attached.error());
}

/// Two veth pairs without programs; out polls.
///
///     in.first <====> in.second     out.first <====> out.second
struct Wires {
  VethPair in;
  VethPair out;

  static Wires create(Case& c, std::uint32_t queues = 1) {
    const Wires wires{
        .in = c.must(create_veth({.first_name = "in0", .second_name = "in1", .queues = queues})),
        .out = c.must(create_veth({.first_name = "t0", .second_name = "s0"})),
    };
    c.must(set_gro(wires.out.second, true));
    return wires;
  }
};

TEST_P(DoctorTest, TellsTheTruthOfAReceiverWithFewQueues) {
  check([](Case& c) {
    const auto wires = Wires::create(c, 2);
    if (const auto set = set_channels(wires.in.second, 1, 2); set.error() == EOPNOTSUPP) return;
    const auto found = names(wires.in.second, wires.out.first, 60);
    if (GetParam() == native) {
      EXPECT_THAT(found, ElementsAre("receiver-has-fewer-queues-than-its-peer"));
      EXPECT_EQ(attaching(c, wires.in.second, native), "ENOSPC");
    } else {
      EXPECT_THAT(found, IsEmpty());
      EXPECT_EQ(attaching(c, wires.in.second, generic), "success");
    }
    c.must(set_channels(wires.in.second, 2, 2));
    EXPECT_THAT(names(wires.in.second, wires.out.first, 60), IsEmpty());
    EXPECT_EQ(attaching(c, wires.in.second, GetParam()), "success");
  });
}

TEST_P(DoctorTest, TellsTheTruthOfTheOtherRemedyForFewQueues) {
  check([](Case& c) {
    const auto wires = Wires::create(c, 2);
    if (const auto set = set_channels(wires.in.second, 1, 2); set.error() == EOPNOTSUPP) return;
    c.must(set_channels(wires.in.first, 2, 1));
    EXPECT_THAT(names(wires.in.second, wires.out.first, 60), IsEmpty());
    EXPECT_EQ(attaching(c, wires.in.second, GetParam()), "success");
  });
}

TEST_P(DoctorTest, TellsTheTruthOfATargetWithFewQueues) {
  if (const auto fact = features::xdp_feature_bits().probe(); fact.presence == Presence::absent) {
    GTEST_SKIP() << fact.text;
  }
  check([](Case& c) {
    const auto wires = Wires::create(c);
    const auto first = distinct_ifindex(60);
    const auto pair = c.must(create_veth({.first_name = "t1", .second_name = "s1", .first_index = first, .queues = 2}));
    c.must(set_gro(pair.second, true));
    c.must(set_channels(pair.first, 1, 2));
    auto situation = c.must(doctor::examine({.ifindex = wires.in.second}, {.ifindex = pair.first}));
    if (GetParam() == native) {
      EXPECT_THAT(names(wires.in.second, pair.first, 60), ElementsAre("target-has-fewer-queues-than-its-peer"));
      EXPECT_EQ(name_of(doctor::probe(situation, native).outcome), "refused");
    } else {
      EXPECT_THAT(names(wires.in.second, pair.first, 60), IsEmpty());
      EXPECT_EQ(name_of(doctor::probe(situation, generic).outcome), "received");
    }
    c.must(set_channels(pair.first, 2, 2));
    situation = c.must(doctor::examine({.ifindex = wires.in.second}, {.ifindex = pair.first}));
    EXPECT_THAT(names(wires.in.second, pair.first, 60), IsEmpty());
    EXPECT_EQ(name_of(doctor::probe(situation, GetParam()).outcome), "received");
  });
}

TEST_P(DoctorTest, TellsTheTruthOfAPeerWithFewQueuesThatPollsByGro) {
  check([](Case& c) {
    const auto wires = Wires::create(c);
    const auto pair = c.must(create_veth({.first_name = "t1", .second_name = "s1", .queues = 2}));
    if (const auto set = set_channels(pair.second, 1, 2); set.error() == EOPNOTSUPP) return;
    c.must(set_gro(pair.second, true));
    // A program cannot be attached to the peer, but GRO makes it poll all the same.
    EXPECT_EQ(attaching(c, pair.second, native), "ENOSPC");
    EXPECT_THAT(names(wires.in.second, pair.first, 60), IsEmpty());
  });
}

TEST_P(DoctorTest, TellsTheTruthOfAReceiverWhosePeerHasALargeMtu) {
  check([](Case& c) {
    const auto wires = Wires::create(c);
    const auto largest = doctor::single_buffer({.page_size = static_cast<std::uint32_t>(sysconf(_SC_PAGESIZE))}) - 14;
    c.must(set_mtu(wires.in.first, largest));
    EXPECT_THAT(names(wires.in.second, wires.out.first, 60), IsEmpty());
    EXPECT_EQ(attaching(c, wires.in.second, GetParam()), "success");
    c.must(set_mtu(wires.in.first, largest + 1));
    if (GetParam() == native) {
      EXPECT_THAT(names(wires.in.second, wires.out.first, 60), ElementsAre("receiver-peer-has-a-large-mtu"));
      EXPECT_EQ(attaching(c, wires.in.second, native), "ERANGE");
    } else {
      EXPECT_THAT(names(wires.in.second, wires.out.first, 60), IsEmpty());
      EXPECT_EQ(attaching(c, wires.in.second, generic), "success");
    }
  });
}

TEST_P(DoctorTest, TellsTheTruthOfAProgramOfTheOtherMode) {
  check([](Case& c) {
    const auto wires = Wires::create(c);
    const auto other = GetParam() == native ? generic : native;
    const auto program = c.program(Assembler().return_value(XDP_PASS));
    c.must(set_xdp(wires.in.second, program.fd(), xdp_flags(other)));
    EXPECT_THAT(names(wires.in.second, wires.out.first, 60), ElementsAre("receiver-runs-a-program-of-the-other-mode"));
    EXPECT_EQ(attaching(c, wires.in.second, GetParam()), "EEXIST");
    c.must(set_xdp(wires.in.second, -1, xdp_flags(other)));
    EXPECT_THAT(names(wires.in.second, wires.out.first, 60), IsEmpty());
    EXPECT_EQ(attaching(c, wires.in.second, GetParam()), "success");
  });
}

TEST_P(DoctorTest, TellsOfReceiversThatAreDown) {
  check([](Case& c) {
    const auto wires = Wires::create(c);
    c.must(set_up(wires.in.second, false));
    EXPECT_THAT(names(wires.in.second, wires.out.first, 60), ElementsAre("receiver-down"));
    c.must(set_up(wires.in.second));
    c.must(set_up(wires.in.first, false));
    EXPECT_THAT(names(wires.in.second, wires.out.first, 60), ElementsAre("receiver-without-carrier"));
    c.must(set_up(wires.in.first));
    EXPECT_THAT(names(wires.in.second, wires.out.first, 60), IsEmpty());
  });
}

TEST_P(DoctorTest, TellsTheTruthOfLoopbackAsTheReceiver) {
  check([](Case& c) {
    const auto wires = Wires::create(c);
    c.must(set_up(kLoopback));
    const auto found = names(kLoopback, wires.out.first, 60);
    if (GetParam() == native) {
      EXPECT_THAT(found, ElementsAre("receiver-takes-no-native-program"));
      EXPECT_EQ(attaching(c, kLoopback, native), "EOPNOTSUPP");
    } else {
      EXPECT_THAT(found, IsEmpty());
      EXPECT_EQ(attaching(c, kLoopback, generic), "success");
    }
  });
}

TEST_P(DoctorTest, TellsTheTruthOfATargetInAnotherNamespace) {
  check([](Case& c) {
    const auto wires = Wires::create(c);
    const auto elsewhere = c.must(NetNs::create());
    c.must(move_to(wires.out.first, elsewhere));
    const auto known = namespace_called(fmt::format("/proc/{}/fd/{}", getpid(), elsewhere.fd()));
    c.must(elsewhere.run([&] { c.must(set_up(wires.out.first)); }));
    auto situation =
        c.must(doctor::examine({.ifindex = wires.in.second}, c.must(doctor::device_named_in(known, "t0"))));
    situation.size = 60;
    EXPECT_THAT(doctor::testing_support::names_of(doctor::diagnose(situation, GetParam())),
                ElementsAre("target-in-another-namespace"));
    const auto map = c.devmap();
    const auto target = doctor::Named{.ifindex = situation.out.device.ifindex};
    EXPECT_EQ(map.update(0, {.ifindex = target.ifindex}).error(), EINVAL);
    c.must(elsewhere.run([&] { c.must(map.update(0, {.ifindex = target.ifindex})); }));
    situation.out_entered_there = true;
    EXPECT_EQ(doctor::prognosis(doctor::diagnose(situation, GetParam())), Prognosis::delivers);
  });
}

INSTANTIATE_TEST_SUITE_P(In, DoctorTest, testing::Values(native, generic),
                         [](const testing::TestParamInfo<Mode>& instance) {
                           return std::string(name_of(instance.param));
                         });

}  // namespace
}  // namespace devmap::cases
