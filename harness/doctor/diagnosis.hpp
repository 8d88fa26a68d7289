#pragma once

#include <harness/doctor/finding.hpp>

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <vector>

// What the parts of a diagnosis share.
namespace devmap::doctor {

using Findings = std::vector<Finding>;

/// What of the receiving device stands in the way, and what of the target.
void diagnose_receiver(const Situation& situation, Mode mode, Findings& findings);
void diagnose_target(const Situation& situation, Mode mode, Findings& findings);
/// Whether the target's driver takes frames from XDP; a matter of native mode alone.
void diagnose_ability(const Situation& situation, Findings& findings);
/// What stands in the way of long frames.
void diagnose_size(const Situation& situation, Mode mode, Findings& findings);

inline constexpr KernelVersion kGroSuffices{.major = 5, .minor = 13};
inline constexpr KernelVersion kWideValuesInGenericMode{.major = 5, .minor = 15};
inline constexpr KernelVersion kBondsTransmit{.major = 5, .minor = 15};
inline constexpr KernelVersion kFragments{.major = 5, .minor = 18};

[[nodiscard]] bool is_up(const Device& device);
/// Whether its link is up: of a veth device, its peer; of a tap device, that somebody has it open.
[[nodiscard]] bool has_carrier(const Device& device);
[[nodiscard]] bool is_veth(const Device& device);
[[nodiscard]] bool is_tun(const Device& device);
[[nodiscard]] bool is_loopback(const Device& device);
/// A device of the caller's or of the same namespace, twice.
[[nodiscard]] bool same(const Device& one, const Device& other);

/// The other device, where there is one and it could be looked at.
[[nodiscard]] const Device* other_of(const Interface& interface);
/// Why the other device could not be looked at; empty where it could be, or where there is none.
[[nodiscard]] std::string other_unknown(const Interface& interface);
/// The other device's name, as far as it is known.
[[nodiscard]] std::string other_title(const Interface& interface);

/// Whether a veth device has fewer receive queues than its peer has transmit queues: it then takes no native program,
/// and has no XDP features at all (drivers/net/veth.c:veth_xdp_set, veth_set_xdp_features).
[[nodiscard]] bool has_fewer_queues(const Interface& veth);
/// "eth1 has fewer receive queues (1) than its peer, sender, transmit queues (4)"
[[nodiscard]] std::string too_few_queues(const Interface& veth);
[[nodiscard]] std::string remedy_for_few_queues(const Interface& veth);

/// A command that is to run where the device is: "ip netns exec blue ip link set veth1 up".
[[nodiscard]] std::string on(const Device& device, const std::string& command);

}  // namespace devmap::doctor
