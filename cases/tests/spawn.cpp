#include <cases/tests/spawn.hpp>

// Boost 1.86 moved what these tests use into a directory and a namespace of its own.
#if __has_include(<boost/process/v1/child.hpp>)
#include <boost/process/v1/args.hpp>
#include <boost/process/v1/child.hpp>
#include <boost/process/v1/exe.hpp>
#include <boost/process/v1/extend.hpp>
#include <boost/process/v1/io.hpp>
namespace process = boost::process::v1;
#else
#include <boost/process/args.hpp>
#include <boost/process/child.hpp>
#include <boost/process/exe.hpp>
#include <boost/process/extend.hpp>
#include <boost/process/io.hpp>
namespace process = boost::process;
#endif

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <harness/base/unique_fd.hpp>
#include <stdexcept>

namespace devmap::test {
namespace {

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

/// A file without a name, so that no pipe can fill up and no reader has to keep pace.
File nameless_file() {
  File file(std::tmpfile());
  if (!file) throw std::runtime_error("no temporary file");
  fcntl(fileno(file.get()), F_SETFD, FD_CLOEXEC);
  return file;
}

std::string content(std::FILE* file) {
  std::string text;
  std::array<char, 65536> block;
  for (ssize_t got = 0; (got = pread(fileno(file), block.data(), block.size(), static_cast<off_t>(text.size()))) > 0;) {
    text.append(block.data(), static_cast<std::size_t>(got));
  }
  return text;
}

}  // namespace

struct Spawned::State {
  File out = nameless_file();
  File err = nameless_file();
  std::chrono::steady_clock::time_point deadline;
  process::child child;
  UniqueFd ended;
};

Spawned::Spawned(const Command& command) : state_(std::make_unique<State>()) {
  state_->deadline = std::chrono::steady_clock::now() + command.deadline;
  state_->child =
      process::child(process::exe = command.program, process::args = command.arguments,
                     process::std_in<process::null, process::std_out> state_->out.get(),
                     process::std_err > state_->err.get(), process::extend::on_exec_setup([&command](auto&) {
                       if (!command.prepare || command.prepare()) return;
                       dprintf(STDERR_FILENO, "not started: %s\n", strerror(errno));
                       _exit(126);
                     }));
  state_->ended = UniqueFd(static_cast<int>(syscall(SYS_pidfd_open, pid(), 0)));
  if (!state_->ended) throw std::runtime_error("pidfd_open");
}

Spawned::Spawned(Spawned&&) noexcept = default;

Spawned::~Spawned() {
  if (!state_ || !state_->child.joinable()) return;
  send(SIGKILL);
  state_->child.wait();
}

int Spawned::pid() const {
  return state_->child.id();
}

void Spawned::send(int signal) const {
  syscall(SYS_pidfd_send_signal, state_->ended.get(), signal, nullptr, 0);
}

std::string Spawned::out_so_far() const {
  return content(state_->out.get());
}

Finished Spawned::wait() {
  Finished finished;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(state_->deadline - std::chrono::steady_clock::now());
  pollfd ended{state_->ended.get(), POLLIN, 0};
  if (poll(&ended, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0))) == 0) {
    finished.past_deadline = true;
    send(SIGKILL);
  }
  state_->child.wait();
  const int status = state_->child.native_exit_code();
  finished.exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  finished.out = content(state_->out.get());
  finished.err = content(state_->err.get());
  return finished;
}

Finished run(const Command& command) {
  return Spawned(command).wait();
}

}  // namespace devmap::test
