#include <harness/net/link.hpp>

#include <fcntl.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <netlink/msg.h>
#include <netlink/route/link.h>
#include <netlink/route/link/veth.h>
#include <unistd.h>

#include <cerrno>
#include <harness/base/file.hpp>
#include <harness/base/unique_fd.hpp>
#include <harness/net/netlink.hpp>
#include <memory>

namespace devmap {
namespace {

struct PutLink {
  void operator()(rtnl_link* link) const noexcept { rtnl_link_put(link); }
};
using LinkObject = std::unique_ptr<rtnl_link, PutLink>;

/// Builds a request with `build(message*)` and has the kernel carry it out.
template <class Build>
Reply<> carry_out(const Asked& asked, Build build) {
  auto socket = NetlinkSocket::open(NETLINK_ROUTE);
  if (!socket) return Reply<>::refused(asked, socket.error().code, socket.error().text());
  nl_msg* raw = nullptr;
  if (const int code = build(&raw); code < 0) return Reply<>::refused(asked, EINVAL, nl_geterror(code));
  const NetlinkMessage message(raw);
  return socket->request(asked, message.get());
}

/// Changes one property of a device that exists.
template <class Change>
Expected<void> change(const Asked& asked, std::uint32_t ifindex, Change apply) {
  const LinkObject which(rtnl_link_alloc());
  const LinkObject changes(rtnl_link_alloc());
  if (!which || !changes) return failure("rtnl_link_alloc", ENOMEM);
  rtnl_link_set_ifindex(which.get(), static_cast<int>(ifindex));
  apply(changes.get());
  return carry_out(
             asked,
             [&](nl_msg** message) { return rtnl_link_build_change_request(which.get(), changes.get(), 0, message); })
      .expected();
}

Expected<std::uint32_t> index_of(const std::string& name) {
  const unsigned index = if_nametoindex(name.c_str());
  if (index == 0) return last_error("if_nametoindex", name);
  return index;
}

}  // namespace

std::uint32_t distinct_ifindex(std::uint32_t nth) {
  // Process ids are below 2^22 (include/linux/threads.h:PID_MAX_LIMIT), device numbers below 2^31.
  constexpr std::uint32_t kEach = 100;
  return static_cast<std::uint32_t>(getpid()) * kEach + nth;
}

Expected<VethPair> create_veth(const VethSpec& spec) {
  if (spec.up) {
    if (auto silenced = silence_ipv6(); !silenced) return std::unexpected(silenced.error());
  }
  const LinkObject first(rtnl_link_veth_alloc());
  if (!first) return failure("rtnl_link_veth_alloc", ENOMEM);
  const LinkObject second(rtnl_link_veth_get_peer(first.get()));
  const auto describe = [&spec](rtnl_link* link, const std::string& name, std::uint32_t index) {
    rtnl_link_set_name(link, name.c_str());
    if (index != 0) rtnl_link_set_ifindex(link, static_cast<int>(index));
    if (spec.queues != 0) {
      rtnl_link_set_num_tx_queues(link, spec.queues);
      rtnl_link_set_num_rx_queues(link, spec.queues);
    }
  };
  describe(first.get(), spec.first_name, spec.first_index);
  describe(second.get(), spec.second_name, spec.second_index);
  auto created = carry_out(Asked("create veth", {}), [&](nl_msg** message) {
    return rtnl_link_build_add_request(first.get(), NLM_F_CREATE | NLM_F_EXCL, message);
  });
  if (!created) return std::unexpected(std::move(created).expected().error());
  const auto first_index = index_of(spec.first_name);
  if (!first_index) return std::unexpected(first_index.error());
  const auto second_index = index_of(spec.second_name);
  if (!second_index) return std::unexpected(second_index.error());
  // Not at creation: there the second is opened before it has its peer, and refused for that (veth.c:veth_open).
  for (const auto ifindex : {*first_index, *second_index}) {
    if (!spec.up) break;
    if (auto opened = set_up(ifindex); !opened) return std::unexpected(opened.error());
  }
  return VethPair{.first = *first_index, .second = *second_index};
}

Expected<void> set_up(std::uint32_t ifindex, bool up) {
  return change(Asked(up ? "set up" : "set down", {{"ifindex", ifindex}}), ifindex, [up](rtnl_link* link) {
    if (up) {
      rtnl_link_set_flags(link, IFF_UP);
    } else {
      rtnl_link_unset_flags(link, IFF_UP);
    }
  });
}

Expected<void> set_mtu(std::uint32_t ifindex, std::uint32_t mtu) {
  return change(Asked("set MTU", {{"ifindex", ifindex}, {"mtu", mtu}}), ifindex,
                [mtu](rtnl_link* link) { rtnl_link_set_mtu(link, mtu); });
}

Expected<void> delete_link(std::uint32_t ifindex) {
  const LinkObject link(rtnl_link_alloc());
  if (!link) return failure("rtnl_link_alloc", ENOMEM);
  rtnl_link_set_ifindex(link.get(), static_cast<int>(ifindex));
  return carry_out(Asked("delete link", {{"ifindex", ifindex}}),
                   [&](nl_msg** message) { return rtnl_link_build_delete_request(link.get(), message); })
      .expected();
}

Expected<void> silence_ipv6() {
  for (const char* which : {"all", "default"}) {
    const auto file = std::string("/proc/sys/net/ipv6/conf/") + which + "/disable_ipv6";
    const UniqueFd opened(open(file.c_str(), O_WRONLY | O_CLOEXEC));
    if (!opened && errno == ENOENT) return {};
    if (!opened) return last_error("open", file);
    if (auto written = write_all(opened.get(), "1"); !written) return written;
  }
  return {};
}

Reply<> set_xdp(std::uint32_t ifindex, int program_fd, std::uint32_t xdp_flags) {
  const Asked asked("set XDP program",
                    {{"ifindex", ifindex},
                     {"program fd", static_cast<std::uint64_t>(program_fd), Notation::signed_decimal},
                     {"flags", xdp_flags, Notation::xdp_flags}});
  return carry_out(asked, [&](nl_msg** message) {
    *message = nlmsg_alloc_simple(RTM_SETLINK, 0);
    if (*message == nullptr) return -NLE_NOMEM;
    ifinfomsg header{};
    header.ifi_index = static_cast<int>(ifindex);
    nlmsg_append(*message, &header, sizeof header, NLMSG_ALIGNTO);
    nlattr* nested = nla_nest_start(*message, IFLA_XDP | NLA_F_NESTED);
    nla_put_s32(*message, IFLA_XDP_FD, program_fd);
    nla_put_u32(*message, IFLA_XDP_FLAGS, xdp_flags);
    return nla_nest_end(*message, nested);
  });
}

}  // namespace devmap
