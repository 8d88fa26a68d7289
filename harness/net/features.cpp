#include <harness/net/features.hpp>

#include <harness/bpf/devmap.hpp>
#include <harness/bpf/program.hpp>
#include <harness/net/link.hpp>
#include <harness/net/netns.hpp>
#include <harness/net/redirect_trace.hpp>
#include <harness/net/xdp_link.hpp>

#include <linux/if_link.h>

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

}  // namespace

Feature veth() {
  return {.name = "veth pairs", .remedy = "load the module veth, or run it on a kernel with CONFIG_VETH", .probe = [] {
            return with_veth([](VethPair) { return Fact{Presence::present, "a pair can be made"}; });
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
            const auto possible = RedirectTrace::possible();
            if (!possible) return Fact{Presence::absent, possible.error().text()};
            return Fact{Presence::present, "a program for xdp_redirect_err loads"};
          }};
}

}  // namespace devmap::features
