// The first and only process of the guest besides the suite: it loads modules, runs the suite, and tells the host what
// came of it. It reads its orders from the file /plan and answers in messages (vm/wire.hpp) on a port of its own.
//
// It must run on Linux 5.10 with nothing beside it in the root file system, so it is linked statically and uses system
// calls only.
#include <dirent.h>
#include <fcntl.h>
#include <linux/reboot.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vm/guest/plan.hpp>
#include <vm/wire.hpp>

namespace devmap::vm {
namespace {

std::string why(std::string_view what) {
  return std::string(what) + ": " + strerror(errno);
}

bool write_whole(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto wrote = write(fd, text.data(), text.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return true;
}

bool read_whole(const char* path, std::string& text) {
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  std::array<char, 65536> block;
  ssize_t got = 0;
  while ((got = read(fd, block.data(), block.size())) > 0) text.append(block.data(), static_cast<std::size_t>(got));
  close(fd);
  return got == 0;
}

/// Opens a port for writing; -1 where it does not appear. Its node comes some time after its driver's module was
/// loaded, and a moment before it can be opened.
int open_port(const char* path) {
  for (int attempt = 0; attempt < 300; ++attempt) {
    const int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd >= 0) return fd;
    usleep(10'000);
  }
  dprintf(STDERR_FILENO, "devmap-vm: %s\n", why(path).c_str());
  return -1;
}

/// The way out. Before the port is there, what is said goes to the console alone.
class Port {
 public:
  void open_at(const char* path) { fd_ = open_port(path); }

  void say(wire::Kind kind, std::string_view text) const {
    if (fd_ < 0) {
      if (kind == wire::Kind::note) write_whole(STDERR_FILENO, text);
      return;
    }
    write_whole(fd_, wire::header(kind, text.size()));
    write_whole(fd_, text);
  }

 private:
  int fd_ = -1;
};

void mount_at(const char* type, const char* place) {
  mkdir(place, 0755);
  if (mount(type, place, type, 0, nullptr) != 0) dprintf(STDERR_FILENO, "devmap-vm: %s\n", why(place).c_str());
}

void load(const std::string& file, const std::string& parameters, const Port& port) {
  const int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0 || syscall(SYS_finit_module, fd, parameters.c_str(), 0) != 0) {
    port.say(wire::Kind::note, why("module " + file) + "\n");
  }
  if (fd >= 0) close(fd);
}

void set(const std::string& file, const std::string& value, const Port& port) {
  const int fd = open(file.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0 || !write_whole(fd, value)) port.say(wire::Kind::note, why("setting " + file) + "\n");
  if (fd >= 0) close(fd);
}

/// Kernels turn transparent huge pages off on machines of less than 512 MiB (mm/huge_memory.c:hugepage_init), also
/// where the command line asks for them. The suite wants them for itself alone; a kernel may have none.
void allow_huge_pages(const Port& port) {
  constexpr const char* kEnabled = "/sys/kernel/mm/transparent_hugepage/enabled";
  if (access(kEnabled, F_OK) == 0) set(kEnabled, "madvise", port);
}

void raise_loopback() {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq request{};
  strncpy(request.ifr_name, "lo", IFNAMSIZ - 1);
  request.ifr_flags = IFF_UP;
  ioctl(fd, SIOCSIFFLAGS, &request);
  close(fd);
}

/// Hands on what the suite prints until it closes its output, and says every second that the guest lives. Its time
/// being up, it is told to end, which it does with a record of what it has; and is killed if it does not.
void watch(pid_t child, int output, unsigned limit_s, const Port& port) {
  constexpr unsigned kSecondsToEnd = 5;
  const auto began = time(nullptr);
  auto last_word = began;
  std::array<char, 16384> block;
  for (bool told = false;;) {
    pollfd readable{output, POLLIN, 0};
    const bool has = poll(&readable, 1, 200) > 0;
    if (has) {
      const auto got = read(output, block.data(), block.size());
      if (got <= 0) return;
      port.say(wire::Kind::output, {block.data(), static_cast<std::size_t>(got)});
    }
    const auto now = time(nullptr);
    if (now != last_word) port.say(wire::Kind::alive, {});
    last_word = now;
    if (limit_s == 0) continue;
    const auto passed = static_cast<unsigned>(now - began);
    if (passed >= limit_s && !told) {
      told = true;
      port.say(wire::Kind::stopped, {});
      kill(child, SIGTERM);
    }
    if (passed >= limit_s + kSecondsToEnd) {
      kill(child, SIGKILL);
      return;
    }
  }
}

/// In a new process, in place of it.
[[noreturn]] void become(const std::vector<std::string>& command) {
  std::vector<std::string> words = command;
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  execv(arguments.front(), arguments.data());
  dprintf(STDERR_FILENO, "%s\n", why(words.front()).c_str());
  _exit(127);
}

/// The device behind /dev/console, which itself gives no job control.
std::string console_device() {
  std::string names;
  read_whole("/sys/class/tty/console/active", names);
  while (!names.empty() && names.back() == '\n') names.pop_back();
  return "/dev/" + names.substr(names.rfind(' ') + 1);
}

/// Gives the console to a program until that ends.
void run_on_console(const Plan& plan) {
  const pid_t child = fork();
  if (child == 0) {
    setsid();
    const int terminal = open(console_device().c_str(), O_RDWR);
    if (terminal >= 0) {
      ioctl(terminal, TIOCSCTTY, 0);
      for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(terminal, standard);
    }
    setenv("PATH", "/bin:/", 1);
    become(plan.command);
  }
  waitpid(child, nullptr, 0);
}

/// Runs the suite with its output going to the host as it comes; the exit code, or 128 + N where signal N ended it.
int run(const Plan& plan, const Port& port) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    port.say(wire::Kind::note, why("pipe") + "\n");
    return 126;
  }
  const pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], STDOUT_FILENO);
    dup2(ends[1], STDERR_FILENO);
    become(plan.command);
  }
  close(ends[1]);
  watch(child, ends[0], plan.limit_s, port);
  int status = 0;
  waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

