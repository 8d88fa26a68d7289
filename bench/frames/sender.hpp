#pragma once

#include <bench/frames/sinks.hpp>
#include <bench/measure/stopwatch.hpp>
#include <harness/bpf/program.hpp>
#include <harness/net/frame.hpp>
#include <harness/net/packet_socket.hpp>
#include <harness/net/xdp_link.hpp>

#include <cstdint>
#include <memory>
#include <optional>

namespace devmap::bench {

/// How frames come to the program.
enum class Source : std::uint8_t {
  live,    ///< the program makes them itself (BPF_F_TEST_XDP_LIVE_FRAMES, 5.18)
  passed,  ///< a program makes them and passes them to the stack as received by in1, whose program is a generic one
  packet,  ///< a packet socket on in0, many to a system call
};

/// Sends one frame again and again.
class Sender {
 public:
  struct Spec {
    Source source = Source::live;
    Frame frame = {};
    /// Frames that share one poll of a live run, or one system call of a packet socket.
    std::uint32_t batch = 64;
    /// Of the program on in1.
    Mode mode = Mode::native;
  };
  /// The program goes to in1, also for live frames, which do not come in there: the runs of a program that is attached
  /// somewhere do not wait for RCU (net/bpf/test_run.c:bpf_prog_test_run_xdp). It must outlive the sender.
  [[nodiscard]] static Expected<std::unique_ptr<Sender>> create(const Spec& spec, const Sinks& sinks,
                                                                const Program& program);

  [[nodiscard]] const Frame& frame() const { return spec_.frame; }
  /// Sends this many, or for packet sockets as many more as fill the last call; says how many, and what it took.
  struct Sent {
    std::uint64_t frames = 0;
    double spent = 0;
  };
  [[nodiscard]] Expected<Sent> send(std::uint64_t frames, Clock clock) const;

  /// A live run of a program, as it is.
  [[nodiscard]] static Expected<Sent> run_live(const Program& program, const TestRun& run, Clock clock);

 private:
  Sender(Spec spec, std::uint32_t ingress, XdpLink link)
      : spec_(std::move(spec)), ingress_(ingress), link_(std::move(link)) {}
  [[nodiscard]] Expected<Sent> send_live(std::uint64_t frames, Clock clock) const;
  [[nodiscard]] Expected<Sent> send_packets(std::uint64_t frames, Clock clock) const;

  Spec spec_;
  std::uint32_t ingress_;
  XdpLink link_;
  const Program* program_ = nullptr;
  // Of frames that are passed.
  std::optional<Program> generator_;
  std::optional<XdpLink> generator_link_;
  std::optional<PacketSocket> socket_;
};

}  // namespace devmap::bench
