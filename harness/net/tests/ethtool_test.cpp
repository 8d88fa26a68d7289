#include <harness/net/ethtool.hpp>

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <harness/base/unique_fd.hpp>
#include <harness/net/link.hpp>
#include <harness/net/tests/netns_fixture.hpp>

namespace devmap {
namespace {

using testing_support::fault;
using testing_support::IsRefusedWith;
using EthtoolTest = testing_support::NetNsTest;

/// By ioctl: another way than the one under test.
bool gro_is_on(std::uint32_t ifindex) {
  const UniqueFd socket_fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ethtool_value value{.cmd = ETHTOOL_GGRO, .data = 0};
  ifreq request{};
  if_indextoname(ifindex, request.ifr_name);
  request.ifr_data = reinterpret_cast<char*>(&value);
  if (ioctl(socket_fd.get(), SIOCETHTOOL, &request) != 0) ADD_FAILURE() << "ETHTOOL_GGRO of device " << ifindex;
  return value.data != 0;
}

TEST_F(EthtoolTest, SwitchesGro) {
  inside([] {
    const auto pair = create_veth({.up = false});
    ASSERT_EQ(fault(pair), "");
    for (const bool on : {true, false, true}) {
      ASSERT_EQ(fault(set_gro(pair->first, on)), "");
      EXPECT_EQ(gro_is_on(pair->first), on);
    }
    EXPECT_THAT(set_gro(999, true), IsRefusedWith(ENODEV));
  });
}

TEST_F(EthtoolTest, TellsOffloads) {
  inside([] {
    const auto pair = create_veth({.up = false});
    ASSERT_EQ(fault(pair), "");
    for (const bool on : {true, false, true}) {
      ASSERT_EQ(fault(set_gro(pair->first, on)), "");
      EXPECT_EQ(gro(pair->first).value(), on);
      EXPECT_EQ(gro(pair->first).value(), gro_is_on(pair->first));
      ASSERT_EQ(fault(set_tcp_segmentation(pair->first, on)), "");
      EXPECT_EQ(tcp_segmentation(pair->first).value(), on);
    }
    EXPECT_THAT(gro(999), IsRefusedWith(ENODEV));
    EXPECT_THAT(tcp_segmentation(999), IsRefusedWith(ENODEV));
  });
}

TEST_F(EthtoolTest, SetsChannels) {
  inside([] {
    const auto pair = create_veth({.queues = 3, .up = false});
    ASSERT_EQ(fault(pair), "");
    const auto before = channels(pair->first);
    ASSERT_EQ(fault(before), "");
    EXPECT_EQ(before.value().most_receive, 3U);
    EXPECT_EQ(before.value().most_transmit, 3U);
    EXPECT_EQ(before.value().transmit, 3U);
    const auto set = set_channels(pair->first, 1, 2);
    if (set.error() == EOPNOTSUPP) GTEST_SKIP() << "veth does not take channels here";
    ASSERT_EQ(fault(set), "");
    EXPECT_EQ(channels(pair->first).value().receive, 1U);
    EXPECT_EQ(channels(pair->first).value().transmit, 2U);
    EXPECT_THAT(set_channels(pair->first, 1, 4), IsRefusedWith(EINVAL));
    EXPECT_THAT(channels(kLoopback), IsRefusedWith(EOPNOTSUPP));
  });
}

}  // namespace
}  // namespace devmap
