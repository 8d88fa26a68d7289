#include <bench/preflight/obstacles.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace devmap::bench {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using Weight = Obstacle::Weight;

Surroundings quiet() {
  return {.jit = Jit::on, .canary_now = 0.044, .canary_at_best = 0.044};
}

auto obstacle(Weight weight, const char* part) {
  return AllOf(Field(&Obstacle::weight, weight), Field(&Obstacle::what, HasSubstr(part)),
               Field(&Obstacle::remedy, testing::Not(IsEmpty())));
}

TEST(Obstacles, AreNoneOnAQuietMachine) {
  EXPECT_THAT(obstacles(quiet()), IsEmpty());
  EXPECT_FALSE(refuses(obstacles(quiet())));
}

TEST(Obstacles, RefuseWhereXdpEventsAreRecorded) {
  auto here = quiet();
  here.recorded_events = {"events/xdp/enable", "instances/other/events/xdp/enable"};
  const auto found = obstacles(here);
  EXPECT_THAT(found, ElementsAre(obstacle(Weight::refuses, "instances/other/events/xdp/enable")));
  EXPECT_TRUE(refuses(found));
}

TEST(Obstacles, NameAFewListenersAndCountTheRest) {
  auto here = quiet();
  here.listeners = {"xdp_redirect_err (perf event of process 1)", "b", "c", "d", "e", "f"};
  EXPECT_THAT(obstacles(here), ElementsAre(obstacle(Weight::refuses, "process 1), b, c, d and 2 more")));
}

TEST(Obstacles, RefuseTimedAndInterpretedProgramsAndSoftirqsApart) {
  auto here = quiet();
  here.statistics_on = true;
  here.jit = Jit::off;
  here.softirq_time_is_apart = true;
  EXPECT_THAT(obstacles(here),
              ElementsAre(obstacle(Weight::refuses, "BPF statistics"), obstacle(Weight::refuses, "interpreted"),
                          obstacle(Weight::refuses, "CONFIG_IRQ_TIME_ACCOUNTING")));
}

TEST(Obstacles, LabelWhatLeavesFiguresComparable) {
  auto here = quiet();
  here.jit = Jit::hardened;
  here.xdp_programs = 2;
  here.unseen = {"trace events: open: EPERM"};
  const auto found = obstacles(here);
  EXPECT_THAT(found, ElementsAre(obstacle(Weight::labels, "harden"), obstacle(Weight::labels, "XDP programs of others"),
                                 obstacle(Weight::labels, "EPERM")));
  EXPECT_FALSE(refuses(found));
}

TEST(Obstacles, LabelProgramsBeyondTheDispatcher) {
  auto here = quiet();
  here.xdp_programs = 48;
  EXPECT_THAT(obstacles(here), ElementsAre(obstacle(Weight::labels, "of others")));
  here.xdp_programs = 49;
  EXPECT_THAT(obstacles(here), ElementsAre(obstacle(Weight::labels, "called indirectly")));
}

TEST(Obstacles, LabelACanaryThatIsSlowerThanTheClockMakesIt) {
  auto here = quiet();
  here.canary_now = here.canary_at_best * 1.25;
  EXPECT_THAT(obstacles(here), IsEmpty());
  here.canary_now = here.canary_at_best * 1.6;
  EXPECT_THAT(obstacles(here), ElementsAre(obstacle(Weight::labels, "60 % slower")));
}

TEST(Path, IsKnownByItsFunctions) {
  for (const auto* const function :
       {"dev_map_enqueue", "__dev_map_alloc_node", "bq_xmit_all", "xdp_do_redirect", "veth_xdp_xmit", "__sys_bpf"}) {
    EXPECT_TRUE(is_on_the_path(function)) << function;
  }
  for (const auto* const function : {"", "do_sys_openat2", "tcp_sendmsg", "vfs_read", "sys_bpf_not"}) {
    EXPECT_FALSE(is_on_the_path(function)) << function;
  }
}

}  // namespace
}  // namespace devmap::bench
