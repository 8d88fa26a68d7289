#include <vm/process.hpp>

// Boost 1.86 moved what is used here into a directory and a namespace of its own.
#if __has_include(<boost/process/v1/child.hpp>)
#include <boost/process/v1/args.hpp>
#include <boost/process/v1/child.hpp>
#include <boost/process/v1/env.hpp>
#include <boost/process/v1/environment.hpp>
#include <boost/process/v1/exe.hpp>
#include <boost/process/v1/extend.hpp>
#include <boost/process/v1/io.hpp>
namespace process = boost::process::v1;
#else
#include <boost/process/args.hpp>
#include <boost/process/child.hpp>
#include <boost/process/env.hpp>
#include <boost/process/environment.hpp>
#include <boost/process/exe.hpp>
#include <boost/process/extend.hpp>
#include <boost/process/io.hpp>
namespace process = boost::process;
#endif

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <harness/base/unique_fd.hpp>
#include <mutex>
#include <sstream>
#include <system_error>

namespace devmap::vm {
namespace {

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

/// A file without a name, so that no pipe can fill up and no reader has to keep pace.
File nameless_file() {
  File file(std::tmpfile());
  if (file) fcntl(fileno(file.get()), F_SETFD, FD_CLOEXEC);
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

int exit_code_of(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/// Of a process when it has ended, which is left to be waited for.
std::chrono::microseconds cpu_time_of(pid_t process) {
  siginfo_t ended{};
  rusage used{};
  // The system call tells the usage; the C library's waitid does not.
  while (syscall(SYS_waitid, P_PID, process, &ended, WEXITED | WNOWAIT, &used) != 0) {
    if (errno != EINTR) return {};
  }
  const auto duration = [](const timeval& time) {
    return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
  };
  return duration(used.ru_utime) + duration(used.ru_stime);
}

}  // namespace

struct Process::State {
  File out = nameless_file();
  File err = nameless_file();
  process::child child;
  UniqueFd ended;
};

Expected<Process> Process::start(const Invocation& invocation) {
  auto state = std::make_unique<State>();
  if (!state->out || !state->err) return last_error("temporary file", invocation.program);
  process::environment environment = boost::this_process::environment();
  for (const auto& [name, value] : invocation.environment) environment[name] = value;
  const pid_t parent = getpid();
  const auto prepare = [&invocation, parent](auto&) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(127);
    for (const int kept : invocation.kept_descriptors) fcntl(kept, F_SETFD, 0);
    if (!invocation.directory.empty() && chdir(invocation.directory.c_str()) != 0) _exit(127);
    if (!invocation.prepare || invocation.prepare()) return;
    dprintf(STDERR_FILENO, "not started: %s\n", strerror(errno));
    _exit(126);
  };
  // Boost's pipe to the new process is for a moment inherited by whatever else is started then, and read until all have
  // closed it.
  static std::mutex one_at_a_time;
  const std::lock_guard alone(one_at_a_time);
  std::error_code failed;
  state->child = process::child(process::exe = invocation.program, process::args = invocation.arguments, environment,
                                process::std_in<process::null, process::std_out> state->out.get(),
                                process::std_err > state->err.get(), failed, process::extend::on_exec_setup(prepare));
  if (failed) return failure("start", failed.value(), invocation.program);
  state->ended = UniqueFd(static_cast<int>(syscall(SYS_pidfd_open, state->child.id(), 0)));
  Process started(std::move(state));
  if (!started.state_->ended) return last_error("pidfd_open", invocation.program);
  return started;
}

Process::Process(std::unique_ptr<State> state) : state_(std::move(state)) {}

Process::Process(Process&&) noexcept = default;

Process::~Process() {
  if (!state_ || !state_->child.joinable()) return;
  ::kill(pid(), SIGKILL);
  std::error_code ignored;
  state_->child.wait(ignored);
}

int Process::pid() const {
  return state_->child.id();
}

int Process::ended_descriptor() const {
  return state_->ended.get();
}

void Process::send(int signal) const {
  syscall(SYS_pidfd_send_signal, state_->ended.get(), signal, nullptr, 0);
}

std::string Process::out_so_far() const {
  return content(state_->out.get());
}

Finished Process::wait() {
  const auto cpu_time = cpu_time_of(pid());
  std::error_code ignored;
  state_->child.wait(ignored);
  return {.exit_code = exit_code_of(state_->child.native_exit_code()),
          .out = content(state_->out.get()),
          .err = content(state_->err.get()),
          .cpu_time = cpu_time};
}

Expected<Finished> run(const Invocation& invocation) {
  auto started = Process::start(invocation);
  if (!started) return std::unexpected(started.error());
  return started->wait();
}

Expected<int> run_in_foreground(const Invocation& invocation) {
  const auto prepare = [](auto&) { prctl(PR_SET_PDEATHSIG, SIGKILL); };
  std::error_code failed;
  process::child child(process::exe = invocation.program, process::args = invocation.arguments, failed,
                       process::extend::on_exec_setup(prepare));
  if (failed) return failure("start", failed.value(), invocation.program);
  child.wait(failed);
  return exit_code_of(child.native_exit_code());
}

std::optional<std::string> find_program(const std::string& name) {
  const auto usable = [](const std::string& path) { return access(path.c_str(), X_OK) == 0; };
  if (name.contains('/')) return usable(name) ? std::optional(name) : std::nullopt;
  const char* const path = std::getenv("PATH");
  std::istringstream directories(path != nullptr ? path : "/usr/bin:/bin");
  for (std::string directory; std::getline(directories, directory, ':');) {
    auto candidate = directory + "/" + name;
    if (!directory.empty() && usable(candidate)) return candidate;
  }
  return std::nullopt;
}

}  // namespace devmap::vm
