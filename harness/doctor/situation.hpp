#pragma once

#include <harness/base/error.hpp>
#include <harness/base/kernel_version.hpp>
#include <harness/net/device_state.hpp>
#include <harness/net/ethtool.hpp>
#include <harness/net/known_namespaces.hpp>
#include <harness/net/xdp_features.hpp>

#include <cstdint>
#include <optional>
#include <string>

// Two devices between which frames are to be redirected, as far as it matters. Nothing is changed to learn it, and but
// for other namespaces it needs no privilege.
namespace devmap::doctor {

/// What is known of a device. What could not be learned says why.
struct Device {
  std::uint32_t ifindex = 0;
  DeviceState state = {};
  /// ENOENT where the kernel tells of no device's (before Linux 6.3).
  Expected<XdpFeatures> features = XdpFeatures{};
  /// Generic receive offload.
  Expected<bool> gro = false;
  /// Whether TCP leaves it to this device to cut what it sends into segments.
  Expected<bool> tcp_segmentation = false;
  /// EOPNOTSUPP where the device has one queue, or its driver does not tell.
  Expected<Channels> channels = Channels{};
  /// The namespace it is in; absent where that is the caller's.
  std::optional<KnownNamespace> elsewhere = {};
};

struct Interface {
  Device device = {};
  /// The device it was made with or on: of a veth device its peer, of a macvlan or vlan device the one below. Absent
  /// where there is none.
  std::optional<Expected<Device>> other = {};
};

struct Situation {
  KernelVersion kernel = {};
  /// Bytes of a page of memory: what a frame has to fit into, with headroom and the kernel's own data.
  std::uint32_t page_size = 4096;
  Interface in = {};
  Interface out = {};
  /// The person said in which namespace OUT is, and so enters it into the map from there.
  bool out_entered_there = false;
  /// How many bytes the frames have, from the Ethernet header on. Absent: any number that IN receives.
  std::optional<std::uint32_t> size = {};
};

/// A name, or an ifindex, that stands for a device.
struct Named {
  std::uint32_t ifindex = 0;
  std::optional<KnownNamespace> elsewhere = {};
};

/// The device of the calling thread's namespace with this name, or where none has it with this ifindex. Fails with
/// ENODEV, naming others that are similar.
[[nodiscard]] Expected<Named> device_named(const std::string& text);

/// The namespace among other_namespaces() that has a device of this name.
[[nodiscard]] std::optional<Named> device_named_elsewhere(const std::string& name);

/// The same in a namespace.
[[nodiscard]] Expected<Named> device_named_in(const KnownNamespace& where, const std::string& text);

/// What there is to know of both.
[[nodiscard]] Expected<Situation> examine(const Named& in, const Named& out);

}  // namespace devmap::doctor
