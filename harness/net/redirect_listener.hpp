#pragma once

#include <harness/base/error.hpp>
#include <harness/base/unique_fd.hpp>
#include <harness/bpf/map.hpp>
#include <harness/bpf/program.hpp>
#include <harness/net/redirect_event.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace devmap {

/// A BPF program at each of some tracepoints, which writes the events about what was asked for to one of several ring
/// buffers. Tracepoints are raised for the whole machine: what nobody asked for is not kept.
///
/// Leaving a tracepoint waits for RCU, some 40 ms each, one after the other over the whole machine
/// (kernel/events/core.c:perf_event_free_bpf_prog). So one listener can serve many traces.
class RedirectListener {
 public:
  /// What an event may be about.
  enum class Subject : std::uint32_t {
    program,   ///< by id; of redirect, redirect_err and exception
    receiver,  ///< the ifindex of the receiving device; of the same
    device,    ///< the ifindex of the receiving or the sending device; of devmap_xmit and bulk_tx
  };
  /// A program refers to 64 maps at most (MAX_USED_MAPS), and there is one beside the rings.
  static constexpr std::uint32_t kMostRings = 48;

  /// Needs tracefs, perf_event_open(2) for tracepoints, and BPF_MAP_TYPE_RINGBUF (5.8).
  [[nodiscard]] static Expected<RedirectListener> create(std::span<const RedirectTracepoint> tracepoints,
                                                         std::uint32_t rings);
  /// Whether create can work here. Nothing is attached for it, which would take longer.
  [[nodiscard]] static Expected<void> possible();

  /// From now on, events about this subject go to this ring, and to no other. Fails with EEXIST where it was asked for
  /// before, and where a device of several rings is loopback, whose number is in every namespace: the events would be
  /// taken from whoever else waits for them.
  [[nodiscard]] Expected<void> ask_for(Subject subject, std::uint32_t id, std::uint32_t ring) const;
  void no_longer_ask_for(Subject subject, std::uint32_t id) const;

  [[nodiscard]] std::uint32_t rings() const noexcept { return static_cast<std::uint32_t>(rings_.size()); }
  /// Whoever reads a ring is its only reader.
  [[nodiscard]] const Map& ring(std::uint32_t number) const { return rings_.at(number); }

  /// How often the kernel has raised one of these tracepoints without running the program there
  /// (kernel/trace/bpf_trace.c:trace_call_bpf), whatever the event was about; 0 where the kernel does not count it.
  [[nodiscard]] Expected<std::uint64_t> missed(std::span<const RedirectTracepoint> tracepoints) const;

  /// The event in what a program wrote. Fails where it is too short for one.
  [[nodiscard]] static Expected<RedirectEvent> event_in(std::span<const std::byte> written);

 private:
  RedirectListener(Map ring_of, std::vector<Map> rings) : ring_of_(std::move(ring_of)), rings_(std::move(rings)) {}

  struct Post {
    RedirectTracepoint tracepoint;
    Program program;
    UniqueFd attachment;
  };

  Map ring_of_;
  std::vector<Map> rings_;
  std::vector<Post> posts_;
};

}  // namespace devmap
