#include <vm/machine.hpp>

#include <vm/console.hpp>
#include <vm/process.hpp>
#include <vm/wire.hpp>

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <harness/base/file.hpp>
#include <harness/base/unique_fd.hpp>

namespace devmap::vm {
namespace {

using Clock = std::chrono::steady_clock;

/// While it lives, SIGINT and SIGTERM are read from a descriptor.
class HeldSignals {
 public:
  HeldSignals() {
    sigemptyset(&held_);
    sigaddset(&held_, SIGINT);
    sigaddset(&held_, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &held_, &before_);
    descriptor_ = UniqueFd(signalfd(-1, &held_, SFD_CLOEXEC | SFD_NONBLOCK));
  }
  HeldSignals(const HeldSignals&) = delete;
  HeldSignals& operator=(const HeldSignals&) = delete;
  HeldSignals(HeldSignals&&) = delete;
  HeldSignals& operator=(HeldSignals&&) = delete;
  ~HeldSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

  [[nodiscard]] int descriptor() const { return descriptor_.get(); }

  /// Takes a signal that has come, so that it does not strike when this object goes.
  [[nodiscard]] int take() const {
    signalfd_siginfo taken{};
    if (read(descriptor_.get(), &taken, sizeof taken) != static_cast<ssize_t>(sizeof taken)) return SIGINT;
    return static_cast<int>(taken.ssi_signo);
  }

