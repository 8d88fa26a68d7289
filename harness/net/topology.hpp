#pragma once

#include <harness/base/error.hpp>
#include <harness/net/link.hpp>
#include <harness/net/xdp_dispatcher.hpp>

#include <cstdint>
#include <optional>
#include <vector>

// Devices of the calling thread's namespace, connected. All have numbers of this process alone (distinct_ifindex), one
// queue, so that frames stay in order, and are up.
namespace devmap {

/// What makes the far end of a veth pair poll, without which the near end is no target of native redirects
/// (drivers/net/veth.c:veth_xdp_xmit).
enum class Polling : std::uint8_t {
  none,
  offload,  ///< generic receive offload; enough since Linux 5.13, and quick
  program,  ///< a native XDP program that passes every frame, the same one everywhere
  as_the_kernel_needs,
};

/// Makes devices poll and keeps them at it while it lives.
class Pollers {
 public:
  /// `frags`: whether the devices take frames in several buffers, which needs programs that allow for them.
  explicit Pollers(Polling polling, bool frags = false, XdpAttach attach = XdpAttachment::directly);
  /// Makes pair.second poll. All that pair.first sends, from the stack or from XDP, then takes one way to it, and
  /// arrives in order.
  [[nodiscard]] Expected<void> add(const VethPair& pair);

 private:
  Polling polling_;
  bool frags_;
  XdpAttach attach_;
  std::optional<Program> program_;
  std::vector<XdpAttachment> attachments_;
};

///     near <====> far
[[nodiscard]] Expected<VethPair> create_wire(std::uint32_t nth = 0);

///     near(0) <====> far(0)   near(1) <====> far(1)   ...   near(n-1) <====> far(n-1)
///
/// What far(i) receives, a program there takes on to near(i+1).
[[nodiscard]] Expected<std::vector<VethPair>> create_chain(std::uint32_t wires);

///                                            +--> t0 <====> s0
///     frames --> in0 <====> in1 (program) ---+--> t1 <====> s1
///                                            +--> ...
///
/// The program on in1 sends frames to t0, t1 and so on, the targets, or back to in0. in0 and the sinks s0, s1 poll as
/// specified; in1 does not until it has a native program.
class Star {
 public:
  struct Spec {
    std::uint32_t ports = 1;
    Polling polling = Polling::as_the_kernel_needs;
    /// Of all devices; 0 leaves the kernel's 1500.
    std::uint32_t mtu = 0;
    XdpAttach attach = XdpAttachment::directly;
  };
  /// Most ports there are numbers for.
  static constexpr std::uint32_t kMostPorts = 48;

  [[nodiscard]] static Expected<Star> create(const Spec& spec);

  [[nodiscard]] std::uint32_t in0() const { return ingress_.first; }
  [[nodiscard]] std::uint32_t in1() const { return ingress_.second; }
  [[nodiscard]] std::uint32_t target(std::size_t port) const { return ports_.at(port).first; }
  [[nodiscard]] std::uint32_t sink(std::size_t port) const { return ports_.at(port).second; }
  /// Whether both ends of a port are up: nothing else gets through it.
  [[nodiscard]] Expected<bool> is_open(std::size_t port) const;
  [[nodiscard]] std::uint32_t ports() const { return static_cast<std::uint32_t>(ports_.size()); }

 private:
  explicit Star(const Spec& spec);
  VethPair ingress_;
  std::vector<VethPair> ports_;
  // Frames of XDP_TX lie in a receiver without a program until something else wakes it
  // (drivers/net/veth.c:veth_xdp_flush).
  Pollers ingress_poller_;
  Pollers pollers_;
};

}  // namespace devmap
