#include <vm/held_signals.hpp>

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace devmap::vm {

HeldSignals::HeldSignals() {
  sigemptyset(&held_);
  sigaddset(&held_, SIGINT);
  sigaddset(&held_, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &held_, &before_);
  descriptor_ = UniqueFd(signalfd(-1, &held_, SFD_CLOEXEC | SFD_NONBLOCK));
}

HeldSignals::~HeldSignals() {
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

int HeldSignals::take() const {
  signalfd_siginfo taken{};
  if (read(descriptor_.get(), &taken, sizeof taken) != static_cast<ssize_t>(sizeof taken)) return 0;
  return static_cast<int>(taken.ssi_signo);
}

bool is_readable(int descriptor) {
  pollfd watched{descriptor, POLLIN, 0};
  return poll(&watched, 1, 0) > 0;
}

}  // namespace devmap::vm
