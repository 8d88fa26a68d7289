#pragma once

#include <harness/base/error.hpp>
#include <harness/bpf/map.hpp>
#include <harness/bpf/program.hpp>
#include <harness/net/netns.hpp>
#include <harness/net/xdp_link.hpp>

#include <cstdint>
#include <functional>
#include <optional>

namespace devmap {

/// One XDP program that stands in for many: on whichever device it is attached to, it hands each frame on, by a tail
/// call, to the program that was installed for that device, in the same context; what the program returns is returned.
///
///     frame --> device 71 --> dispatcher --+--> program for 71
///               device 84 --> dispatcher --+--> program for 84
///
/// An attachment of a program that is attached nowhere else waits, under the lock of all network configuration, for an
/// RCU grace period, and so does its end (net/core/dev.c:dev_xdp_install, kernel/bpf/dispatcher.c): some 25 ms, one
/// after the other over the whole machine. The dispatcher stays attached to a device of its own while it lives, so its
/// further attachments wait for nothing.
///
/// What shows the difference: redirect events name the dispatcher's program id, and the kernel's checks at attachment
/// look at the dispatcher. Rules about those attach their programs themselves.
class XdpDispatcher {
 public:
  /// Programs for up to `slots` devices at a time. Only programs that agree with `program_flags` in BPF_F_XDP_HAS_FRAGS
  /// can stand behind it. Needs what attaching an XDP program needs, and namespaces.
  [[nodiscard]] static Expected<XdpDispatcher> create(std::uint32_t slots, std::uint32_t program_flags = 0);

  [[nodiscard]] std::uint32_t slots() const noexcept { return slots_; }

 private:
  friend class XdpAttachment;

  XdpDispatcher(std::uint32_t slots, Map slot_of_device, Map programs, Program program, NetNs home, XdpLink link)
      : slots_(slots),
        slot_of_device_(std::move(slot_of_device)),
        programs_(std::move(programs)),
        program_(std::move(program)),
        home_(std::move(home)),
        link_(std::move(link)) {}

  [[nodiscard]] Expected<void> install(std::uint32_t slot, std::uint32_t ifindex, const Program& program) const;
  void remove(std::uint32_t slot, std::uint32_t ifindex) const;

  std::uint32_t slots_;
  Map slot_of_device_;
  Map programs_;
  Program program_;
  NetNs home_;
  XdpLink link_;
};

/// A program at work on a device until this object goes.
class XdpAttachment {
 public:
  struct Spec {
    /// Behind a dispatcher, a number that no device of another namespace has (distinct_ifindex).
    std::uint32_t ifindex = 0;
    /// XDP_FLAGS_SKB_MODE, XDP_FLAGS_DRV_MODE, or 0 to let the kernel choose.
    std::uint32_t flags = 0;
  };

  /// Attaches the program itself.
  [[nodiscard]] static Expected<XdpAttachment> directly(const Program& program, const Spec& spec);
  /// Attaches the dispatcher, with the program in this slot, which is to be nobody else's while the attachment lives.
  /// The dispatcher must outlive it. Refused with EINVAL where the dispatcher cannot call the program: one bound to a
  /// device, or with BPF_F_XDP_HAS_FRAGS and the dispatcher without (kernel/bpf/core.c:bpf_prog_map_compatible).
  [[nodiscard]] static Expected<XdpAttachment> behind(const XdpDispatcher& dispatcher, std::uint32_t slot,
                                                      const Program& program, const Spec& spec);

  XdpAttachment(XdpAttachment&& other) noexcept;
  XdpAttachment& operator=(XdpAttachment&&) = delete;
  XdpAttachment(const XdpAttachment&) = delete;
  XdpAttachment& operator=(const XdpAttachment&) = delete;
  ~XdpAttachment();

  /// The dispatcher's own program, which is what runs on the device; null where the program is attached by itself. A
  /// live run of either with the device as the receiving one does what a frame received by it does. Of a program that
  /// is attached nowhere, a run with `repeat` above 1 waits twice for RCU (net/bpf/test_run.c:bpf_prog_test_run_xdp).
  [[nodiscard]] const Program* dispatching() const noexcept;

 private:
  /// A slot taken, and the device it was taken for.
  struct Installed {
    const XdpDispatcher* dispatcher;
    std::uint32_t slot;
    std::uint32_t ifindex;
  };
  XdpAttachment(XdpLink link, std::optional<Installed> installed) : link_(std::move(link)), installed_(installed) {}

  XdpLink link_;
  std::optional<Installed> installed_;
};

/// A way of attaching programs.
using XdpAttach = std::function<Expected<XdpAttachment>(const Program&, const XdpAttachment::Spec&)>;

}  // namespace devmap
