#include <harness/net/features.hpp>

#include <harness/bpf/devmap.hpp>
#include <harness/bpf/program.hpp>
#include <harness/net/devices.hpp>
#include <harness/net/ethtool.hpp>
#include <harness/net/link.hpp>
#include <harness/net/link_request.hpp>
#include <harness/net/netns.hpp>
#include <harness/net/redirect_trace.hpp>
#include <harness/net/xdp_features.hpp>
#include <harness/net/xdp_link.hpp>

#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <netlink/attr.h>
#include <sys/ioctl.h>

#include <fmt/format.h>
#include <cerrno>

namespace devmap::features {
namespace {

/// A fact that needs a veth pair, found out in a namespace of its own so that no device is left in the caller's.
Fact with_veth(const std::function<Fact(VethPair)>& look) {
  Fact fact;
  const auto apart = NetNs::create();
  if (!apart) return {Presence::could_not_tell, apart.error().text()};
  const auto entered = apart->run([&] {
    const auto pair = create_veth({.up = false});
    fact = pair ? look(*pair) : Fact{Presence::absent, pair.error().text()};
  });
  return entered ? fact : Fact{Presence::could_not_tell, entered.error().text()};
}

Fact attach_over_wide_values() {
  const auto map = DevMap::create({.value_size = 8});
  if (!map) return {Presence::could_not_tell, "no map with 8-byte values: " + errno_name(map.error())};
  const auto instructions = Assembler().redirect_map(map.value(), 0, XDP_PASS).exit().build();
  if (!instructions) return {Presence::could_not_tell, instructions.error().text()};
  const auto program = Program::load({}, *instructions);
  if (!program) return {Presence::could_not_tell, "the program is refused with " + errno_name(program.error())};
  const auto link = XdpLink::create(program.value(), {.ifindex = kLoopback, .flags = XDP_FLAGS_SKB_MODE});
  if (!link) return {Presence::absent, "attaching such a program is refused with " + errno_name(link.error())};
  return {Presence::present, "such a program can be attached"};
}

/// Whether the kernel knows a kind of device. Asks for one with more queues than the kernel gives any, so that none is
/// made: an unknown kind is refused first, with EOPNOTSUPP (net/core/rtnetlink.c:rtnl_newlink, rtnl_create_link).
Fact kind_known(const char* kind) {
  constexpr std::uint32_t kTooManyQueues = 5000;
  const auto refused = carry_out(Asked("create device", {}).about(kind), [kind](nl_msg** message) {
    *message = link_message(RTM_NEWLINK, 0, NLM_F_CREATE | NLM_F_EXCL);
    if (*message == nullptr) return -NLE_NOMEM;
    nla_put_u32(*message, IFLA_NUM_TX_QUEUES, kTooManyQueues);
    nlattr* const info = nla_nest_start(*message, IFLA_LINKINFO);
    nla_put_string(*message, IFLA_INFO_KIND, kind);
    return nla_nest_end(*message, info);
  });
  switch (refused.error()) {
    case EINVAL:
      return {Presence::present, fmt::format("the kernel knows devices of the kind {}", kind)};
    case EOPNOTSUPP:
      return {Presence::absent, fmt::format("the kernel does not know devices of the kind {}", kind)};
    default:
      return {Presence::could_not_tell, fmt::format("asking for a device of the kind {} comes to {}", kind,
                                                    refused ? "success" : errno_name(refused.error()))};
  }
}

/// In a namespace of its own, so that no bond is left in the caller's.
Fact bond_takes_programs() {
  Fact fact;
  const auto apart = NetNs::create();
  if (!apart) return {Presence::could_not_tell, apart.error().text()};
  const auto entered = apart->run([&] {
    const auto bond = create_bond({.name = "bond7", .up = false});
    if (!bond) {
      fact = {bond.error().code == EOPNOTSUPP ? Presence::absent : Presence::could_not_tell, bond.error().text()};
      return;
    }
    const auto instructions = Assembler().return_value(XDP_PASS).build();
    const auto program =
        instructions ? Program::load({}, *instructions).expected() : std::unexpected(instructions.error());
    if (!program) {
      fact = {Presence::could_not_tell, program.error().text()};
      return;
    }
    const auto link = XdpLink::create(*program, {.ifindex = *bond, .flags = XDP_FLAGS_DRV_MODE});
    fact = link ? Fact{Presence::present, "a program can be attached to a bond in native mode"}
                : Fact{link.error() == EOPNOTSUPP ? Presence::absent : Presence::could_not_tell,
                       "attaching a program to a bond in native mode is refused with " + errno_name(link.error())};
  });
  return entered ? fact : Fact{Presence::could_not_tell, entered.error().text()};
}

Feature device_kind(const char* kind, const char* module) {
  return {.name = fmt::format("devices of the kind {}", kind),
          .remedy = fmt::format("load the module {}, or run it on a kernel that has it built in", module),
          .probe = [kind] { return kind_known(kind); }};
}

Fact tun_opens() {
  constexpr const char* kNode = "/dev/net/tun";
  const UniqueFd opened(open(kNode, O_RDWR | O_CLOEXEC));
  unsigned layers = 0;
  if (opened && ioctl(opened.get(), TUNGETFEATURES, &layers) == 0) {
    return {Presence::present, "/dev/net/tun gives descriptors"};
  }
  const int code = errno;
  const bool absent = code == ENOENT || code == ENODEV || code == ENXIO;
  return {absent ? Presence::absent : Presence::could_not_tell, "/dev/net/tun: " + errno_name(code)};
}

}  // namespace

Feature veth() {
  return {.name = "veth pairs", .remedy = "load the module veth, or run it on a kernel with CONFIG_VETH", .probe = [] {
            return with_veth([](VethPair) { return Fact{Presence::present, "a pair can be made"}; });
          }};
}

Feature dummy() {
  return device_kind("dummy", "dummy");
}
Feature ifb() {
  return device_kind("ifb", "ifb");
}
Feature bridge() {
  return device_kind("bridge", "bridge");
}
Feature macvlan() {
  return device_kind("macvlan", "macvlan");
}
Feature vlan() {
  return device_kind("vlan", "8021q");
}
Feature vxlan() {
  return device_kind("vxlan", "vxlan");
}
Feature bond() {
  return device_kind("bond", "bonding");
}
Feature native_bond() {
  return {.name = "native XDP on bonds",
          .remedy = "load the module bonding, on Linux 5.15 or later",
          .probe = bond_takes_programs};
}

Feature tun() {
  return {.name = "tun and tap devices",
          .remedy = "load the module tun, or run it on a kernel with CONFIG_TUN, where /dev/net/tun exists",
          .probe = tun_opens};
}

Feature xdp_feature_bits() {
  return {.name = "XDP features told by netlink", .remedy = "run it on Linux 6.3 or later", .probe = [] {
            const auto told = xdp_features(kLoopback);
            if (told) return Fact{Presence::present, "the family netdev of generic netlink tells those of lo"};
            return Fact{told.error() == ENOENT ? Presence::absent : Presence::could_not_tell,
                        fmt::format("asking for those of lo is refused with {}", errno_name(told.error()))};
          }};
}

Feature gro_switch() {
  return {.name = "a switch for GRO", .remedy = "run it on a kernel with CONFIG_ETHTOOL_NETLINK", .probe = [] {
            const auto set = set_gro(kLoopback, true);
            if (set) return Fact{Presence::present, "ethtool netlink switches GRO of lo on"};
            return Fact{set.error() == ENOENT ? Presence::absent : Presence::could_not_tell,
                        fmt::format("switching GRO of lo on is refused with {}", errno_name(set.error()))};
          }};
}

Feature device_bound_programs() {
  return {.name = "programs bound to a device", .remedy = "run it on Linux 6.3 or later", .probe = [] {
            return with_veth([](VethPair pair) {
              const auto instructions = Assembler().return_value(XDP_PASS).build();
              if (!instructions) return Fact{Presence::could_not_tell, instructions.error().text()};
              const auto loaded = Program::load({.flags = kXdpDevBoundOnly, .ifindex = pair.first}, *instructions);
              if (loaded) return Fact{Presence::present, "a program bound to a veth device loads"};
              return Fact{Presence::absent,
                          "a program bound to a veth device is refused with " + errno_name(loaded.error())};
            });
          }};
}

Feature wide_values_in_skb_mode() {
  return {
      .name = "SKB-mode programs over maps with 8-byte values", .remedy = "run it on Linux 5.15 or later", .probe = [] {
        Fact fact;
        const auto apart = NetNs::create();
        if (!apart) return Fact{Presence::could_not_tell, apart.error().text()};
        const auto entered = apart->run([&fact] { fact = attach_over_wide_values(); });
        return entered ? fact : Fact{Presence::could_not_tell, entered.error().text()};
      }};
}

Feature redirect_trace() {
  return {.name = "BPF programs at the xdp tracepoints",
          .remedy = "run it on a kernel of 5.8 or later with CONFIG_BPF_EVENTS and CONFIG_FTRACE",
          .probe = [] {
            const auto possible = RedirectListener::possible();
            if (!possible) return Fact{Presence::absent, possible.error().text()};
            return Fact{Presence::present, "a program for xdp_redirect_err loads"};
          }};
}

}  // namespace devmap::features
