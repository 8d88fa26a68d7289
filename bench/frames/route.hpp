#pragma once

#include <bench/frames/sinks.hpp>
#include <harness/bpf/devmap.hpp>
#include <harness/bpf/program.hpp>
#include <harness/net/frame.hpp>

#include <cstdint>
#include <optional>

namespace devmap::bench {

/// What the program of an element does with a frame.
enum class Egress : std::uint8_t { none, pass, rewrite, drop };

/// Which way a frame takes.
struct RouteSpec {
  enum class Way : std::uint8_t {
    drop,      ///< nowhere: what it costs to make a frame and to give it back
    redirect,  ///< to one device by its ifindex
    map,       ///< to what the map has under a key
    miss,      ///< nowhere, for want of an element: the program drops it
    broadcast  ///< to all devices of the map
  };
  Way way = Way::map;
  DevMapType type = DevMapType::devmap;
  /// Devices in the map; each has a sink.
  std::uint32_t devices = 1;
  /// max_entries of the map; 0 for as many as devices. Empty slots lie between the devices.
  std::uint32_t slots = 0;
  bool exclude_ingress = false;
  /// What becomes of a frame for which there is no element: the lower bits of the helper's flags.
  xdp_action on_miss = XDP_ABORTED;
  Egress egress = Egress::none;

  [[nodiscard]] std::uint32_t max_entries() const { return slots == 0 ? devices : slots; }
  /// Distance of the keys of two devices.
  [[nodiscard]] std::uint32_t spacing() const { return max_entries() / devices; }
  /// Frames that arrive at each of the first sinks for one that is sent.
  [[nodiscard]] Received copies() const;
};

/// The program for a route, with the map and the programs it needs. It does nothing but call the helper.
class Route {
 public:
  /// `frags`: whether its programs are for frames in several buffers.
  [[nodiscard]] static Expected<Route> create(const RouteSpec& spec, const Sinks& sinks, bool frags = false);

  /// To the device of the first port, where it is to one.
  [[nodiscard]] const Program& program() const { return program_; }
  /// A program by the same map to the device of another port.
  [[nodiscard]] Expected<Program> program_to(std::uint32_t port, const Sinks& sinks) const;
  [[nodiscard]] const DevMap& map() const { return map_; }
  /// The key of a port's device.
  [[nodiscard]] std::uint32_t key_of(std::uint32_t port) const { return spec_.spacing() * port; }
  /// What becomes of a frame on the way.
  [[nodiscard]] Frame after(Frame frame) const;

 private:
  Route(const RouteSpec& spec, DevMap map, std::optional<Program> egress, Program program)
      : spec_(spec), map_(std::move(map)), egress_(std::move(egress)), program_(std::move(program)) {}
  RouteSpec spec_;
  DevMap map_;
  std::optional<Program> egress_;
  Program program_;
};

}  // namespace devmap::bench
