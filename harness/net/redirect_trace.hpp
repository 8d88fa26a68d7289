#pragma once

#include <harness/base/error.hpp>
#include <harness/net/redirect_event.hpp>
#include <harness/net/redirect_listener.hpp>

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <utility>
#include <vector>

struct ring_buffer;

namespace devmap {

/// Hears the tracepoints about redirected frames while it lives, as far as they concern the given programs and devices.
/// Device numbers repeat from namespace to namespace: watch devices that have a number of their own (distinct_ifindex
/// of net/link.hpp).
///
/// The events of a live test run are there when the call returns. Those of a softirq come when it does, and are lost if
/// it interrupted a bpf(2) call about a map on the same CPU (kernel/trace/bpf_trace.c:trace_call_bpf).
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

  /// By a listener of its own, which is slow to end.
  [[nodiscard]] static Expected<RedirectTrace> start(Tracepoints tracepoints, const Watched& watched);
  /// By a ring of a listener that others use too and that listens to these tracepoints. The ring is to be nobody else's
  /// while this lives, and what is watched should not be watched by another trace of the listener.
  [[nodiscard]] static Expected<RedirectTrace> start(std::shared_ptr<const RedirectListener> listener,
                                                     std::uint32_t ring, Tracepoints tracepoints,
                                                     const Watched& watched);

  RedirectTrace(RedirectTrace&&) noexcept;
  RedirectTrace& operator=(RedirectTrace&&) = delete;
  RedirectTrace(const RedirectTrace&) = delete;
  RedirectTrace& operator=(const RedirectTrace&) = delete;
  ~RedirectTrace();

  /// The events since the last call, in their order.
  [[nodiscard]] Expected<std::vector<RedirectEvent>> events();

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
  [[nodiscard]] Expected<void> listen(std::uint32_t ring, const Watched& watched);

  std::vector<RedirectTracepoint> tracepoints_;
  std::shared_ptr<const RedirectListener> listener_;
  std::vector<Subject> asked_for_;
  std::unique_ptr<Events> heard_;  // the ring's callback keeps its address
  std::unique_ptr<ring_buffer, FreeRing> ring_;
};

}  // namespace devmap
