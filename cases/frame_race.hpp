#pragma once

#include <cases/frame_race.h>
#include <harness/bpf/devmap.hpp>
#include <harness/bpf/program.hpp>
#include <harness/net/link.hpp>
#include <harness/net/packet_socket.hpp>
#include <harness/spec/case.hpp>
#include <harness/spec/rule.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

struct frame_race;

namespace devmap::cases {

/// What a frame may do, as bits (RACE_*).
using Allowed = std::uint32_t;
inline constexpr Allowed kMiss = RACE_MISS;
/// To be redirected, and to arrive nowhere.
inline constexpr Allowed kHitAndLost = RACE_HIT;
inline constexpr Allowed kAnything = RACE_HIT | RACE_MISS | ((1U << RACE_PORTS) - 1);
/// To be redirected, and to arrive at this port's sink.
[[nodiscard]] constexpr Allowed hit(std::uint32_t port) {
  return RACE_HIT | 1U << port;
}

/// A rule that a FrameRace decides: it needs what one needs, besides its own.
[[nodiscard]] Rule frame_rule(Rule rule);

/// Frames from every processor through one program, as fast as they go, while the caller changes what the program
/// redirects to. Every frame is counted where it was redirected and where it arrived, and carries with it where it may
/// arrive.
///
///     sender on processor 0 --+                  +--> t0 <====> s0
///     sender on processor 1 --+--> (program) ----+--> t1 <====> s1
///     ...                                        +--> ...
///
/// Native: live frames (BPF_F_TEST_XDP_LIVE_FRAMES), as if received by in1. Generic, and native where the kernel has
/// none: frames through in0, with the program on in1.
///
/// A sender waits, after each few frames, until all of them have come to the sinks that must come: so no ring is ever
/// full, as the senders share its places, and what is missing at the end was lost.
///
/// What a frame may do is what was settled when the program ran: change() marks the time during which it is not.
class FrameRace {
 public:
  struct Spec {
    std::uint32_t ports = 3;
    Mode mode = Mode::native;
    /// The third argument of bpf_redirect_map.
    std::uint64_t flags = XDP_DROP;
    /// The key of the entry that is changed, and what frames may do while it is.
    std::uint32_t changed_key = 1;
    Allowed in_between = kAnything;
    /// Every other frame goes to this key, which leads to port 0. The others may then be lost.
    std::optional<std::uint32_t> steady_key = {};
    /// A map of maps, of which the map under key 0 is redirected from.
    const Map* outer = nullptr;
    /// Above 1, a broadcast: at the sinks of how many of the ports, the first ones, each frame must arrive.
    std::uint32_t copies = 1;
    /// Only two senders, each with a receiving device of its own (live frames).
    bool two_receivers = false;
  };

  FrameRace(Case& c, const DevMap& map, const Spec& spec);
  FrameRace(const FrameRace&) = delete;
  FrameRace& operator=(const FrameRace&) = delete;
  FrameRace(FrameRace&&) = delete;
  FrameRace& operator=(FrameRace&&) = delete;
  ~FrameRace();

  [[nodiscard]] std::uint32_t target(std::uint32_t port) const { return pairs_.at(port).first; }
  [[nodiscard]] std::uint32_t sink(std::uint32_t port) const { return pairs_.at(port).second; }
  /// For entries: it counts the frames that leave, and whether each does so on the processor that redirected it and,
  /// where asked for, with its own receiving device.
  [[nodiscard]] Program counting_in_entry(bool with_ingress = false) const;

  /// What frames may do before the first change.
  void settle(Allowed allowed);
  /// Runs the senders while `change` is called again and again with the number of the call, at least once, for a time
  /// that is the soak's or else the usual one. A sender that cannot go on ends it.
  template <class Change>
  void run(std::chrono::milliseconds usual, Change change) {
    start();
    const auto end = Clock::now() + c_.soak(usual);
    for (std::uint32_t n = 0; !over_ && (n == 0 || Clock::now() < end); ++n) change(n);
    (void)more_frames();  // however short it was
    stop();
  }
  /// A change in the middle of a run; the first that fails is kept for judge_runs().
  template <class Call>
  void change(Allowed afterwards, Call call) {
    begin_change();
    keep(call());
    settle(afterwards);
  }
  /// Waits until every sender has sent some more frames, and until none is under way for which the program ran before
  /// the call; false where the senders cannot.
  [[nodiscard]] bool more_frames();

  // What was counted; after run().
  [[nodiscard]] std::uint64_t sent() const;
  [[nodiscard]] std::uint64_t hits() const;
  [[nodiscard]] std::uint64_t steady_hits() const;
  [[nodiscard]] std::uint64_t misses() const;
  [[nodiscard]] std::uint64_t steady_misses() const;
  [[nodiscard]] std::uint64_t arrived(std::uint32_t port) const;
  [[nodiscard]] std::uint64_t arrived() const;
  [[nodiscard]] std::uint64_t left() const;
  [[nodiscard]] std::uint64_t changes() const { return changes_; }

  /// The changes must have succeeded, and the program have run once for each frame.
  void judge_runs();
  /// Every redirected frame must have arrived.
  void judge_arrivals();
  /// No frame may have arrived, been redirected, or found nothing, where what was settled says otherwise.
  void judge_places();
  /// Each sender's frames must have arrived at each sink in the order in which they were sent, none twice.
  void judge_order();
  /// Frames must have left on the processor that redirected them and, where asked, with their own receiving device.
  void judge_queues(bool with_ingress);
  /// Tells how many frames and changes there were, and how fast they went.
  void rates();

 private:
  using Clock = std::chrono::steady_clock;
  struct Destroy {
    void operator()(frame_race* skeleton) const noexcept;
  };

  void load(const DevMap& map);
  void start();
  void stop();
  void begin_change();
  void keep(const Reply<>& reply);
  void keep(const Expected<void>& done);
  void send(std::uint32_t sender, unsigned processor);
  [[nodiscard]] bool send_some(std::uint32_t sender, const Frame& frame);
  [[nodiscard]] bool all_were_given(std::uint32_t sender) const;
  [[nodiscard]] bool all_arrived(std::uint32_t sender) const;
  template <class Of>
  [[nodiscard]] std::uint64_t sum_of(Of of) const;
  template <class Of>
  [[nodiscard]] std::uint64_t sum_at_sinks(Of of) const;

  Case& c_;
  Spec spec_;
  bool live_;
  std::vector<unsigned> processors_;
  std::uint32_t window_ = 0;
  std::uint64_t token_;
  std::vector<VethPair> pairs_;
  VethPair ingress_;
  std::optional<PacketSocket> socket_;
  std::unique_ptr<frame_race, Destroy> skeleton_;
  race_state* state_ = nullptr;
  std::optional<Program> program_;
  /// What is run for it: itself, or what calls it.
  const Program* run_ = nullptr;
  std::vector<XdpAttachment> attachments_;

  std::atomic<bool> over_ = false;
  /// Frames were waited for that never came.
  std::atomic<bool> given_up_ = false;
  std::array<std::atomic<std::uint64_t>, RACE_SENDERS> sent_by_ = {};
  std::array<std::atomic<std::uint64_t>, RACE_SENDERS> batches_by_ = {};
  std::atomic<int> failed_ = 0;
  std::uint64_t changes_ = 0;
  std::optional<std::string> refused_;
  Clock::time_point began_;
  Clock::duration time_ = {};
  std::vector<std::jthread> senders_;
};

}  // namespace devmap::cases
