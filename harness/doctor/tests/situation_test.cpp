#include <harness/doctor/situation.hpp>

#include <harness/doctor/finding.hpp>
#include <harness/doctor/tests/situations.hpp>
#include <harness/net/devices.hpp>
#include <harness/net/features.hpp>
#include <harness/net/link.hpp>
#include <harness/net/netns.hpp>
#include <harness/net/tests/netns_fixture.hpp>

#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

namespace devmap::doctor {
namespace {

using devmap::testing_support::FailsWith;
using devmap::testing_support::fault;
using testing::HasSubstr;

class SituationTest : public devmap::testing_support::NetNsTest {};

/// A process in a network namespace of its own, which somebody who looks for namespaces finds.
class Stranger {
 public:
  Stranger() {
    std::array<int, 2> ready{};
    if (pipe(ready.data()) != 0) throw std::runtime_error("pipe");
    pid_ = fork();
    if (pid_ == 0) {
      const char result = unshare(CLONE_NEWNET) == 0 ? 'y' : 'n';
      if (write(ready[1], &result, 1) != 1) _exit(1);
      for (;;) pause();
    }
    char result = 'n';
    if (read(ready[0], &result, 1) != 1 || result != 'y') ADD_FAILURE() << "no namespace";
    close(ready[0]);
    close(ready[1]);
  }
  Stranger(const Stranger&) = delete;
  Stranger& operator=(const Stranger&) = delete;
  Stranger(Stranger&&) = delete;
  Stranger& operator=(Stranger&&) = delete;
  ~Stranger() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }

  [[nodiscard]] std::string name() const { return std::to_string(pid_); }
  [[nodiscard]] NetNs place() const { return NetNs::open(namespace_called(name()).path).value(); }

