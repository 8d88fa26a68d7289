#include <bench/peer/path.hpp>

#include <array>

namespace devmap::bench {

std::span<const PeerPath> peer_paths() {
  static const std::array<PeerPath, 3> kPaths = {
      PeerPath{.name = "direct", .route = {.way = RouteSpec::Way::redirect}},
      PeerPath{.name = "redirect-map", .route = {.way = RouteSpec::Way::map}, .command = "redirect-map"},
      PeerPath{
          .name = "broadcast", .route = {.way = RouteSpec::Way::broadcast, .devices = 4}, .command = "redirect-multi"}};
  return kPaths;
}

}  // namespace devmap::bench
