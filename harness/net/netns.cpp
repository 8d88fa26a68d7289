#include <harness/net/netns.hpp>

#include <fcntl.h>
#include <sched.h>

#include <cerrno>
#include <harness/base/own_thread.hpp>

namespace devmap {
namespace {

Expected<UniqueFd> open_own_namespace() {
  UniqueFd fd(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!fd) return last_error("open", "/proc/thread-self/ns/net");
  return fd;
}

}  // namespace

Expected<NetNs> NetNs::create() {
  UniqueFd made;
  const auto entered = on_own_thread(
      [&made]() -> Expected<void> {
        if (unshare(CLONE_NEWNET) != 0) return last_error("unshare");
        auto own = open_own_namespace();
        if (!own) return std::unexpected(own.error());
        made = std::move(*own);
        return {};
      },
      [] {});
  if (!entered) return std::unexpected(entered.error());
  return NetNs(std::move(made));
}

Expected<NetNs> NetNs::current() {
  auto fd = open_own_namespace();
  if (!fd) return std::unexpected(fd.error());
  return NetNs(std::move(*fd));
}

Expected<NetNs> NetNs::open(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return last_error("open", path);
  return NetNs(std::move(fd));
}

Expected<void> NetNs::run(const std::function<void()>& function) const {
  const auto enter = [this]() -> Expected<void> {
    if (setns(fd(), CLONE_NEWNET) != 0) return last_error("setns");
    return {};
  };
  return on_own_thread(enter, function);
}

}  // namespace devmap