 private:
  pid_t pid_ = 0;
};

TEST_F(SituationTest, DevicesGoByNameOrNumber) {
  inside([] {
    const auto pair = create_veth({.first_name = "eth1", .second_name = "sender"});
    ASSERT_EQ(fault(pair), "");
    EXPECT_EQ(device_named("eth1")->ifindex, pair->first);
    EXPECT_EQ(device_named(std::to_string(pair->first))->ifindex, pair->first);
    const auto unknown = device_named("eth2");
    ASSERT_THAT(unknown, FailsWith(ENODEV));
    EXPECT_THAT(unknown.error().context, HasSubstr("there are eth1, lo, sender"));
    EXPECT_THAT(device_named("9999"), FailsWith(ENODEV));
  });
}

TEST_F(SituationTest, NamesThatAreSimilarComeFirst) {
  inside([] {
    for (const char* name : {"alpha", "beta", "gamma", "delta"}) {
      ASSERT_EQ(fault(create_veth({.first_name = name, .second_name = std::string(name) + "-peer"})), "");
    }
    EXPECT_THAT(device_named("gama").error().context, HasSubstr("similar are gamma,"));
  });
}

TEST_F(SituationTest, TellsOfAVethPair) {
  inside([] {
    const auto in = create_veth({.first_name = "sender", .second_name = "eth1"});
    const auto out = create_veth({.first_name = "veth0", .second_name = "veth1"});
    ASSERT_EQ(fault(in) + fault(out), "");
    ASSERT_EQ(fault(set_gro(out->second, true)), "");
    const auto s = examine({.ifindex = in->second}, {.ifindex = out->first});
    ASSERT_EQ(fault(s), "");
    EXPECT_EQ(s->in.device.state.name, "eth1");
    EXPECT_EQ(s->out.device.state.kind, "veth");
    ASSERT_TRUE(s->out.other && *s->out.other);
    const Device& peer = **s->out.other;
    EXPECT_EQ(peer.state.name, "veth1");
    EXPECT_TRUE(peer.gro.value());
    EXPECT_FALSE(s->out.device.gro.value());
    EXPECT_FALSE(peer.elsewhere);
    EXPECT_THAT(examine({.ifindex = 999}, {.ifindex = out->first}), FailsWith(ENODEV));
  });
}

TEST_F(SituationTest, LoopbackHasNoOtherEnd) {
  inside([] { EXPECT_FALSE(examine({.ifindex = kLoopback}, {.ifindex = kLoopback})->in.other); });
}

TEST_F(SituationTest, MacvlanHasTheDeviceBelow) {
  if (const auto fact = features::macvlan().probe(); fact.presence != Presence::present) GTEST_SKIP() << fact.text;
  inside([] {
    const auto pair = create_veth({.first_name = "eth1", .second_name = "sender"});
    ASSERT_EQ(fault(pair), "");
    const auto macvlan = create_macvlan(pair->first, {.name = "mv0"});
    ASSERT_EQ(fault(macvlan), "");
    const auto s = examine({.ifindex = *macvlan}, {.ifindex = *macvlan});
    ASSERT_EQ(fault(s), "");
    EXPECT_EQ((**s->in.other).state.name, "eth1");
  });
}

TEST_F(SituationTest, PeersAreFoundInNamespacesOfOtherProcesses) {
  inside([] {
    const Stranger stranger;
    const auto pair = create_veth({.first_name = "veth0", .second_name = "veth1"});
    ASSERT_EQ(fault(pair), "");
    ASSERT_EQ(fault(move_to(pair->second, stranger.place())), "");
    const auto s = examine({.ifindex = kLoopback}, {.ifindex = pair->first});
    ASSERT_EQ(fault(s), "");
    ASSERT_TRUE(s->out.other);
    ASSERT_EQ(fault(*s->out.other), "");
    EXPECT_EQ(title_of(**s->out.other), "veth1 (the namespace of process " + stranger.name() + ")");

    const auto elsewhere = device_named_elsewhere("veth1");
    ASSERT_TRUE(elsewhere);
    const auto there = examine({.ifindex = kLoopback}, *elsewhere);
    ASSERT_EQ(fault(there), "");
    EXPECT_EQ(there->out.device.elsewhere->title, "the namespace of process " + stranger.name());
    // Its peer is here, and nothing is to be entered for it.
    ASSERT_TRUE(there->out.other && *there->out.other);
    EXPECT_EQ(title_of(**there->out.other), "veth0");
  });
}

TEST_F(SituationTest, PeersInNamespacesThatNobodyNamesAreUnknown) {
  inside([] {
    const auto hidden = NetNs::create();
    ASSERT_EQ(fault(hidden), "");
    const auto pair = create_veth({.first_name = "veth0", .second_name = "veth1"});
    ASSERT_EQ(fault(pair), "");
    ASSERT_EQ(fault(move_to(pair->second, *hidden)), "");
    const auto s = examine({.ifindex = kLoopback}, {.ifindex = pair->first});
    ASSERT_EQ(fault(s), "");
    ASSERT_TRUE(s->out.other);
    EXPECT_THAT(fault(*s->out.other), HasSubstr("without a name or a process"));
  });
}

TEST_F(SituationTest, ANamespaceIsNamedByAProcessOrAPath) {
  inside([] {
    const Stranger stranger;
    const auto pair = create_veth({.first_name = "veth0", .second_name = "veth1"});
    ASSERT_EQ(fault(pair), "");
    ASSERT_EQ(fault(move_to(pair->second, stranger.place())), "");
    for (const auto& name : {stranger.name(), "/proc/" + stranger.name() + "/ns/net"}) {
      const auto named = device_named_in(namespace_called(name), "veth1");
      ASSERT_EQ(fault(named), "");
      EXPECT_TRUE(named->elsewhere);
    }
    EXPECT_THAT(device_named_in(namespace_called("no-such-namespace"), "veth1"), FailsWith(ENOENT));
  });
}

}  // namespace
}  // namespace devmap::doctor
