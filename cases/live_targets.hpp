#pragma once

#include <harness/net/counting_sink.hpp>
#include <harness/net/packet_socket.hpp>
#include <harness/spec/case.hpp>

#include <cstdint>
#include <vector>

namespace devmap::cases {

/// How live frames are made (BPF_PROG_TEST_RUN with BPF_F_TEST_XDP_LIVE_FRAMES).
struct LiveRun {
  std::uint32_t frames = 1;
  /// Frames that share one poll; 0 is the kernel's default.
  std::uint32_t batch_size = 0;
  /// The receiving device; 0 is the kernel's default, lo.
  std::uint32_t ingress = 0;
};

/// The frame that run_live makes.
[[nodiscard]] std::vector<std::byte> live_frame();

/// Runs the program on live frames. A set-up step: what becomes of the frames is what is judged.
void run_live(Case& c, const Program& program, const LiveRun& run = {});

/// Devices to redirect to, and what comes through them.
///
///                                redirect
///     live frames --> program --+-------> device(0) <====> sink 0
///                               +-------> device(1) <====> sink 1
///
/// Every device has one queue, so its frames arrive in the order in which they were sent.
class LiveTargets {
 public:
  struct Spec {
    std::uint32_t count = 2;
    /// The number of device(0); device(n) has 2n more. 0: numbers of the case's own, to be known by in traces.
    std::uint32_t first_ifindex = 0;
  };

  explicit LiveTargets(Case& c) : LiveTargets(c, Spec{}) {}
  LiveTargets(Case& c, const Spec& spec);

  [[nodiscard]] std::uint32_t device(std::size_t n) const { return targets_.at(n).device; }
  [[nodiscard]] std::vector<std::uint32_t> devices() const;

  /// The frames that came through each device since the last call. Sends a frame of its own through each, and waits for
  /// them: what was sent before has arrived by then.
  [[nodiscard]] std::vector<std::uint64_t> arrivals(Case& c);
  /// The same after a live run of the program.
  [[nodiscard]] std::vector<std::uint64_t> arrivals_of(Case& c, const Program& program, const LiveRun& run = {});
  /// Waits until so many whole frames of live runs have come through the first device; false where they do not come. A
  /// full queue has no room for the frame that arrivals() sends.
  [[nodiscard]] bool received(const Case& c, std::uint64_t frames) const;

  /// The frames of live runs that came through each device whole, that is, with their tag; of all calls so far.
  [[nodiscard]] std::vector<std::uint64_t> whole_arrivals(Case& c) const;

 private:
  struct Target {
    std::uint32_t device;
    CountingSink sink;
    PacketSocket socket;
    std::uint64_t counted = 0;
  };
  std::vector<Target> targets_;
  std::uint64_t markers_ = 0;
};

/// The arrivals at each of two targets.
[[nodiscard]] inline std::vector<std::uint64_t> arrived(std::uint64_t at_first, std::uint64_t at_second) {
  return {at_first, at_second};
}

}  // namespace devmap::cases
