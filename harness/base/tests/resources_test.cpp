#include <harness/base/resources.hpp>

#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>
#include <harness/base/capabilities.hpp>
#include <harness/base/scope_exit.hpp>
#include <harness/base/tests/support.hpp>

#include <cerrno>
#include <thread>

namespace devmap {
namespace {

using testing_support::FailsWith;
using testing_support::fault;

rlimit limit_of(__rlimit_resource resource) {
  rlimit limit{};
  getrlimit(resource, &limit);
  return limit;
}

TEST(TotalMemory, IsWhatTheMachineHas) {
  const auto bytes =
      static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  EXPECT_EQ(total_memory(), bytes);
}

TEST(LimitLockedMemory, SetsTheSoftLimit) {
  const auto before = limit_of(RLIMIT_MEMLOCK);
  const ScopeExit restore([&] { setrlimit(RLIMIT_MEMLOCK, &before); });
  EXPECT_EQ(fault(limit_locked_memory(4096)), "");
  EXPECT_EQ(limit_of(RLIMIT_MEMLOCK).rlim_cur, 4096U);
  EXPECT_EQ(limit_of(RLIMIT_MEMLOCK).rlim_max, before.rlim_max);
}

TEST(AllowDescriptor, RaisesTheSoftLimitAsFarAsNeeded) {
  const auto before = limit_of(RLIMIT_NOFILE);
  const ScopeExit restore([&] { setrlimit(RLIMIT_NOFILE, &before); });
  const rlimit few{64, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
  EXPECT_EQ(fcntl(0, F_DUPFD_CLOEXEC, 100), -1);
  EXPECT_EQ(fault(allow_descriptor(100)), "");
  EXPECT_EQ(limit_of(RLIMIT_NOFILE).rlim_cur, 101U);
  EXPECT_EQ(fault(allow_descriptor(10)), "");
  EXPECT_EQ(limit_of(RLIMIT_NOFILE).rlim_cur, 101U) << "never lowered";
}

TEST(AllowDescriptor, CannotRaiseTheHardLimitWithoutPrivilege) {
  const auto before = limit_of(RLIMIT_NOFILE);
  if (before.rlim_max >= INT32_MAX) GTEST_SKIP() << "there is no hard limit to meet";
  Expected<void> raised;
  ASSERT_EQ(fault(with_capabilities({}, [&] { raised = allow_descriptor(static_cast<int>(before.rlim_max)); })), "");
  EXPECT_THAT(raised, FailsWith(EPERM));
}

TEST(StayOnThisCpu, LeavesTheThreadOneProcessor) {
  std::thread([] {
    ASSERT_EQ(fault(stay_on_this_cpu()), "");
    cpu_set_t allowed;
    ASSERT_EQ(sched_getaffinity(0, sizeof allowed, &allowed), 0);
    EXPECT_EQ(CPU_COUNT(&allowed), 1);
    EXPECT_TRUE(CPU_ISSET(static_cast<unsigned>(sched_getcpu()), &allowed));
  }).join();
}

}  // namespace
}  // namespace devmap
