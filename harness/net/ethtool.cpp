#include <harness/net/ethtool.hpp>

#include <linux/ethtool_netlink.h>
#include <linux/genetlink.h>
#include <netlink/msg.h>

#include <array>
#include <harness/net/generic_netlink.hpp>
#include <span>

namespace devmap {
namespace {

// The kernel's names of NETIF_F_GRO and of what NETIF_F_ALL_TSO consists of (net/ethtool/common.c).
constexpr std::array kGro = {"rx-gro"};
constexpr std::array kSegmentation = {"tx-tcp-segmentation", "tx-tcp-ecn-segmentation", "tx-tcp-mangleid-segmentation",
                                      "tx-tcp6-segmentation"};

/// Every request's header; the attribute that holds it is 1 in each. The answer to a change is of no interest.
void put_header(nl_msg* message, int attribute, std::uint32_t ifindex) {
  nlattr* const header = nla_nest_start(message, attribute);
  nla_put_u32(message, ETHTOOL_A_HEADER_DEV_INDEX, ifindex);
  nla_put_u32(message, ETHTOOL_A_HEADER_FLAGS, ETHTOOL_FLAG_OMIT_REPLY);
  nla_nest_end(message, header);
}

Reply<> switch_features(const Asked& asked, std::uint32_t ifindex, std::span<const char* const> names, bool on) {
  return request_generic(
      asked, {.family = ETHTOOL_GENL_NAME, .command = ETHTOOL_MSG_FEATURES_SET, .fill = [&](nl_msg* message) {
                put_header(message, ETHTOOL_A_FEATURES_HEADER, ifindex);
                nlattr* const wanted = nla_nest_start(message, ETHTOOL_A_FEATURES_WANTED);
                nlattr* const bits = nla_nest_start(message, ETHTOOL_A_BITSET_BITS);
                for (const char* const name : names) {
                  nlattr* const bit = nla_nest_start(message, ETHTOOL_A_BITSET_BITS_BIT);
                  nla_put_string(message, ETHTOOL_A_BITSET_BIT_NAME, name);
                  if (on) nla_put_flag(message, ETHTOOL_A_BITSET_BIT_VALUE);
                  nla_nest_end(message, bit);
                }
                nla_nest_end(message, bits);
                nla_nest_end(message, wanted);
              }});
}

}  // namespace

Reply<> set_gro(std::uint32_t ifindex, bool on) {
  return switch_features({on ? "switch GRO on" : "switch GRO off", {{"ifindex", ifindex}}}, ifindex, kGro, on);
}

Reply<> set_segmentation(std::uint32_t ifindex, bool on) {
  return switch_features({on ? "switch segmentation on" : "switch segmentation off", {{"ifindex", ifindex}}}, ifindex,
                         kSegmentation, on);
}

Reply<Channels> channels(std::uint32_t ifindex) {
  const Asked asked("get channels", {{"ifindex", ifindex}});
  Channels found;
  const auto read = [&found](nlmsghdr* answer) {
    std::array<nlattr*, ETHTOOL_A_CHANNELS_MAX + 1> all{};
    nlmsg_parse(answer, sizeof(genlmsghdr), all.data(), ETHTOOL_A_CHANNELS_MAX, nullptr);
    const auto count = [&all](std::size_t attribute) {
      return all.at(attribute) == nullptr ? 0 : nla_get_u32(all.at(attribute));
    };
    found = {.receive = count(ETHTOOL_A_CHANNELS_RX_COUNT),
             .transmit = count(ETHTOOL_A_CHANNELS_TX_COUNT),
             .most_receive = count(ETHTOOL_A_CHANNELS_RX_MAX),
             .most_transmit = count(ETHTOOL_A_CHANNELS_TX_MAX)};
  };
  const auto asked_for = request_generic(
      asked, {.family = ETHTOOL_GENL_NAME,
              .command = ETHTOOL_MSG_CHANNELS_GET,
              .fill = [ifindex](nl_msg* message) { put_header(message, ETHTOOL_A_CHANNELS_HEADER, ifindex); },
              .on_answer = read});
  if (!asked_for) return Reply<Channels>::refused(asked, asked_for.error(), asked_for.explanation());
  return Reply<Channels>::granted(asked, found);
}

Reply<> set_channels(std::uint32_t ifindex, std::uint32_t receive, std::uint32_t transmit) {
  const Asked asked("set channels", {{"ifindex", ifindex}, {"receive", receive}, {"transmit", transmit}});
  return request_generic(
      asked, {.family = ETHTOOL_GENL_NAME, .command = ETHTOOL_MSG_CHANNELS_SET, .fill = [&](nl_msg* message) {
                put_header(message, ETHTOOL_A_CHANNELS_HEADER, ifindex);
                nla_put_u32(message, ETHTOOL_A_CHANNELS_RX_COUNT, receive);
                nla_put_u32(message, ETHTOOL_A_CHANNELS_TX_COUNT, transmit);
              }});
}

}  // namespace devmap
