#pragma once

#include <harness/base/unique_fd.hpp>
#include <harness/bpf/program.hpp>
#include <harness/bpf/reply.hpp>

#include <cstdint>

namespace devmap {

/// A program attached to a device by a BPF link; detached when this object goes, or with the device.
class XdpLink {
 public:
  struct Spec {
    std::uint32_t ifindex = 0;
    /// XDP_FLAGS_SKB_MODE, XDP_FLAGS_DRV_MODE, or 0 to let the kernel choose.
    std::uint32_t flags = 0;
    std::uint32_t attach_type = BPF_XDP;
  };

  [[nodiscard]] static Reply<XdpLink> create(const Program& program, const Spec& spec);
  /// BPF_LINK_UPDATE.
  [[nodiscard]] Reply<> update(const Program& program) const;
  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  void detach() noexcept { fd_.reset(); }

 private:
  explicit XdpLink(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

}  // namespace devmap
