#pragma once

#include <harness/base/error.hpp>
#include <harness/base/unique_fd.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace devmap {

/// A device whose wire is a descriptor of this process (drivers/net/tun.c): what is sent through it can be read, and
/// what is written comes in through it.
///
///     stack <==== device ====> read, write
///
/// The device goes with this object unless it is `persistent`, and then with its namespace.
class Tun {
 public:
  /// `tap` carries Ethernet frames, `tun` IP packets without an Ethernet header.
  enum class Layer : std::uint8_t { tap, tun };
  struct Spec {
    Layer layer = Layer::tap;
    std::string name = "tap0";
    /// 0 lets the kernel choose.
    std::uint32_t ifindex = 0;
    bool persistent = false;
    /// Up, and without IPv6, so that no frame but the case's own is on the wire.
    bool up = true;
  };

  /// In the calling thread's namespace. Fails with ENOENT, ENODEV or ENXIO where the kernel has no /dev/net/tun.
  [[nodiscard]] static Expected<Tun> create(const Spec& spec);

  [[nodiscard]] std::uint32_t ifindex() const noexcept { return ifindex_; }

  /// The next frame sent through the device; nothing where none comes within the limit.
  [[nodiscard]] Expected<std::optional<std::vector<std::byte>>> read(std::chrono::milliseconds limit) const;
  /// Lets a frame come in. EIO where the device is down.
  [[nodiscard]] Expected<void> write(std::span<const std::byte> frame) const;

  /// Ends the reading and writing; a persistent device stays, with nobody at its wire.
  void close() noexcept { fd_.reset(); }

 private:
  Tun(UniqueFd fd, std::uint32_t ifindex) : fd_(std::move(fd)), ifindex_(ifindex) {}
  UniqueFd fd_;
  std::uint32_t ifindex_;
};

}  // namespace devmap
