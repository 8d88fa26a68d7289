#include <harness/net/link.hpp>

#include <linux/if_link.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <harness/base/file.hpp>
#include <harness/base/unique_fd.hpp>
#include <harness/bpf/program.hpp>
#include <harness/net/tests/netns_fixture.hpp>

#include <fmt/format.h>
#include <array>

namespace devmap {
namespace {

using testing_support::FailsWith;
using testing_support::fault;
using testing_support::IsRefusedWith;
using LinkTest = testing_support::NetNsTest;

/// What the kernel says of a device, by ioctl: another way than the one under test.
ifreq ask(std::uint32_t ifindex, unsigned long question) {
  const UniqueFd socket_fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  if_indextoname(ifindex, request.ifr_name);
  if (ioctl(socket_fd.get(), question, &request) != 0) ADD_FAILURE() << "ioctl on device " << ifindex;
  return request;
}
bool is_up(std::uint32_t ifindex) {
  return (ask(ifindex, SIOCGIFFLAGS).ifr_flags & IFF_UP) != 0;
}
int mtu_of(std::uint32_t ifindex) {
  return ask(ifindex, SIOCGIFMTU).ifr_mtu;
}
bool exists(std::uint32_t ifindex) {
  std::array<char, IF_NAMESIZE> name{};
  return if_indextoname(ifindex, name.data()) != nullptr;
}

TEST_F(LinkTest, VethPairIsUpByDefault) {
  inside([] {
    const auto pair = create_veth();
    ASSERT_EQ(fault(pair), "");
    EXPECT_EQ(pair->first, if_nametoindex("a0"));
    EXPECT_EQ(pair->second, if_nametoindex("a1"));
    EXPECT_NE(pair->first, pair->second);
    EXPECT_TRUE(is_up(pair->first));
    EXPECT_TRUE(is_up(pair->second));
  });
}

TEST_F(LinkTest, VethPairIsAsSpecified) {
  inside([] {
    const auto pair = create_veth({.first_name = "left",
                                   .second_name = "right",
                                   .first_index = 1000,
                                   .second_index = 2000,
                                   .queues = 3,
                                   .up = false});
    ASSERT_EQ(fault(pair), "");
    EXPECT_EQ(pair->first, 1000U);
    EXPECT_EQ(pair->second, 2000U);
    EXPECT_EQ(if_nametoindex("right"), 2000U);
    EXPECT_FALSE(is_up(1000));
    EXPECT_FALSE(is_up(2000));
  });
}

TEST_F(LinkTest, VethPairIsNotMadeTwice) {
  inside([] {
    ASSERT_EQ(fault(create_veth({.up = false})), "");
    EXPECT_THAT(create_veth({.up = false}), FailsWith(EEXIST));
  });
}

TEST_F(LinkTest, HasANumberOfItsOwnWhereAsked) {
  EXPECT_NE(distinct_ifindex(0), distinct_ifindex(1));
  EXPECT_EQ(distinct_ifindex(1), distinct_ifindex(1));
  inside([] {
    const auto pair =
        create_veth({.first_index = distinct_ifindex(0), .second_index = distinct_ifindex(99), .up = false});
    ASSERT_EQ(fault(pair), "");
    EXPECT_EQ(pair->second, distinct_ifindex(99));
  });
}

TEST_F(LinkTest, IsSetUpAndDown) {
  inside([] {
    EXPECT_FALSE(is_up(kLoopback));
    EXPECT_EQ(fault(set_up(kLoopback)), "");
    EXPECT_TRUE(is_up(kLoopback));
    EXPECT_EQ(fault(set_up(kLoopback, false)), "");
    EXPECT_FALSE(is_up(kLoopback));
    EXPECT_THAT(set_up(999), FailsWith(ENODEV));
  });
}

TEST_F(LinkTest, TakesAnMtu) {
  inside([] {
    EXPECT_EQ(fault(set_mtu(kLoopback, 1234)), "");
    EXPECT_EQ(mtu_of(kLoopback), 1234);
    EXPECT_FALSE(is_up(kLoopback)) << "nothing else may change";
    EXPECT_THAT(set_mtu(999, 1234), FailsWith(ENODEV));
  });
}

TEST_F(LinkTest, IsDeleted) {
  inside([] {
    const auto pair = create_veth({.up = false});
    ASSERT_EQ(fault(pair), "");
    EXPECT_EQ(fault(delete_link(pair->first)), "");
    EXPECT_FALSE(exists(pair->first));
    EXPECT_FALSE(exists(pair->second));
    EXPECT_THAT(delete_link(pair->first), FailsWith(ENODEV));
  });
}

TEST_F(LinkTest, Ipv6IsKeptFromSpeaking) {
  inside([] {
    ASSERT_EQ(fault(silence_ipv6()), "");
    const auto file = read_file("/proc/sys/net/ipv6/conf/default/disable_ipv6");
    if (!file && file.error().code == ENOENT) GTEST_SKIP() << "a kernel without IPv6";
    EXPECT_EQ(file.value_or("?"), "1\n");
  });
}

class SetXdpTest : public LinkTest {
 protected:
  static Reply<Program> load() { return Program::load({}, Assembler().return_value(XDP_PASS).build().value()); }
};

TEST_F(SetXdpTest, AttachesAndRemoves) {
  inside([] {
    const auto program = load();
    ASSERT_EQ(fault(program), "");
    ASSERT_EQ(fault(set_xdp(kLoopback, program.value().fd(), XDP_FLAGS_SKB_MODE)), "");
    EXPECT_THAT(set_xdp(kLoopback, program.value().fd(), XDP_FLAGS_SKB_MODE | XDP_FLAGS_UPDATE_IF_NOEXIST),
                IsRefusedWith(EBUSY));
    EXPECT_EQ(fault(set_xdp(kLoopback, -1, XDP_FLAGS_SKB_MODE)), "");
    EXPECT_EQ(fault(set_xdp(kLoopback, program.value().fd(), XDP_FLAGS_SKB_MODE | XDP_FLAGS_UPDATE_IF_NOEXIST)), "");
  });
}

TEST_F(SetXdpTest, RefusalCarriesTheKernelsWords) {
  inside([] {
    const auto program = load();
    ASSERT_EQ(fault(program), "");
    // The loopback device has no driver mode.
    const auto refused = set_xdp(kLoopback, program.value().fd(), XDP_FLAGS_DRV_MODE);
    EXPECT_THAT(refused, IsRefusedWith(EOPNOTSUPP));
    EXPECT_FALSE(refused.explanation().empty());
    EXPECT_EQ(refused.asked().text(),
              fmt::format("set XDP program(ifindex 1, program fd {}, flags XDP_FLAGS_DRV_MODE)", program.value().fd()));
  });
}

}  // namespace
}  // namespace devmap
