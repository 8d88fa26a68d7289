#include <harness/base/processor.hpp>

#include <fcntl.h>
#include <sched.h>
#include <sys/file.h>

#include <cerrno>

namespace devmap {

Expected<std::vector<unsigned>> allowed_processors() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return last_error("sched_getaffinity");
  std::vector<unsigned> numbers;
  for (unsigned processor = 0; processor < CPU_SETSIZE; ++processor) {
    if (CPU_ISSET(processor, &allowed)) numbers.push_back(processor);
  }
  return numbers;
}

Expected<void> stay_on_processor(unsigned processor) {
  cpu_set_t only;
  CPU_ZERO(&only);
  CPU_SET(processor, &only);
  if (sched_setaffinity(0, sizeof only, &only) != 0) return last_error("sched_setaffinity");
  return {};
}

Expected<void> claim_processor(unsigned processor) {
  if (auto stays = stay_on_processor(processor); !stays) return stays;
  const sched_param lowest{.sched_priority = 1};
  if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &lowest) != 0) return last_error("sched_setscheduler");
  return {};
}

Expected<MachineTurn> MachineTurn::take() {
  // The program's own file is the same for all its processes, and a lock on it leaves nothing behind.
  UniqueFd program(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  if (!program) return last_error("open", "/proc/self/exe");
  while (flock(program.get(), LOCK_EX) != 0) {
    if (errno != EINTR) return last_error("flock", "/proc/self/exe");
  }
  return MachineTurn(std::move(program));
}

}  // namespace devmap
