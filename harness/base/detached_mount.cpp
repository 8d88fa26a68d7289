#include <harness/base/detached_mount.hpp>

// linux/mount.h and sys/mount.h cannot both be included with glibc 2.36; the system calls and the first suffice.
#include <linux/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace devmap {

Expected<DetachedMount> DetachedMount::open(const char* type, const char* flag) {
  const UniqueFd context(static_cast<int>(syscall(SYS_fsopen, type, FSOPEN_CLOEXEC)));
  if (!context) return last_error("fsopen", type);
  if (flag != nullptr && syscall(SYS_fsconfig, context.get(), FSCONFIG_SET_FLAG, flag, nullptr, 0) != 0) {
    return last_error("fsconfig", flag);
  }
  if (syscall(SYS_fsconfig, context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) {
    return last_error("fsconfig", type);
  }
  UniqueFd root(static_cast<int>(syscall(SYS_fsmount, context.get(), FSMOUNT_CLOEXEC, 0)));
  if (!root) return last_error("fsmount", type);
  return DetachedMount(std::move(root));
}

std::string DetachedMount::path(const std::string& below) const {
  return "/proc/self/fd/" + std::to_string(root_.get()) + "/" + below;
}

}  // namespace devmap
