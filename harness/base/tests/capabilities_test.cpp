#include <harness/base/capabilities.hpp>

#include <linux/capability.h>
#include <sched.h>
#include <unistd.h>
#include <harness/base/file.hpp>
#include <harness/base/tests/support.hpp>

#include <cerrno>
#include <cstdint>
#include <stdexcept>

namespace devmap {
namespace {

using testing_support::FailsWith;
using testing_support::fault;

/// The calling thread's effective capabilities, one bit each.
std::uint64_t effective() {
  const auto status = read_file("/proc/thread-self/status").value();
  return std::stoull(status.substr(status.find("CapEff:") + 7), nullptr, 16);
}
constexpr std::uint64_t bit(int capability) {
  return 1ULL << capability;
}

TEST(WithCapabilities, DropsAllOthersOnThatThreadAlone) {
  const auto before = effective();
  std::uint64_t inside = ~0ULL;
  EXPECT_EQ(fault(with_capabilities({}, [&] { inside = effective(); })), "");
  EXPECT_EQ(inside, 0U);
  EXPECT_EQ(effective(), before);
}

TEST(WithCapabilities, KeepsExactlyTheNamed) {
  const auto wanted = bit(CAP_NET_ADMIN) | bit(CAP_BPF);  // one of each half of the set
  if ((effective() & wanted) != wanted) GTEST_SKIP() << "needs CAP_NET_ADMIN and CAP_BPF to keep";
  std::uint64_t inside = 0;
  EXPECT_EQ(fault(with_capabilities({CAP_NET_ADMIN, CAP_BPF}, [&] { inside = effective(); })), "");
  EXPECT_EQ(inside, wanted);
}

TEST(WithCapabilities, KeepsTheIdentity) {
  uid_t inside = geteuid() + 1;
  EXPECT_EQ(fault(with_capabilities({}, [&] { inside = geteuid(); })), "");
  EXPECT_EQ(inside, geteuid());
}

TEST(WithCapabilities, DoesNotBeginWithoutACapabilityToKeep) {
  // Within a thread that has none, so that it is the same for every user.
  bool ran = false;
  Expected<void> nested;
  EXPECT_EQ(fault(with_capabilities({}, [&] { nested = with_capabilities({CAP_NET_ADMIN}, [&] { ran = true; }); })),
            "");
  EXPECT_THAT(nested, FailsWith(EPERM));
  EXPECT_FALSE(ran);
}

TEST(WithCapabilities, TheKernelNoticesTheLoss) {
  int error = 0;
  EXPECT_EQ(fault(with_capabilities({}, [&] { error = unshare(CLONE_NEWNET) == 0 ? 0 : errno; })), "");
  EXPECT_EQ(errno_name(error), "EPERM");
}

TEST(WithCapabilities, LetsExceptionsOut) {
  EXPECT_THROW((void)with_capabilities({}, [] { throw std::runtime_error("out"); }), std::runtime_error);
}

}  // namespace
}  // namespace devmap
