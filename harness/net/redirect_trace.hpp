#pragma once

#include <harness/base/error.hpp>
#include <harness/base/unique_fd.hpp>
#include <harness/bpf/map.hpp>
#include <harness/bpf/program.hpp>

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct ring_buffer;

namespace devmap {

/// The kernel's tracepoints about redirected frames (include/trace/events/xdp.h).
enum class RedirectTracepoint : std::uint8_t {
  redirect,      ///< xdp_redirect: a verdict XDP_REDIRECT was carried out
  redirect_err,  ///< xdp_redirect_err: it could not be
  devmap_xmit,   ///< xdp_devmap_xmit: a device's queue was handed to its driver
  exception,     ///< xdp_exception: a driver met XDP_ABORTED or an action it does not know
  bulk_tx,       ///< xdp_bulk_tx: a driver sent the frames of XDP_TX
};

/// The kernel's name: "xdp_redirect".
[[nodiscard]] std::string_view name_of(RedirectTracepoint tracepoint);

/// One event. What its tracepoint does not tell is 0.
struct RedirectEvent {
  RedirectTracepoint tracepoint = {};
  std::uint32_t program_id = 0;
  /// XDP_*.
  std::uint32_t action = 0;
  /// The receiving device; of bulk_tx, the only one.
  std::uint32_t ifindex = 0;
  std::uint32_t to_ifindex = 0;
  std::uint32_t map_id = 0;
  std::uint32_t map_index = 0;
  /// 0 or -errno.
  std::int32_t err = 0;
  /// Frames that the driver took, and that it refused.
  std::int32_t sent = 0;
  std::int32_t drops = 0;

  /// One line for a person, with the fields that the tracepoint tells.
  [[nodiscard]] std::string text() const;
};

/// The map_id that the redirect events of kernels since 5.13 give for a redirect by ifindex: after bpf_redirect(), and
/// after a bpf_redirect_map() that found nothing.
inline constexpr std::uint32_t kNoMapId = INT32_MAX;

/// Hears the tracepoints while it lives, by a BPF program at each that writes to a ring buffer. Tracepoints are raised
/// for the whole machine, so only what concerns the given programs and devices is kept. Device numbers repeat from
/// namespace to namespace: watch devices that have a number of their own (distinct_ifindex of net/link.hpp).
///
/// The events of a live test run are there when the call returns. Those of a softirq come when it does, and are lost if
/// it interrupted a bpf(2) call about a map on the same CPU (kernel/trace/bpf_trace.c:trace_call_bpf). Leaving a
/// tracepoint waits for RCU, some 40 ms each (kernel/events/core.c:perf_event_free_bpf_prog).
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

  /// Needs tracefs, perf_event_open(2) for tracepoints, and BPF_MAP_TYPE_RINGBUF (5.8).
  [[nodiscard]] static Expected<RedirectTrace> start(std::initializer_list<RedirectTracepoint> tracepoints,
                                                     const Watched& watched);

  /// Whether start can work here. Nothing is attached for it, which would take longer.
  [[nodiscard]] static Expected<void> possible();

  /// The events since the last call, in their order.
  [[nodiscard]] Expected<std::vector<RedirectEvent>> events();

 private:
  struct FreeRing {
    void operator()(ring_buffer* ring) const noexcept;
  };
  using Events = std::vector<RedirectEvent>;

  explicit RedirectTrace(Map map) : map_(std::move(map)), heard_(std::make_unique<Events>()) {}

  Map map_;
  std::unique_ptr<Events> heard_;  // the ring's callback keeps its address
  std::unique_ptr<ring_buffer, FreeRing> ring_;
  std::vector<UniqueFd> attachments_;
};

}  // namespace devmap
