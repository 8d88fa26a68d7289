#pragma once

#include <harness/base/error.hpp>
#include <harness/base/unique_fd.hpp>

#include <string>

namespace devmap {

/// A file system that is mounted nowhere: only this object reaches it, and it goes with the object. Needs
/// CAP_SYS_ADMIN, and fsopen(2) of Linux 5.2.
class DetachedMount {
 public:
  /// type: "bpf", "tracefs". Each call makes a new instance where the file system has instances (bpf), or another way
  /// into the only one (tracefs).
  /// `flag`, where given, is a mount option without a value: "memory" of type "cgroup".
  [[nodiscard]] static Expected<DetachedMount> open(const char* type, const char* flag = nullptr);

  /// The path of a file below its root, good for any system call of this process while the object lives.
  [[nodiscard]] std::string path(const std::string& below) const;

 private:
  explicit DetachedMount(UniqueFd root) : root_(std::move(root)) {}
  UniqueFd root_;
};

}  // namespace devmap
