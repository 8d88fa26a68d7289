#pragma once

#include <harness/net/capture.hpp>
#include <harness/net/netns.hpp>
#include <harness/net/topology.hpp>
#include <harness/spec/case.hpp>

#include <cstdint>
#include <optional>
#include <vector>

namespace devmap::cases {

/// Devices of another namespace to redirect to, and what comes through them.
///
///     the case's namespace      |  another namespace
///     program ----- redirect ---+-----> device(0) <====> sink 0
///                               +-----> device(1) <====> sink 1
class ForeignTargets {
 public:
  /// device(n) has the number `first_ifindex` + 2n, its sink one more.
  ForeignTargets(Case& c, std::uint32_t count, std::uint32_t first_ifindex);

  [[nodiscard]] const NetNs& where() const { return where_; }
  [[nodiscard]] std::uint32_t device(std::size_t n) const { return pairs_.at(n).first; }
  /// Enters device(n) into the map: from its own namespace, as numbers are looked up in the caller's
  /// (kernel/bpf/devmap.c:dev_map_update_elem).
  void enter(Case& c, const DevMap& map, std::uint32_t key, std::size_t n) const;

  /// The frames that came through each device since the last call, once all that was redirected before has come. Sends
  /// a frame of its own through each, into the same queue, and waits for them.
  [[nodiscard]] std::vector<std::uint64_t> arrivals(Case& c);

 private:
  NetNs where_;
  std::vector<VethPair> pairs_;
  Pollers pollers_{Polling::as_the_kernel_needs};
  std::optional<Capture> capture_;
  std::uint64_t token_ = new_token();
  std::uint32_t markers_ = 0;
};

}  // namespace devmap::cases
