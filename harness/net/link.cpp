#include <harness/net/link.hpp>

#include <fcntl.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <netlink/addr.h>
#include <netlink/route/link/veth.h>
#include <unistd.h>

#include <cerrno>
#include <harness/base/file.hpp>
#include <harness/base/unique_fd.hpp>
#include <harness/net/link_request.hpp>

namespace devmap {
namespace {

Expected<std::uint32_t> index_of(const std::string& name) {
  const unsigned index = if_nametoindex(name.c_str());
  if (index == 0) return last_error("if_nametoindex", name);
  return index;
}

}  // namespace

nl_msg* link_message(int type, std::uint32_t ifindex, int flags) {
  nl_msg* message = nlmsg_alloc_simple(type, flags);
  ifinfomsg header{};
  header.ifi_index = static_cast<int>(ifindex);
  if (message != nullptr) nlmsg_append(message, &header, sizeof header, NLMSG_ALIGNTO);
  return message;
}

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
  return change_link(Asked(up ? "set up" : "set down", {{"ifindex", ifindex}}), ifindex,
                     [up](rtnl_link* link) {
                       if (up) {
                         rtnl_link_set_flags(link, IFF_UP);
                       } else {
                         rtnl_link_unset_flags(link, IFF_UP);
                       }
                     })
      .expected();
}

Expected<void> set_mtu(std::uint32_t ifindex, std::uint32_t mtu) {
  return change_link(Asked("set MTU", {{"ifindex", ifindex}, {"mtu", mtu}}), ifindex,
                     [mtu](rtnl_link* link) { rtnl_link_set_mtu(link, mtu); })
      .expected();
}

Expected<void> rename_link(std::uint32_t ifindex, const std::string& name) {
  const auto asked = Asked("rename", {{"ifindex", ifindex}}).about(name);
  return change_link(asked, ifindex, [&name](rtnl_link* link) { rtnl_link_set_name(link, name.c_str()); }).expected();
}

Expected<void> set_address(std::uint32_t ifindex, const MacAddress& address) {
  auto bytes = address;
  const std::unique_ptr<nl_addr, void (*)(nl_addr*)> value(nl_addr_build(AF_LLC, bytes.data(), bytes.size()),
                                                           nl_addr_put);
  if (!value) return failure("nl_addr_build", ENOMEM);
  return change_link(Asked("set MAC address", {{"ifindex", ifindex}}), ifindex,
                     [&value](rtnl_link* link) { rtnl_link_set_addr(link, value.get()); })
      .expected();
}

Reply<> set_master(std::uint32_t ifindex, std::uint32_t master) {
  return change_link(Asked("set master", {{"ifindex", ifindex}, {"master", master}}), ifindex,
                     [master](rtnl_link* link) { rtnl_link_set_master(link, static_cast<int>(master)); });
}

Expected<void> move_to(std::uint32_t ifindex, const NetNs& destination) {
  return change_link(Asked("move to another namespace", {{"ifindex", ifindex}}), ifindex,
                     [&destination](rtnl_link* link) { rtnl_link_set_ns_fd(link, destination.fd()); })
      .expected();
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
  const std::string file = "/proc/sys/net/ipv6/conf/default/disable_ipv6";
  // Writing spins while anybody changes the network configuration of the machine (restart_syscall), reading does not.
  const auto now = read_file(file);
  if (!now) return now.error().code == ENOENT ? Expected<void>() : std::unexpected(now.error());
  if (now->starts_with('1')) return {};
  const UniqueFd opened(open(file.c_str(), O_WRONLY | O_CLOEXEC));
  if (!opened) return last_error("open", file);
  return write_all(opened.get(), "1");
}

Reply<> set_xdp(std::uint32_t ifindex, int program_fd, std::uint32_t xdp_flags) {
  const Asked asked("set XDP program",
                    {{"ifindex", ifindex},
                     {"program fd", static_cast<std::uint64_t>(program_fd), Notation::signed_decimal},
                     {"flags", xdp_flags, Notation::xdp_flags}});
  return carry_out(asked, [&](nl_msg** message) {
    *message = link_message(RTM_SETLINK, ifindex);
    if (*message == nullptr) return -NLE_NOMEM;
    nlattr* nested = nla_nest_start(*message, IFLA_XDP | NLA_F_NESTED);
    nla_put_s32(*message, IFLA_XDP_FD, program_fd);
    nla_put_u32(*message, IFLA_XDP_FLAGS, xdp_flags);
    return nla_nest_end(*message, nested);
  });
}

}  // namespace devmap
