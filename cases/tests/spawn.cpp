#include <cases/tests/spawn.hpp>

#include <poll.h>
#include <signal.h>

#include <algorithm>
#include <stdexcept>
#include <utility>
#include <vm/process.hpp>

namespace devmap::test {
namespace {

vm::Process start(const Command& command) {
  auto started =
      vm::Process::start({.program = command.program, .arguments = command.arguments, .prepare = command.prepare});
  if (!started) throw std::runtime_error(started.error().text());
  return std::move(*started);
}

}  // namespace

struct Spawned::State {
  std::chrono::steady_clock::time_point deadline;
  vm::Process process;
};

Spawned::Spawned(const Command& command)
    : state_(std::make_unique<State>(
          State{.deadline = std::chrono::steady_clock::now() + command.deadline, .process = start(command)})) {}

Spawned::Spawned(Spawned&&) noexcept = default;

Spawned::~Spawned() = default;

int Spawned::pid() const {
  return state_->process.pid();
}

void Spawned::send(int signal) const {
  state_->process.send(signal);
}

std::string Spawned::out_so_far() const {
  return state_->process.out_so_far();
}

Finished Spawned::wait() {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(state_->deadline - std::chrono::steady_clock::now());
  pollfd ended{state_->process.ended_descriptor(), POLLIN, 0};
  const bool past_deadline = poll(&ended, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0))) == 0;
  if (past_deadline) send(SIGKILL);
  auto finished = state_->process.wait();
  return {.exit_code = finished.exit_code,
          .out = std::move(finished.out),
          .err = std::move(finished.err),
          .past_deadline = past_deadline};
}

Finished run(const Command& command) {
  return Spawned(command).wait();
}

}  // namespace devmap::test
