#include <harness/net/netns.hpp>

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <harness/base/capabilities.hpp>
#include <harness/net/tests/netns_fixture.hpp>

#include <cstring>
#include <stdexcept>

namespace devmap {
namespace {

using testing_support::FailsWith;
using testing_support::fault;
using testing_support::NetNsTest;

/// Which namespace a descriptor, or without one the calling thread, is in.
ino_t identity(int fd = -1) {
  struct stat facts{};
  const int failed = fd >= 0 ? fstat(fd, &facts) : stat("/proc/thread-self/ns/net", &facts);
  return failed == 0 ? facts.st_ino : 0;
}

TEST_F(NetNsTest, IsAnotherOneThanTheCallersOwn) {
  const auto first = NetNs::create();
  const auto second = NetNs::create();
  ASSERT_EQ(fault(first) + fault(second), "");
  EXPECT_NE(identity(first->fd()), identity());
  EXPECT_NE(identity(first->fd()), identity(second->fd()));
}

TEST_F(NetNsTest, RunsInsideAndLeavesTheCallerWhereItWas) {
  const auto apart = NetNs::create();
  ASSERT_EQ(fault(apart), "");
  const auto before = identity();
  ino_t during = 0;
  EXPECT_EQ(fault(apart->run([&] { during = identity(); })), "");
  EXPECT_EQ(during, identity(apart->fd()));
  EXPECT_EQ(identity(), before);
}

TEST_F(NetNsTest, HoldsNothingButALoopbackDeviceThatIsDown) {
  inside([] {
    struct if_nameindex* const devices = if_nameindex();
    ASSERT_NE(devices, nullptr);
    EXPECT_EQ(devices[0].if_index, 1U);
    EXPECT_STREQ(devices[0].if_name, "lo");
    EXPECT_EQ(devices[1].if_index, 0U) << "more than one device";
    if_freenameindex(devices);
    const UniqueFd socket_fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ifreq request{};
    std::strcpy(request.ifr_name, "lo");
    ASSERT_EQ(ioctl(socket_fd.get(), SIOCGIFFLAGS, &request), 0);
    EXPECT_EQ(request.ifr_flags & IFF_UP, 0);
  });
}

TEST_F(NetNsTest, LetsExceptionsOut) {
  const auto apart = NetNs::create();
  ASSERT_EQ(fault(apart), "");
  EXPECT_THROW((void)apart->run([] { throw std::runtime_error("out"); }), std::runtime_error);
}

TEST(NetNs, CurrentIsTheCallersOwn) {
  const auto current = NetNs::current();
  ASSERT_EQ(fault(current), "");
  EXPECT_EQ(identity(current->fd()), identity());
}

TEST(NetNs, NeedsACapability) {
  Expected<void> made;
  bool ran = false;
  Expected<void> entered;
  const auto current = NetNs::current();
  ASSERT_EQ(fault(current), "");
  EXPECT_EQ(fault(with_capabilities({},
                                    [&] {
                                      if (const auto apart = NetNs::create(); !apart)
                                        made = std::unexpected(apart.error());
                                      entered = current->run([&] { ran = true; });
                                    })),
            "");
  EXPECT_THAT(made, FailsWith(EPERM));
  EXPECT_THAT(entered, FailsWith(EPERM));
  EXPECT_FALSE(ran);
}

}  // namespace
}  // namespace devmap
