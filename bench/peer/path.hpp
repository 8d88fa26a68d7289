#pragma once

#include <bench/frames/route.hpp>

#include <span>
#include <string>

namespace devmap::bench {

/// A way that frames take on both sides of the comparison (frames/sinks.hpp has the devices).
struct PeerPath {
  /// "direct", "redirect-map", "broadcast".
  std::string name;
  /// From in1 on, where frames are forwarded. On the direct path the generator sends them to the first target itself.
  RouteSpec route = {};
  /// The command of xdp-bench that forwards likewise; empty on the direct path.
  std::string command = {};

  [[nodiscard]] bool forwards() const { return !command.empty(); }
  /// Copies that arrive at all sinks together for a frame that is sent.
  [[nodiscard]] std::uint64_t copies() const { return all_frames(route.copies()); }
};

[[nodiscard]] std::span<const PeerPath> peer_paths();

/// Whose programs send and forward.
enum class Side : std::uint8_t { ours, theirs };

}  // namespace devmap::bench
