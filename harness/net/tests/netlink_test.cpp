#include <harness/net/netlink.hpp>

#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <harness/bpf/tests/support.hpp>

namespace devmap {
namespace {

using testing_support::fault;
using testing_support::IsRefusedWith;

NetlinkMessage link_message(int type, int ifindex) {
  NetlinkMessage message(nlmsg_alloc_simple(type, 0));
  ifinfomsg header{};
  header.ifi_index = ifindex;
  nlmsg_append(message.get(), &header, sizeof header, NLMSG_ALIGNTO);
  return message;
}

TEST(NetlinkSocket, NamesTheProtocolThereIsNot) {
  EXPECT_NE(fault(NetlinkSocket::open(31)), "");
  EXPECT_EQ(fault(NetlinkSocket::open(NETLINK_ROUTE)), "");
}

// Deleting needs privilege, so whoever runs this is refused, and with the kernel's own errno either way.
TEST(NetlinkSocket, KeepsTheKernelsErrno) {
  auto socket = NetlinkSocket::open(NETLINK_ROUTE);
  ASSERT_EQ(fault(socket), "");
  const auto reply = socket->request(Asked("delete", {}), link_message(RTM_DELLINK, 0x7ffffff0).get());
  EXPECT_TRUE(reply.error() == ENODEV || reply.error() == EPERM) << fault(reply);
  EXPECT_EQ(reply.asked().text(), "delete()");
}

TEST(NetlinkSocket, CanBeUsedAgainAfterARefusal) {
  auto socket = NetlinkSocket::open(NETLINK_ROUTE);
  ASSERT_EQ(fault(socket), "");
  for (int i = 0; i < 3; ++i) {
    const auto reply = socket->request(Asked("unknown", {}), link_message(0x7f0, 1).get());
    EXPECT_TRUE(reply.error() == EOPNOTSUPP || reply.error() == EPERM || reply.error() == EINVAL) << fault(reply);
  }
}

}  // namespace
}  // namespace devmap
