#include <harness/base/resources.hpp>

#include <sched.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>

#include <algorithm>

namespace devmap {

std::uint64_t total_memory() noexcept {
  struct sysinfo machine{};
  sysinfo(&machine);
  return std::uint64_t{machine.totalram} * machine.mem_unit;
}

Expected<void> limit_locked_memory(std::uint64_t bytes) {
  rlimit limit{};
  if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0) return last_error("getrlimit", "RLIMIT_MEMLOCK");
  limit.rlim_cur = bytes;
  if (setrlimit(RLIMIT_MEMLOCK, &limit) != 0) return last_error("setrlimit", "RLIMIT_MEMLOCK");
  return {};
}

Expected<void> allow_descriptor(int fd) {
  const auto needed = static_cast<rlim_t>(fd) + 1;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return last_error("getrlimit", "RLIMIT_NOFILE");
  if (limit.rlim_cur >= needed) return {};
  limit.rlim_cur = needed;
  limit.rlim_max = std::max(limit.rlim_max, needed);
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) return last_error("setrlimit", "RLIMIT_NOFILE");
  return {};
}

Expected<void> stay_on_this_cpu() {
  const int cpu = sched_getcpu();
  if (cpu < 0) return last_error("sched_getcpu");
  cpu_set_t only;
  CPU_ZERO(&only);
  CPU_SET(static_cast<unsigned>(cpu), &only);
  if (sched_setaffinity(0, sizeof only, &only) != 0) return last_error("sched_setaffinity");
  return {};
}

}  // namespace devmap
