#include <harness/base/memory_cgroup.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>
#include <harness/base/file.hpp>
#include <harness/base/scope_exit.hpp>
#include <harness/base/unique_fd.hpp>
#include <sstream>

namespace devmap {
namespace {

Expected<void> write_to(const std::string& file, const std::string& text) {
  const UniqueFd opened(open(file.c_str(), O_WRONLY | O_CLOEXEC));
  if (!opened) return last_error("open", file);
  return write_all(opened.get(), text);
}

bool has_word(const std::string& text, std::string_view word) {
  std::istringstream words(text);
  for (std::string one; words >> one;) {
    if (one == word) return true;
  }
  return false;
}

/// This process's group in the hierarchy whose line of /proc/self/cgroup has these controllers: "memory", or "" of
/// version 2.
Expected<std::string> own_group(const std::string& controllers) {
  const auto text = read_file("/proc/self/cgroup");
  if (!text) return std::unexpected(text.error());
  std::istringstream lines(*text);
  for (std::string line; std::getline(lines, line);) {
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    if (line.substr(first + 1, second - first - 1) == controllers) return line.substr(second + 1);
  }
  return failure("own cgroup", 0, "/proc/self/cgroup has no line for '" + controllers + "'");
}

/// The nearest group, from this one upwards, that hands the memory controller to its children; the root is made to.
Expected<std::string> parent_in_version_2(const DetachedMount& mount, std::string group) {
  for (;;) {
    const auto handed = read_file(mount.path(group + "/cgroup.subtree_control"));
    if (handed && has_word(*handed, "memory")) return group;
    const auto slash = group.rfind('/');
    if (slash == std::string::npos) break;
    group.resize(slash);
  }
  if (auto told = write_to(mount.path("cgroup.subtree_control"), "+memory"); !told) {
    return std::unexpected(told.error());
  }
  return std::string();
}

Expected<bool> has_memory_controller(const DetachedMount& version_2) {
  const auto controllers = read_file(version_2.path("cgroup.controllers"));
  if (!controllers) return std::unexpected(controllers.error());
  return has_word(*controllers, "memory");
}

}  // namespace

MemoryCgroup::Group::~Group() {
  rmdir(mount.path(path).c_str());
}

Expected<MemoryCgroup> MemoryCgroup::create() {
  auto mount = DetachedMount::open("cgroup2");
  const bool version_2 = mount && has_memory_controller(*mount).value_or(false);
  if (!version_2) mount = DetachedMount::open("cgroup", "memory");
  if (!mount) return std::unexpected(mount.error());
  const auto home = own_group(version_2 ? "" : "memory");
  if (!home) return std::unexpected(home.error());
  const auto parent = version_2 ? parent_in_version_2(*mount, *home) : home;
  if (!parent) return std::unexpected(parent.error());
  const auto path = fmt::format("{}/devmap-conformance.{}", *parent, getpid());
  if (mkdir(mount->path(path).c_str(), 0755) != 0) return last_error("mkdir", path);
  return MemoryCgroup(std::make_unique<Group>(std::move(*mount), version_2, *home, path));
}

Expected<void> MemoryCgroup::run(const std::function<void()>& function) const {
  if (auto entered = write_to(group_->file("cgroup.procs"), "0"); !entered) return entered;
  Expected<void> left;
  {
    const ScopeExit leave([&] { left = write_to(group_->mount.path(group_->home + "/cgroup.procs"), "0"); });
    function();
  }
  return left;
}

Expected<std::uint64_t> MemoryCgroup::usage() const {
  const auto file = group_->file(group_->version_2 ? "memory.current" : "memory.usage_in_bytes");
  const auto text = read_file(file);
  if (!text) return std::unexpected(text.error());
  return std::stoull(*text);
}

Expected<void> MemoryCgroup::drain() const {
  if (!group_->version_2) return write_to(group_->file("memory.force_empty"), "0");
  // Unlike with memory.max, nothing is killed for what is in use beyond this.
  auto drained = write_to(group_->file("memory.high"), "0");
  auto reset = write_to(group_->file("memory.high"), "max");
  return drained ? reset : drained;
}

Expected<void> MemoryCgroup::limit(std::uint64_t bytes) const {
  return write_to(group_->file(group_->version_2 ? "memory.max" : "memory.limit_in_bytes"), fmt::format("{}", bytes));
}

Expected<void> MemoryCgroup::lift_limit() const {
  if (group_->version_2) return write_to(group_->file("memory.max"), "max");
  return write_to(group_->file("memory.limit_in_bytes"), "-1");
}

}  // namespace devmap
