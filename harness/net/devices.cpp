#include <harness/net/devices.hpp>

#include <linux/if_link.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <netlink/route/link/macvlan.h>
#include <netlink/route/link/vlan.h>
#include <netlink/route/link/vxlan.h>

#include <harness/net/link.hpp>
#include <harness/net/link_request.hpp>

namespace devmap {
namespace {

constexpr std::uint32_t kVxlanPort = 4789;

/// Makes a device with the request that `build(message*)` builds.
template <class Build>
Expected<std::uint32_t> create(const char* kind, const DeviceSpec& spec, Build build) {
  if (spec.up) {
    if (auto silenced = silence_ipv6(); !silenced) return std::unexpected(silenced.error());
  }
  auto created = carry_out(Asked("create device", {{"ifindex", spec.ifindex}}).about(kind), build);
  if (!created) return std::unexpected(std::move(created).expected().error());
  const auto ifindex = if_nametoindex(spec.name.c_str());
  if (ifindex == 0) return last_error("if_nametoindex", spec.name);
  if (spec.up) {
    if (auto opened = set_up(ifindex); !opened) return std::unexpected(opened.error());
  }
  return ifindex;
}

/// Makes the device that a libnl object describes, once it has what every device has.
Expected<std::uint32_t> create(const char* kind, const DeviceSpec& spec, const LinkObject& link) {
  if (!link) return failure("rtnl_link_alloc", ENOMEM, kind);
  rtnl_link_set_name(link.get(), spec.name.c_str());
  if (spec.ifindex != 0) rtnl_link_set_ifindex(link.get(), static_cast<int>(spec.ifindex));
  return create(kind, spec, [&link](nl_msg** message) {
    return rtnl_link_build_add_request(link.get(), NLM_F_CREATE | NLM_F_EXCL, message);
  });
}

/// A device of a kind that takes no options.
Expected<std::uint32_t> create_plain(const char* kind, const DeviceSpec& spec) {
  const LinkObject link(rtnl_link_alloc());
  if (link) rtnl_link_set_type(link.get(), kind);
  return create(kind, spec, link);
}

}  // namespace

Expected<std::uint32_t> create_dummy(const DeviceSpec& spec) {
  return create_plain("dummy", spec);
}

Expected<std::uint32_t> create_ifb(const DeviceSpec& spec) {
  return create_plain("ifb", spec);
}

Expected<std::uint32_t> create_bridge(const DeviceSpec& spec) {
  return create_plain("bridge", spec);
}

Expected<std::uint32_t> create_macvlan(std::uint32_t lower, const DeviceSpec& spec) {
  const LinkObject link(rtnl_link_macvlan_alloc());
  if (link) {
    rtnl_link_set_link(link.get(), static_cast<int>(lower));
    rtnl_link_macvlan_set_mode(link.get(), MACVLAN_MODE_BRIDGE);
  }
  return create("macvlan", spec, link);
}

Expected<std::uint32_t> create_vlan(std::uint32_t lower, std::uint16_t tag, const DeviceSpec& spec) {
  const LinkObject link(rtnl_link_vlan_alloc());
  if (link) {
    rtnl_link_set_link(link.get(), static_cast<int>(lower));
    rtnl_link_vlan_set_id(link.get(), tag);
  }
  return create("vlan", spec, link);
}

Expected<std::uint32_t> create_vxlan(std::uint32_t network, const DeviceSpec& spec) {
  const LinkObject link(rtnl_link_vxlan_alloc());
  if (link) {
    rtnl_link_vxlan_set_id(link.get(), network);
    rtnl_link_vxlan_set_port(link.get(), kVxlanPort);
  }
  return create("vxlan", spec, link);
}

Expected<std::uint32_t> create_bond(const DeviceSpec& spec, std::uint8_t mode) {
  // By hand: libnl 3.7 cannot say the mode.
  return create("bond", spec, [&](nl_msg** message) {
    *message = link_message(RTM_NEWLINK, spec.ifindex, NLM_F_CREATE | NLM_F_EXCL);
    if (*message == nullptr) return -NLE_NOMEM;
    nla_put_string(*message, IFLA_IFNAME, spec.name.c_str());
    nlattr* const info = nla_nest_start(*message, IFLA_LINKINFO);
    nla_put_string(*message, IFLA_INFO_KIND, "bond");
    nlattr* const data = nla_nest_start(*message, IFLA_INFO_DATA);
    nla_put_u8(*message, IFLA_BOND_MODE, mode);
    nla_nest_end(*message, data);
    return nla_nest_end(*message, info);
  });
}

}  // namespace devmap
