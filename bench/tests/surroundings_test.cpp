#include <bench/measure/canary.hpp>
#include <bench/preflight/surroundings.hpp>

#include <harness/bpf/tests/kernel_fixture.hpp>

#include <linux/bpf.h>
#include <unistd.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <array>
#include <harness/base/unique_fd.hpp>
#include <harness/bpf/syscall.hpp>
#include <harness/net/redirect_listener.hpp>

namespace devmap::bench {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;

/// Each makes what is to be found; what others do on the machine at the same time does no harm.
using SurroundingsTest = testing_support::BpfTest;

TEST_F(SurroundingsTest, ShowStatisticsThatNoSwitchShows) {
  bpf_attr attr{};
  attr.enable_stats.type = BPF_STATS_RUN_TIME;
  const UniqueFd statistics(static_cast<int>(sys_bpf(BPF_ENABLE_STATS, attr)));
  ASSERT_GE(statistics.get(), 0);
  EXPECT_TRUE(Surroundings::of_this_machine().statistics_on);
}

TEST_F(SurroundingsTest, ShowWhoListensToXdpTracepoints) {
  if (const auto possible = RedirectListener::possible(); !possible) GTEST_SKIP() << possible.error().text();
  constexpr std::array kTracepoints = {RedirectTracepoint::redirect_err};
  const auto listener = RedirectListener::create(kTracepoints, 1);
  ASSERT_TRUE(listener.has_value()) << listener.error().text();
  EXPECT_THAT(Surroundings::of_this_machine().listeners,
              Contains(AllOf(HasSubstr("xdp_redirect"), HasSubstr(fmt::format("of process {}", getpid())))));
}

TEST_F(SurroundingsTest, CountXdpProgramsOfTheMachine) {
  const auto program = make_program(Assembler().return_value(XDP_PASS));
  EXPECT_GE(Surroundings::of_this_machine().xdp_programs, 1U);
}

TEST(Canary, TakesTimeAndIsBestAtItsBest) {
  const double best = best_canary(50);
  EXPECT_GT(best, 0);
  EXPECT_GT(run_canary(), 0);
  // The same unit; how much a neighbour slows it is not this test's concern.
  EXPECT_GT(run_brief_canary(), best / 2);
}

}  // namespace
}  // namespace devmap::bench
