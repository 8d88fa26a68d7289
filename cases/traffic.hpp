#pragma once

#include <harness/bpf/assembler.hpp>
#include <harness/net/capture.hpp>
#include <harness/net/frame.hpp>
#include <harness/net/redirect_trace.hpp>
#include <harness/net/topology.hpp>
#include <harness/spec/case.hpp>

#include <fmt/format.h>

#include <compare>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

namespace devmap::cases {

/// Where a frame can come out.
struct Place {
  enum class Kind : std::uint8_t {
    sink,       ///< received by the far end of a port
    back,       ///< received by in0: it left through in1
    stack,      ///< given to the network stack as received by in1
    tap,        ///< seen by a packet socket on a port's target as sent by the stack
    elsewhere,  ///< another device, whose ifindex is the number
  };
  Kind kind = Kind::elsewhere;
  std::uint32_t number = 0;

  friend auto operator<=>(const Place&, const Place&) = default;
};

/// A frame that came out, and what its bytes were, in the words of changes(): "as sent", "[30] = aa".
struct Arrival {
  Place place = {};
  std::string content = kAsSent;

  friend auto operator<=>(const Arrival&, const Arrival&) = default;
};

/// All the places where one frame came out, in no order; worded for the evidence: "s0, s2 ([30] = aa)", "nowhere".
class Fate {
 public:
  Fate() = default;
  Fate(std::initializer_list<Arrival> arrivals) : Fate(std::vector(arrivals)) {}
  explicit Fate(std::vector<Arrival> arrivals);

  [[nodiscard]] std::string text() const;
  friend bool operator==(const Fate&, const Fate&) = default;

 private:
  std::vector<Arrival> arrivals_;
};

// What rules expect of a frame, its bytes as they were sent unless said otherwise.
[[nodiscard]] Fate nowhere();
[[nodiscard]] Fate sent_back();
[[nodiscard]] Fate to_stack();
/// At the sink of this port, with these bytes.
[[nodiscard]] Arrival at_sink(std::uint32_t port, std::string content = kAsSent);
[[nodiscard]] Arrival at_in0(std::string content = kAsSent);
[[nodiscard]] Arrival at_stack(std::string content = kAsSent);
/// At the sinks of these ports, once each time a port is named.
[[nodiscard]] Fate delivered_to(const std::vector<std::uint32_t>& ports);
/// At the sinks of all of the first `count` ports.
[[nodiscard]] Fate delivered_to_first(std::uint32_t count);

/// What became of the frames that were sent between two calls of Traffic::fates().
class Fates {
 public:
  /// A frame that was sent; the frame says itself which one it is.
  [[nodiscard]] Fate of(const Frame& frame) const;
  /// The numbers of the frames that came out there, in the order in which they came.
  [[nodiscard]] std::vector<std::uint32_t> order_at(const Place& place) const;
  /// Frames that were heard and not sent by this case.
  [[nodiscard]] std::size_t strangers() const { return strangers_; }

 private:
  friend class Traffic;
  struct Heard {
    std::uint32_t number;
    Arrival arrival;
  };
  std::uint64_t token_ = 0;
  std::vector<Heard> heard_;
  std::size_t strangers_ = 0;
};

/// Frames through a program, and where each of them went.
///
///                                            +--> t0 <====> s0
///     frames --> in0 <====> in1 (program) ---+--> t1 <====> s1
///                                            +--> ...
///
///     Traffic t(c, {.ports = 2});
///     c.must(map.update(1, {.ifindex = t.target(0)}));
///     t.run(t.main().redirect_map(map, 1, 0).exit());
///     const auto frame = t.frame();
///     t.send({frame});
///     c.equals("where a frame redirected to key 1 went", t.fates().of(frame), delivered_to({0}));
///
/// Why it is certain that a frame that was not heard did not come. The thread stays on one processor; what its sends
/// raise is done there, by the thread itself or by ksoftirqd. in0 to in1 is one queue: the ring of in1 with a native
/// program, the processor's backlog otherwise. After the frames comes a marker, which the program (main()) answers with
/// XDP_TX. Native: veth_poll hands out all redirected frames of a poll (xdp_do_flush) before those of XDP_TX, and in0
/// is polled on the same processor, after. Generic: frames are redirected one by one, in the order of the backlog. So
/// when in0 has the marker, every frame before it was redirected, given to the stack, sent back or dropped. Then a
/// marker goes through every target that is up into the queue in which redirected frames lie (Pollers), behind them.
/// None of it depends on who runs the softirq or whether it can be preempted, so it holds for PREEMPT_RT as well.
/// Frames are few: a ring has 256 places.
class Traffic {
 public:
  struct Spec {
    std::uint32_t ports = 1;
    std::uint32_t mtu = 0;
    Polling polling = Polling::as_the_kernel_needs;
    /// Look also at what the stack sends through the targets.
    bool taps = false;
    /// Absent: the mode of the variant, and native where it has none.
    std::optional<Mode> mode = {};
  };