[[noreturn]] void power_off() {
  sync();
  // QEMU runs with -no-reboot: a restart ends it, on every machine type and without ACPI.
  reboot(LINUX_REBOOT_CMD_RESTART);
  for (;;) pause();
}

void serve() {
  mount_at("proc", "/proc");
  mount_at("sysfs", "/sys");
  mount_at("devtmpfs", "/dev");
  mount_at("tmpfs", "/tmp");
  mount_at("cgroup2", "/sys/fs/cgroup");

  Port port;
  std::string text;
  if (!read_whole("/plan", text)) {
    port.say(wire::Kind::note, why("/plan") + "\n");
    return;
  }
  const Plan plan = parse_plan(text);
  for (const auto& module : plan.transport_modules) load(module.file, module.parameters, port);
  if (!plan.on_console) {
    port.open_at("/dev/vport0p1");
    // The suite opens it by itself.
    if (const int fd = open_port("/dev/vport0p2"); fd >= 0) close(fd);
  }
  utsname machine{};
  uname(&machine);
  port.say(wire::Kind::hello, machine.release);
  for (const auto& module : plan.modules) load(module.file, module.parameters, port);
  for (const auto& setting : plan.settings) set(setting.file, setting.value, port);
  allow_huge_pages(port);
  raise_loopback();
  if (plan.on_console) {
    run_on_console(plan);
    return;
  }
  port.say(wire::Kind::started, {});
  const int code = run(plan, port);
  port.say(wire::Kind::ended, std::to_string(code));
}

}  // namespace
}  // namespace devmap::vm

int main() {
  devmap::vm::serve();
  devmap::vm::power_off();
}
