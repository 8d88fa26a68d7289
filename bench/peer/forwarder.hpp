#pragma once

#include <bench/frames/route.hpp>
#include <bench/frames/sinks.hpp>
#include <bench/peer/path.hpp>
#include <bench/peer/tools.hpp>
#include <harness/net/xdp_link.hpp>
#include <vm/process.hpp>

#include <optional>
#include <set>
#include <string>

namespace devmap::bench {

/// What takes frames on from in1 to the targets: a program of ours or xdp-bench. On a direct path there is nothing.
class Forwarder {
 public:
  /// Returns when it is attached. xdp-bench runs on `processor`.
  [[nodiscard]] static Expected<Forwarder> start(const PeerPath& path, Side side, const Sinks& sinks,
                                                 const XdpTools& tools, unsigned processor);
  /// What device maps it has open; none where there is nothing.
  [[nodiscard]] Expected<std::set<std::string>> device_maps() const;
  /// Ends it; fails where it had ended by itself.
  [[nodiscard]] Expected<void> stop();

 private:
  Forwarder() = default;
  [[nodiscard]] Expected<void> attach(const PeerPath& path, const Sinks& sinks);
  [[nodiscard]] Expected<void> run_bench(const PeerPath& path, const Sinks& sinks, const XdpTools& tools,
                                         unsigned processor);
  std::optional<Route> route_;
  std::optional<XdpLink> link_;
  std::optional<vm::Process> process_;
};

}  // namespace devmap::bench
