#include <harness/net/device_state.hpp>

#include <linux/if_link.h>
#include <netlink/attr.h>

#include <array>
#include <harness/net/link_request.hpp>

namespace devmap {
namespace {

std::string text_of(nlattr* attribute) {
  return attribute == nullptr ? std::string() : std::string(nla_get_string(attribute));
}
std::uint32_t number_of(nlattr* attribute) {
  return attribute == nullptr ? 0 : nla_get_u32(attribute);
}

template <std::size_t Size>
std::array<nlattr*, Size> nested_in(nlattr* attribute) {
  std::array<nlattr*, Size> inner{};
  if (attribute != nullptr) nla_parse_nested(inner.data(), Size - 1, attribute, nullptr);
  return inner;
}

DeviceState read(nlmsghdr* answer) {
  std::array<nlattr*, IFLA_MAX + 1> all{};
  nlmsg_parse(answer, sizeof(ifinfomsg), all.data(), IFLA_MAX, nullptr);
  const auto info = nested_in<IFLA_INFO_MAX + 1>(all[IFLA_LINKINFO]);
  const auto xdp = nested_in<IFLA_XDP_MAX + 1>(all[IFLA_XDP]);
  const auto* const header = static_cast<const ifinfomsg*>(nlmsg_data(answer));
  DeviceState state{.name = text_of(all[IFLA_IFNAME]),
                    .kind = text_of(info[IFLA_INFO_KIND]),
                    .hardware = header->ifi_type,
                    .bus = text_of(all[IFLA_PARENT_DEV_BUS_NAME]),
                    .mtu = number_of(all[IFLA_MTU]),
                    .flags = header->ifi_flags,
                    .master = number_of(all[IFLA_MASTER]),
                    .lower = number_of(all[IFLA_LINK]),
                    .native_program = number_of(xdp[IFLA_XDP_DRV_PROG_ID]),
                    .generic_program = number_of(xdp[IFLA_XDP_SKB_PROG_ID])};
  if (all[IFLA_OPERSTATE] != nullptr) state.operational_state = nla_get_u8(all[IFLA_OPERSTATE]);
  if (xdp[IFLA_XDP_ATTACHED] != nullptr) state.xdp_attached = nla_get_u8(xdp[IFLA_XDP_ATTACHED]);
  if (all[IFLA_LINK_NETNSID] != nullptr) state.lower_namespace = nla_get_s32(all[IFLA_LINK_NETNSID]);
  if (rtnl_link_stats64 counted{}; all[IFLA_STATS64] != nullptr) {
    nla_memcpy(&counted, all[IFLA_STATS64], static_cast<int>(sizeof counted));
    state.sent = counted.tx_packets;
    state.sending_dropped = counted.tx_dropped;
    state.received = counted.rx_packets;
  }
  if (nlattr* const address = all[IFLA_ADDRESS]; address != nullptr) {
    nla_memcpy(state.address.data(), address, static_cast<int>(state.address.size()));
  }
  return state;
}

}  // namespace

Expected<DeviceState> device_state(std::uint32_t ifindex) {
  DeviceState state;
  auto answered = carry_out(
      Asked("get link", {{"ifindex", ifindex}}),
      [ifindex](nl_msg** message) {
        *message = link_message(RTM_GETLINK, ifindex);
        return *message == nullptr ? -NLE_NOMEM : 0;
      },
      [&state](nlmsghdr* answer) { state = read(answer); });
  if (!answered) return std::unexpected(std::move(answered).expected().error());
  return state;
}

}  // namespace devmap
