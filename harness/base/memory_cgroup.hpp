#pragma once

#include <harness/base/detached_mount.hpp>
#include <harness/base/error.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace devmap {

/// A control group of its own that counts memory, made near this process's own one, in cgroup version 2 or 1, whichever
/// has the memory controller. It goes with this object. Where version 2 hands the controller to nobody yet, the root is
/// told to, and stays told: other processes may count on it by then.
class MemoryCgroup {
 public:
  [[nodiscard]] static Expected<MemoryCgroup> create();

  /// Runs the function while this process belongs to the group. What the kernel allocates for it meanwhile is counted
  /// there for as long as it is kept; BPF maps made there count there whatever they grow by later, and whoever makes
  /// them grow.
  [[nodiscard]] Expected<void> run(const std::function<void()>& function) const;

  /// Bytes counted now. The kernel counts some in advance, up to 64 pages a CPU.
  [[nodiscard]] Expected<std::uint64_t> usage() const;
  /// Gives back what is counted in advance (mm/memcontrol.c:drain_all_stock), on other CPUs a moment later; on each,
  /// less than a page may remain.
  [[nodiscard]] Expected<void> drain() const;
  /// What may be counted at most, in bytes; refused by version 1 where more is counted already.
  [[nodiscard]] Expected<void> limit(std::uint64_t bytes) const;
  [[nodiscard]] Expected<void> lift_limit() const;

 private:
  struct Group {
    DetachedMount mount;
    bool version_2;
    /// Where this process belongs, and the group, both below the mount's root.
    std::string home;
    std::string path;

    Group(DetachedMount mount_, bool version_2_, std::string home_, std::string path_)
        : mount(std::move(mount_)), version_2(version_2_), home(std::move(home_)), path(std::move(path_)) {}
    Group(const Group&) = delete;
    Group& operator=(const Group&) = delete;
    Group(Group&&) = delete;
    Group& operator=(Group&&) = delete;
    ~Group();

    [[nodiscard]] std::string file(const std::string& name) const { return mount.path(path + "/" + name); }
  };
  explicit MemoryCgroup(std::unique_ptr<Group> group) : group_(std::move(group)) {}

  std::unique_ptr<Group> group_;
};

}  // namespace devmap
