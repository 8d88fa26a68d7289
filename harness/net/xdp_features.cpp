#include <harness/net/xdp_features.hpp>

#include <linux/genetlink.h>
#include <netlink/msg.h>

#include <array>
#include <harness/net/generic_netlink.hpp>

namespace devmap {
namespace {

// Of linux/netdev.h, which the headers of Linux 6.1 lack.
constexpr const char* kFamily = "netdev";  // NETDEV_FAMILY_NAME
constexpr std::uint8_t kDeviceGet = 1;     // NETDEV_CMD_DEV_GET
constexpr int kIfindex = 1;                // NETDEV_A_DEV_IFINDEX
constexpr int kFeatures = 3;               // NETDEV_A_DEV_XDP_FEATURES

}  // namespace

Reply<XdpFeatures> xdp_features(std::uint32_t ifindex) {
  const Asked asked("get XDP features", {{"ifindex", ifindex}});
  XdpFeatures found;
  const auto read = [&found](nlmsghdr* answer) {
    std::array<nlattr*, kFeatures + 1> all{};
    nlmsg_parse(answer, sizeof(genlmsghdr), all.data(), kFeatures, nullptr);
    if (all.back() != nullptr) found.bits = nla_get_u64(all.back());
  };
  const auto answered =
      request_generic(asked, {.family = kFamily,
                              .command = kDeviceGet,
                              .fill = [ifindex](nl_msg* message) { nla_put_u32(message, kIfindex, ifindex); },
                              .on_answer = read});
  if (!answered) return Reply<XdpFeatures>::refused(asked, answered.error(), answered.explanation());
  return Reply<XdpFeatures>::granted(asked, found);
}

}  // namespace devmap
