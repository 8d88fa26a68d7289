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

template <std::size_t Last>
std::array<nlattr*, Last + 1> attributes_of(nlmsghdr* answer) {
  std::array<nlattr*, Last + 1> all{};
  nlmsg_parse(answer, sizeof(genlmsghdr), all.data(), static_cast<int>(Last), nullptr);
  return all;
}

nlattr* first_in(nlattr* nest) {
  return static_cast<nlattr*>(nla_data(nest));
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

Reply<bool> offload(const Asked& asked, const char* kernel_name, std::uint32_t ifindex) {
  bool on = false;
  const auto read = [&on, kernel_name](nlmsghdr* answer) {
    const auto all = attributes_of<ETHTOOL_A_FEATURES_MAX>(answer);
    nlattr* const active = all.at(ETHTOOL_A_FEATURES_ACTIVE);
    nlattr* const bits =
        active == nullptr ? nullptr : nla_find(first_in(active), nla_len(active), ETHTOOL_A_BITSET_BITS);
    if (bits == nullptr) return;
    // Without a mask the list is that of the bits that are set (net/ethtool/bitset.c:ethnl_put_bitset32).
    int left = nla_len(bits);
    for (nlattr* bit = first_in(bits); nla_ok(bit, left) != 0; bit = nla_next(bit, &left)) {
      nlattr* const name = nla_find(first_in(bit), nla_len(bit), ETHTOOL_A_BITSET_BIT_NAME);
      if (name != nullptr && nla_strcmp(name, kernel_name) == 0) on = true;
    }
  };
  const auto asked_for = request_generic(
      asked, {.family = ETHTOOL_GENL_NAME,
              .command = ETHTOOL_MSG_FEATURES_GET,
              .fill = [ifindex](nl_msg* message) { put_header(message, ETHTOOL_A_FEATURES_HEADER, ifindex); },
              .on_answer = read});
  if (!asked_for) return Reply<bool>::refused(asked, asked_for.error(), asked_for.explanation());
  return Reply<bool>::granted(asked, on);
}

}  // namespace

Reply<> set_gro(std::uint32_t ifindex, bool on) {
  return switch_features({on ? "switch GRO on" : "switch GRO off", {{"ifindex", ifindex}}}, ifindex, kGro, on);
}

Reply<bool> gro(std::uint32_t ifindex) {
  return offload(Asked("get GRO", {{"ifindex", ifindex}}), kGro.front(), ifindex);
}

Reply<> set_tcp_segmentation(std::uint32_t ifindex, bool on) {
  return switch_features({on ? "switch TSO on" : "switch TSO off", {{"ifindex", ifindex}}}, ifindex, kSegmentation, on);
}

Reply<bool> tcp_segmentation(std::uint32_t ifindex) {
  return offload(Asked("get TSO", {{"ifindex", ifindex}}), kSegmentation.front(), ifindex);
}

Reply<Channels> channels(std::uint32_t ifindex) {
  const Asked asked("get channels", {{"ifindex", ifindex}});
  Channels found;
  const auto read = [&found](nlmsghdr* answer) {
    const auto all = attributes_of<ETHTOOL_A_CHANNELS_MAX>(answer);
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
