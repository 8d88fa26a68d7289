#include <harness/bpf/syscall.hpp>

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace devmap {

long sys_bpf(bpf_cmd command, bpf_attr& attr) noexcept {
  const long result = syscall(SYS_bpf, command, &attr, sizeof attr);
  return result < 0 ? -errno : result;
}

}  // namespace devmap
