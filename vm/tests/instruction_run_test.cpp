#include <vm/instruction_run.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace devmap::vm {
namespace {

using testing::Contains;
using testing::IsEmpty;

TEST(CountingGuest, RunsTheBenchmarksThatAreChosen) {
  const GuestPrograms programs{.init = "init", .suite = "benchmarks"};
  EXPECT_THAT(guest_parts({.programs = &programs}).arguments, testing::Not(Contains("--filter")));
  EXPECT_THAT(guest_parts({.programs = &programs, .filter = "^live/"}).arguments, Contains("^live/"));
}

TEST(CountingGuest, HasTheJitThatTheKernelIsSaidToHave) {
  const GuestPrograms programs{.init = "init", .suite = "benchmarks"};
  EXPECT_THAT(guest_parts({.programs = &programs}).settings, IsEmpty());
  const auto settings = guest_parts({.programs = &programs, .jit = Jit::off}).settings;
  ASSERT_EQ(settings.size(), 1U);
  EXPECT_EQ(settings.front().file, "/proc/sys/net/core/bpf_jit_enable");
  EXPECT_EQ(settings.front().value, "0");
}

}  // namespace
}  // namespace devmap::vm