 private:
  sigset_t held_{};
  sigset_t before_{};
  UniqueFd descriptor_;
};

void take(wire::Message message, Observed& observed, Clock::time_point began, const OnOutput& on_output) {
  switch (message.kind) {
    case wire::Kind::hello:
      observed.hello = true;
      observed.release = std::move(message.text);
      break;
    case wire::Kind::note:
      while (message.text.ends_with('\n')) message.text.pop_back();
      observed.notes.push_back(std::move(message.text));
      break;
    case wire::Kind::started:
      observed.suite_started = true;
      observed.boot = Clock::now() - began;
      break;
    case wire::Kind::output:
      on_output(message.text);
      break;
    case wire::Kind::record:
      observed.record = std::move(message.text);
      break;
    case wire::Kind::stopped:
      observed.suite_stopped = true;
      break;
    case wire::Kind::ended: {
      int code = 0;
      std::from_chars(message.text.data(), message.text.data() + message.text.size(), code);
      observed.suite_exit_code = code;
      break;
    }
  }
}

/// Takes what has come; false where the other end is closed and nothing more will.
bool receive(int port, wire::Reader& reader) {
  std::array<char, 65536> block;
  for (;;) {
    const auto got = recv(port, block.data(), block.size(), MSG_DONTWAIT);
    if (got > 0) {
      reader.feed({block.data(), static_cast<std::size_t>(got)});
      continue;
    }
    if (got < 0 && errno == EINTR) continue;
    return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
  }
}

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

}  // namespace

std::vector<std::string> qemu_arguments(const Machine& machine, int port) {
  // A panic restarts the guest at once (panic=-1), and a restart ends QEMU (-no-reboot). One thread for all of the
  // guest's processors: with one for each, a kernel that patches its own code was seen to fault.
  std::string command_line = "console=ttyS0 quiet panic=-1 mitigations=off";
  if (!machine.command_line.empty()) command_line += " " + machine.command_line;
  return {"-accel",
          "tcg,thread=single",
          "-machine",
          "q35",
          "-cpu",
          "max",
          "-m",
          std::to_string(machine.memory_mib),
          "-smp",
          std::to_string(machine.cpus),
          "-nodefaults",
          "-no-user-config",
          "-display",
          "none",
          "-monitor",
          "none",
          "-nic",
          "none",
          "-no-reboot",
          "-serial",
          "file:" + machine.console.string(),
          "-device",
          "virtio-serial-pci",
          "-chardev",
          fmt::format("socket,id=port,fd={}", port),
          "-device",
          "virtserialport,chardev=port,name=devmap",
          "-kernel",
          machine.kernel.string(),
          "-initrd",
          machine.root_image.string(),
          "-append",
          command_line};
}

std::string_view name_of(Ending ending) {
  switch (ending) {
    case Ending::ended:
      return "ended";
    case Ending::panic:
      return "panic";
    case Ending::hang:
      return "hang";
    case Ending::never_booted:
      return "never booted";
    case Ending::killed:
      return "killed";
    case Ending::interrupted:
      return "interrupted";
  }
  return "unknown";
}

Outcome judge(const Observed& observed) {
  const auto where = observed.suite_started ? "while the suite ran" : "before the suite was started";
  if (observed.suite_exit_code && !observed.cut) {
    if (!observed.suite_stopped) return {Ending::ended, {}};
    return {Ending::hang, fmt::format("the suite did not end in {:.0f} s, and was told to; {}", observed.total.count(),
                                      observed.record ? "its record has what was through" : "it left no record")};
  }
  if (const auto panic = panic_in(observed.console)) return {Ending::panic, fmt::format("{} {}", *panic, where)};
  if (observed.interrupted_by != 0) return {Ending::interrupted, fmt::format("interrupted {}", where)};
  if (observed.time_was_up && observed.hello) {
    return {Ending::hang, fmt::format("no end after {:.0f} s, {}", observed.total.count(), where)};
  }
  if (!observed.hello) {
    if (observed.time_was_up) {
      return {Ending::never_booted, fmt::format("the guest did not say a word in {:.0f} s", observed.total.count())};
    }
    if (!observed.qemu_complaint.empty()) return {Ending::never_booted, first_line(observed.qemu_complaint)};
    return {Ending::never_booted,
            kernel_spoke(observed.console)
                ? "the kernel began to boot, and restarted without reaching the guest's init or its port"
                : fmt::format("QEMU ended with {} before the kernel said a word", observed.qemu_exit_code)};
  }
  std::string reason = fmt::format("the machine ended {} (QEMU: {})", where, observed.qemu_exit_code);
  if (observed.cut) reason += "; what it was sending was cut";
  if (!observed.qemu_complaint.empty()) reason += ": " + first_line(observed.qemu_complaint);
  return {Ending::killed, reason};
}

Expected<Observed> run_machine(const std::string& qemu, const Machine& machine, std::chrono::seconds limit,
                               const OnOutput& on_output) {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) return last_error("socketpair");
  const UniqueFd port(ends[0]);
  UniqueFd guest_end(ends[1]);
  const auto began = Clock::now();
  const auto deadline = began + limit;
  Observed observed;
  const HeldSignals signals;
  auto started = Process::start(
      {.program = qemu, .arguments = qemu_arguments(machine, guest_end.get()), .kept_descriptor = guest_end.get()});
  if (!started) return std::unexpected(started.error());
  guest_end.reset();

  wire::Reader reader;
  bool open = true;
  while (open && !reader.garbled()) {
    std::array<pollfd, 3> watched = {pollfd{port.get(), POLLIN, 0}, pollfd{started->ended_descriptor(), POLLIN, 0},
                                     pollfd{signals.descriptor(), POLLIN, 0}};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) {
      observed.time_was_up = true;
      break;
    }
    if (poll(watched.data(), watched.size(), static_cast<int>(left.count())) < 0 && errno != EINTR) {
      return last_error("poll");
    }
    const bool gone = (watched[1].revents & POLLIN) != 0;
    open = receive(port.get(), reader) && !gone;
    while (auto message = reader.next()) take(std::move(*message), observed, began, on_output);
    if ((watched[2].revents & POLLIN) != 0) {
      observed.interrupted_by = signals.take();
      break;
    }
    if (observed.suite_exit_code) break;
  }
  observed.cut = reader.garbled() || reader.in_the_middle();
  started->send(SIGKILL);
  const auto finished = started->wait();
  observed.total = Clock::now() - began;
  observed.qemu_exit_code = finished.exit_code;
  observed.qemu_complaint = finished.err;
  if (auto console = read_file(machine.console.string())) observed.console = std::move(*console);
  return observed;
}

}  // namespace devmap::vm
