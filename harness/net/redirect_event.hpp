#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace devmap {

/// The kernel's tracepoints about redirected frames (include/trace/events/xdp.h).
enum class RedirectTracepoint : std::uint8_t {
  redirect,      ///< xdp_redirect: a verdict XDP_REDIRECT was carried out
  redirect_err,  ///< xdp_redirect_err: it could not be
  devmap_xmit,   ///< xdp_devmap_xmit: a device's queue was handed to its driver
  exception,     ///< xdp_exception: a driver met XDP_ABORTED or an action it does not know
  bulk_tx,       ///< xdp_bulk_tx: a driver sent the frames of XDP_TX
};

inline constexpr std::array kRedirectTracepoints = {RedirectTracepoint::redirect, RedirectTracepoint::redirect_err,
                                                    RedirectTracepoint::devmap_xmit, RedirectTracepoint::exception,
                                                    RedirectTracepoint::bulk_tx};

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

  /// The fields that a tracepoint may tell, in the order of the members.
  enum Field : std::uint8_t { kProgramId, kAction, kIfindex, kToIfindex, kMapId, kMapIndex, kErr, kSent, kDrops };
  static constexpr std::size_t kFields = 9;
  /// The kernel's name of a field at a tracepoint; null where the tracepoint does not tell it.
  [[nodiscard]] static const char* field_name(RedirectTracepoint tracepoint, std::size_t field);

  /// One line for a person, with the fields that the tracepoint tells.
  [[nodiscard]] std::string text() const;
};

/// The map_id that the redirect events of kernels since 5.13 give for a redirect by ifindex: after bpf_redirect(), and
/// after a bpf_redirect_map() that found nothing.
inline constexpr std::uint32_t kNoMapId = INT32_MAX;

}  // namespace devmap