  explicit Traffic(Case& c) : Traffic(c, Spec{}) {}
  Traffic(Case& c, const Spec& spec);

  [[nodiscard]] const Star& devices() const { return star_; }
  [[nodiscard]] std::uint32_t in0() const { return star_.in0(); }
  [[nodiscard]] std::uint32_t in1() const { return star_.in1(); }
  [[nodiscard]] std::uint32_t target(std::size_t port) const { return star_.target(port); }
  [[nodiscard]] std::uint32_t sink(std::size_t port) const { return star_.sink(port); }
  [[nodiscard]] Mode mode() const { return mode_; }

  /// What a program does with the marker: a program on in1 sends it back; one behind it that cannot (in a CPUMAP)
  /// passes it to the stack.
  enum class Answer : std::uint8_t { sent_back, passed };
  /// The beginning of a program: it answers markers, and goes on with all other frames. The context is in r1.
  [[nodiscard]] Assembler main(Answer answer = Answer::sent_back) const;

  /// Loads and attaches a main program that begins as main() does, in place of the one before. Its id is that of the
  /// program itself.
  std::uint32_t run(const Assembler& code, const ProgramSpec& spec = {}, Answer answer = Answer::sent_back);
  /// Attaches a program loaded elsewhere.
  void run(Program program, Answer answer = Answer::sent_back);

  /// The next test frame; the tag of the specification is filled in. Numbers count from 0.
  [[nodiscard]] Frame frame(FrameSpec spec = {});
  /// The same, this many.
  [[nodiscard]] std::vector<Frame> frames(std::size_t count, const FrameSpec& spec = {});
  void send(const std::vector<Frame>& frames);

  /// Where the frames sent since the last call went.
  [[nodiscard]] Fates fates();
  /// Sends one frame and says where it went.
  [[nodiscard]] Fate fate_of(const Frame& frame);

  /// Hears these tracepoints from now on, as far as they concern in1 or a target. Costs some milliseconds.
  void trace(std::initializer_list<RedirectTracepoint> tracepoints);
  /// Events since the last call, after fates() those of every frame sent. A marker is sent by XDP_TX, so that bulk_tx
  /// counts one frame more for each call of fates().
  [[nodiscard]] std::vector<RedirectEvent> events();

  /// Where a device is in the topology.
  [[nodiscard]] Place place_of(std::uint32_t ifindex, bool outgoing = false) const;

  /// A byte of a bare frame that programs may write: the first behind the tag.
  static constexpr std::int16_t kFreeByte = 14 + static_cast<std::int16_t>(kTagSize);

 private:
  [[nodiscard]] Frame marker();
  void send_marker(std::uint32_t through, const Frame& frame);
  void take(Fates& fates, const std::vector<HeardFrame>& heard) const;

  Case& c_;
  Mode mode_;
  Star star_;
  Capture capture_;
  std::uint64_t token_ = new_token();
  std::uint32_t markers_ = 0;
  std::vector<Frame> made_;
  std::optional<Program> program_;
  std::optional<XdpAttachment> attached_;
  Answer answer_ = Answer::passed;
  std::optional<RedirectTrace> trace_;
};

/// "xdp_redirect_err ENETDOWN, xdp_devmap_xmit sent 1 of 1": events in short, for comparison.
[[nodiscard]] std::string summary(const std::vector<RedirectEvent>& events);

}  // namespace devmap::cases

template <>
struct fmt::formatter<devmap::cases::Fate> : fmt::formatter<std::string> {
  auto format(const devmap::cases::Fate& fate, format_context& context) const {
    return fmt::formatter<std::string>::format(fate.text(), context);
  }
};
