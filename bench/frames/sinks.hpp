#pragma once

#include <harness/base/error.hpp>
#include <harness/bpf/program.hpp>
#include <harness/net/frame.hpp>
#include <harness/net/topology.hpp>
#include <harness/net/xdp_link.hpp>
#include <harness/spec/variant.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace devmap::bench {

/// Frames that each sink has received.
using Received = std::vector<std::uint64_t>;

/// Where the measured frames go through, and where they end.
///
///                                            +--> t0 <====> s0 (XDP_DROP)
///     frames --> in0 <====> in1 (program) ---+--> t1 <====> s1 (XDP_DROP)
///                                            +--> ...
///
/// The programs of the sinks do nothing but drop; frames are counted by the devices.
class Sinks {
 public:
  struct Spec {
    std::uint32_t ports = 1;
    /// Of all devices; 0 leaves the kernel's 1500.
    std::uint32_t mtu = 0;
    /// Whether all programs are for frames in several buffers.
    bool frags = false;
    /// The mode of the sinks' programs.
    Mode mode = Mode::native;
  };
  [[nodiscard]] static Expected<Sinks> create(const Spec& spec);

  [[nodiscard]] std::uint32_t in0() const { return star_.in0(); }
  [[nodiscard]] std::uint32_t in1() const { return star_.in1(); }
  [[nodiscard]] std::uint32_t target(std::uint32_t port) const { return star_.target(port); }
  [[nodiscard]] std::uint32_t sink(std::uint32_t port) const { return star_.sink(port); }
  [[nodiscard]] std::uint32_t ports() const { return star_.ports(); }

  /// What each sink has received since it was made.
  [[nodiscard]] Expected<Received> received() const;
  /// Waits until the sinks have received this many frames in all since `before`, or for a second; says how many.
  [[nodiscard]] Expected<std::uint64_t> await(const Received& before, std::uint64_t frames) const;

  /// Lets frames pass to the stack at one sink, where a packet socket hears them, or drops them again.
  [[nodiscard]] Expected<void> let_pass(std::uint32_t port, bool pass);

 private:
  Sinks(Star star, Program drop, Program pass, std::vector<XdpLink> links)
      : star_(std::move(star)), drop_(std::move(drop)), pass_(std::move(pass)), links_(std::move(links)) {}
  Star star_;
  Program drop_;
  Program pass_;
  std::vector<XdpLink> links_;
};

/// Frames received by all sinks.
[[nodiscard]] std::uint64_t all_frames(const Received& received);

/// A program that returns this for every frame.
[[nodiscard]] Expected<Program> program_returning(xdp_action verdict, bool frags = false);

}  // namespace devmap::bench
