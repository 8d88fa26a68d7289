#include <bench/rounds/interruption.hpp>

#include <csignal>
#include <initializer_list>

namespace devmap::bench {
namespace {

volatile std::sig_atomic_t came = 0;

void note(int signal) {
  came = signal;
}

}  // namespace

void end_early_on_signals() {
  struct sigaction action{};
  action.sa_handler = note;  // without SA_RESTART: whoever waits wakes
  for (const int signal : {SIGINT, SIGTERM}) sigaction(signal, &action, nullptr);
}

int signal_that_came() noexcept {
  return came;
}

}  // namespace devmap::bench
