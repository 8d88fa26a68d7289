#pragma once

#include <harness/base/error.hpp>
#include <harness/base/unique_fd.hpp>

#include <functional>
#include <string>

namespace devmap {

/// A network namespace, held open. It and its devices go when the last holder does; the kernel takes its time over
/// that.
class NetNs {
 public:
  /// A new one, with nothing in it but a loopback device that is down.
  [[nodiscard]] static Expected<NetNs> create();
  /// The calling thread's.
  [[nodiscard]] static Expected<NetNs> current();
  /// One that has a file: /run/netns/NAME, /proc/PID/ns/net.
  [[nodiscard]] static Expected<NetNs> open(const std::string& path);

  [[nodiscard]] int fd() const noexcept { return fd_.get(); }

  /// Runs the function on a thread of its own inside this namespace, and returns when it has ended. Sockets and map
  /// entries made there belong to this namespace; exceptions come out here.
  [[nodiscard]] Expected<void> run(const std::function<void()>& function) const;

 private:
  explicit NetNs(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

}  // namespace devmap
