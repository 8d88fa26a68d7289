#pragma once

#include <harness/doctor/finding.hpp>
#include <harness/doctor/situation.hpp>

#include <linux/if.h>
#include <linux/if_arp.h>

#include <algorithm>
#include <string>
#include <vector>

// Situations made by hand, for the tests of this room.
namespace devmap::doctor::testing_support {

inline constexpr std::uint64_t kAllFeatures = 0x7f;

inline Device veth(const std::string& name, std::uint32_t ifindex) {
  return {.ifindex = ifindex,
          .state = {.name = name,
                    .kind = "veth",
                    .hardware = ARPHRD_ETHER,
                    .mtu = 1500,
                    .flags = IFF_UP | IFF_LOWER_UP,
                    .lower = ifindex + 1},
          .features = XdpFeatures{.bits = kAllFeatures},
          .gro = true,
          .channels = Channels{.receive = 1, .transmit = 1, .most_receive = 1, .most_transmit = 1}};
}

/// Two veth pairs, all of whose ends poll: nothing stands in the way of anything.
///
///     sender (3) <====> eth1 (2)     veth0 (4) <====> veth1 (5)
inline Situation healthy() {
  return {.kernel = {.major = 6, .minor = 18},
          .in = {.device = veth("eth1", 2), .other = veth("sender", 3)},
          .out = {.device = veth("veth0", 4), .other = veth("veth1", 5)}};
}

inline Device& peer_of(Interface& interface) {
  return **interface.other;
}

/// OUT becomes a device of this kind that transmits nothing by XDP, without another end.
inline void make_incapable(Situation& s, const std::string& kind) {
  s.out.device.state.kind = kind;
  s.out.device.features = XdpFeatures{};
  s.out.other.reset();
}

/// A kernel that tells no feature bits.
inline void make_old(Situation& s, KernelVersion version) {
  s.kernel = version;
  for (auto* const interface : {&s.in, &s.out}) {
    interface->device.features = failure("get XDP features", ENOENT);
    if (interface->other && *interface->other) peer_of(*interface).features = failure("get XDP features", ENOENT);
  }
}

inline std::vector<std::string> names_of(const std::vector<Finding>& findings) {
  std::vector<std::string> names;
  names.reserve(findings.size());
  std::ranges::transform(findings, std::back_inserter(names), [](const Finding& f) { return std::string(f.name); });
  return names;
}

}  // namespace devmap::doctor::testing_support
