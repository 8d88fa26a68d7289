#include <harness/net/netns.hpp>

#include <fcntl.h>
#include <sched.h>

#include <cerrno>
#include <exception>
#include <thread>

namespace devmap {
namespace {

Expected<UniqueFd> open_own_namespace() {
  UniqueFd fd(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!fd) return last_error("open", "/proc/thread-self/ns/net");
  return fd;
}

}  // namespace

Expected<NetNs> NetNs::create() {
  Expected<UniqueFd> made = failure("unshare", 0);
  std::thread([&made] {
    made = unshare(CLONE_NEWNET) == 0 ? open_own_namespace() : Expected<UniqueFd>(last_error("unshare"));
  }).join();
  if (!made) return std::unexpected(made.error());
  return NetNs(std::move(*made));
}

Expected<NetNs> NetNs::current() {
  auto fd = open_own_namespace();
  if (!fd) return std::unexpected(fd.error());
  return NetNs(std::move(*fd));
}

Expected<void> NetNs::run(const std::function<void()>& function) const {
  Expected<void> entered;
  std::exception_ptr thrown;
  std::thread([&] {
    if (setns(fd(), CLONE_NEWNET) != 0) {
      entered = last_error("setns");
      return;
    }
    try {
      function();
    } catch (...) {
      thrown = std::current_exception();
    }
  }).join();
  if (thrown) std::rethrow_exception(thrown);
  return entered;
}

}  // namespace devmap
