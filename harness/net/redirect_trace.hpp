#pragma once

#include <harness/base/error.hpp>
#include <harness/net/redirect_event.hpp>
#include <harness/net/redirect_listener.hpp>

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

struct ring_buffer;

namespace devmap {

/// Why a trace is not exact, in words.
[[nodiscard]] std::string skipped_events(std::uint64_t skipped);

/// Hears the tracepoints about redirected frames while it lives, as far as they concern the given programs and devices.
/// Device numbers repeat from namespace to namespace: watch devices that have a number of their own (distinct_ifindex
/// of net/link.hpp). An event goes to one trace of a listener, so one of several that watched the loopback device would
/// have the events of everybody's live frames; that is refused.
///
/// The events of a live test run are there when the call returns; those of a softirq come when it does. The kernel
/// skips an event that is raised on a CPU where a bpf(2) call about a map was interrupted or preempted
/// (kernel/trace/bpf_trace.c:trace_call_bpf), but since about 6.7 it counts what it skips: then a trace does not give
/// events as if they were all. Older kernels do not count; where they do not preempt, as those of Debian, only what is
/// raised in a softirq can be lost, and a check that waits for such an event asks for it more than once.
class RedirectTrace {
 public:
  struct Watched {
    /// Ids, for redirect, redirect_err and exception.
    std::vector<std::uint32_t> programs = {};
    /// Receiving devices, for the same.
    std::vector<std::uint32_t> receivers = {};
    /// Receiving or sending, for devmap_xmit and bulk_tx.
    std::vector<std::uint32_t> devices = {};
  };
  using Tracepoints = std::initializer_list<RedirectTracepoint>;
  /// Hears that the kernel skipped so many events of the whole machine while a trace lived, those of its tracepoints.
  /// It is called by events() and at the end of the trace, and must be good until then.
  using OnMissed = std::function<void(std::uint64_t skipped)>;

  /// By a listener of its own, which is slow to end.
  [[nodiscard]] static Expected<RedirectTrace> start(Tracepoints tracepoints, const Watched& watched,
                                                     OnMissed on_missed = {});
  /// By a ring of a listener that others use too and that listens to these tracepoints. The ring is to be nobody else's
  /// while this lives, and what is watched should not be watched by another trace of the listener.
  [[nodiscard]] static Expected<RedirectTrace> start(std::shared_ptr<const RedirectListener> listener,
                                                     std::uint32_t ring, Tracepoints tracepoints,
                                                     const Watched& watched, OnMissed on_missed = {});

  RedirectTrace(RedirectTrace&&) noexcept;
  RedirectTrace& operator=(RedirectTrace&&) = delete;
  RedirectTrace(const RedirectTrace&) = delete;
  RedirectTrace& operator=(const RedirectTrace&) = delete;
  ~RedirectTrace();

  /// The events since the last call, in their order. Fails, from then on, where the kernel has skipped any since the
  /// trace was started: nobody knows whether one of them is missing.
  [[nodiscard]] Expected<std::vector<RedirectEvent>> events();
  /// How many events of its tracepoints the kernel has skipped since it was started, whatever they were about; 0 on
  /// kernels that do not count them.
  [[nodiscard]] Expected<std::uint64_t> missed() const;

 private:
  struct FreeRing {
    void operator()(ring_buffer* ring) const noexcept;
  };
  using Events = std::vector<RedirectEvent>;
  struct Subject {
    RedirectListener::Subject kind;
    std::uint32_t id;
  };

  RedirectTrace(Tracepoints tracepoints, std::shared_ptr<const RedirectListener> listener)
      : tracepoints_(tracepoints), listener_(std::move(listener)), heard_(std::make_unique<Events>()) {}
  /// Takes in what is in the ring.
  [[nodiscard]] Expected<void> consume();
  [[nodiscard]] Expected<void> listen(std::uint32_t ring, const Watched& watched);

  std::vector<RedirectTracepoint> tracepoints_;
  std::shared_ptr<const RedirectListener> listener_;
  std::uint64_t missed_before_ = 0;
  OnMissed on_missed_;
  std::vector<Subject> asked_for_;
  std::unique_ptr<Events> heard_;  // the ring's callback keeps its address
  std::unique_ptr<ring_buffer, FreeRing> ring_;
};

}  // namespace devmap
