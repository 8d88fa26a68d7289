#include <vm/machine.hpp>

#include <vm/console.hpp>
#include <vm/process.hpp>
#include <vm/wire.hpp>

#include <poll.h>
#include <signal.h>
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

/// A panic restarts the guest after a second (panic=1), in which QEMU hands on what the suite had written last: which
/// check was running is known by that. A restart ends QEMU (-no-reboot). On a busy machine timer interrupts are so late
/// that a kernel that checks for them panics, no_timer_check, and tasks get so little time that RCU logs stalls,
/// rcu_cpu_stall_suppress. The rest is for speed, which an emulator has little of: no tests of the
/// kernel's own cryptography, short waits for RCU, and no IPv6, whose part in every network namespace costs as much as
/// all others. No frame of the suite goes through a stack.
constexpr const char* kKernelCommandLine =
    "quiet panic=1 mitigations=off no_timer_check rcupdate.rcu_cpu_stall_suppress=1 cryptomgr.notests "
    "rcupdate.rcu_expedited=1 ipv6.disable=1";

/// The same addresses, stacks and random numbers every time, and the mitigations that the kernel has by itself; the
/// time stamp counter is right by definition.
constexpr const char* kCountingCommandLine =
    "quiet panic=-1 no_timer_check cryptomgr.notests ipv6.disable=1 nokaslr norandmaps randomize_kstack_offset=off "
    "tsc=reliable random.trust_cpu=off";

/// After how many seconds without progress kernels log a task as blocked, if nothing else is said.
constexpr unsigned kUsualHungTaskTimeout = 120;

/// How the guest's init begins when it says on the console that it has no port.
constexpr std::string_view kNoPort = "devmap-vm: /dev/vport";

/// How long the rest of a stream is waited for: the guest restarts at once, and ends QEMU.
constexpr std::chrono::seconds kTimeToEnd{2};

/// How long a guest may take until its init speaks: the slowest that was seen took 20 s on a busy machine.
constexpr std::chrono::seconds kTimeToBoot{180};

void take(wire::Message message, Observed& observed, Clock::time_point began, const MachineListener& listener) {
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
      if (listener.started) listener.started();
      break;
    case wire::Kind::alive:
      break;
    case wire::Kind::output:
      if (listener.output) listener.output(message.text);
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

/// Hands on what has come; false where the other end is closed and nothing more will.
template <class TakeBytes>
bool receive(int port, TakeBytes&& take_bytes) {
  std::array<char, 65536> block;
  for (;;) {
    const auto got = recv(port, block.data(), block.size(), MSG_DONTWAIT);
    if (got > 0) {
      take_bytes({block.data(), static_cast<std::size_t>(got)});
      continue;
    }
    if (got < 0 && errno == EINTR) continue;
    return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
  }
}

/// The two ends of a connection: this process's and QEMU's.
struct Connection {
  UniqueFd here;
  UniqueFd there;
};

Expected<Connection> connection() {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) return last_error("socketpair");
  return Connection{.here = UniqueFd(ends[0]), .there = UniqueFd(ends[1])};
}

/// A path as it stands among QEMU's options, which commas end.
std::string option_text(const std::filesystem::path& path) {
  std::string text;
  for (const char c : path.native()) text.append(c == ',' ? 2 : 1, c);
  return text;
}

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

/// Options by which a guest's time is counted in instructions. -seed is for what QEMU itself draws.
void add_counting(std::vector<std::string>& arguments) {
  arguments.insert(arguments.end(), {"-icount", "shift=0,sleep=off", "-rtc", "base=2024-01-01,clock=vm", "-seed", "1"});
}

/// A processor without string instructions that are said to be fast: of these every byte is counted.
constexpr std::string_view kCountingProcessor = "qemu64";

/// Instructions are counted by one thread only.
constexpr std::string_view kCountingThreads = "single";

}  // namespace

std::string kernel_command_line(const Machine& machine) {
  std::string text = fmt::format("console={} {}", machine.architecture->console,
                                 machine.counts_instructions ? kCountingCommandLine : kKernelCommandLine);
  // A check's own limit tells of one that hangs, and does so first.
  if (const auto enough = 2 * machine.architecture->check_limit_s; enough > kUsualHungTaskTimeout) {
    text += fmt::format(" sysctl.kernel.hung_task_timeout_secs={}", enough);
  }
  // A debugger has the addresses that the kernel was linked for.
  if (machine.gdb) text += " nokaslr";
  if (!machine.command_line.empty()) text += " " + machine.command_line;
  return text;
}

std::vector<std::string> qemu_arguments(const Machine& machine, const Ports& ports) {
  const auto& architecture = *machine.architecture;
  const auto chardev = [](const char* name, int descriptor) {
    return descriptor < 0 ? fmt::format("null,id={}", name) : fmt::format("socket,id={},fd={}", name, descriptor);
  };
  const auto threads = machine.counts_instructions ? kCountingThreads : architecture.tcg_threads;
  std::vector<std::string> arguments = {
      "-accel", fmt::format("tcg,thread={}", threads), "-machine", std::string(architecture.machine), "-cpu",
      std::string(machine.counts_instructions ? kCountingProcessor : architecture.cpu), "-m",
      std::to_string(machine.memory_mib != 0 ? machine.memory_mib : architecture.memory_mib), "-smp",
      std::to_string(machine.cpus != 0 ? machine.cpus : architecture.cpus), "-nodefaults", "-no-user-config",
      "-display", "none", "-monitor", "none", "-nic", "none", "-no-reboot", "-chardev",
      machine.interactive ? "stdio,id=console,signal=off"
                          : fmt::format("file,id=console,path={},append=on", option_text(machine.console)),
      "-serial", "chardev:console", "-device",
      // What a guest writes reaches the host while it writes, and not some time later.
      fmt::format("virtio-serial-{}{}", architecture.virtio_bus, machine.counts_instructions ? ",ioeventfd=off" : ""),
      "-chardev", chardev("messages", ports.messages), "-device", "virtserialport,chardev=messages,nr=1", "-chardev",
      chardev("stream", ports.stream), "-device", "virtserialport,chardev=stream,nr=2", "-kernel",
      machine.kernel.string(), "-initrd", machine.root_image.string(), "-append", kernel_command_line(machine)};
  if (machine.counts_instructions) add_counting(arguments);
  if (machine.gdb) arguments.insert(arguments.end(), {"-gdb", "tcp:127.0.0.1:1234", "-S"});
  return arguments;
}

Expected<std::string> find_qemu(const Architecture& architecture) {
  auto qemu = find_program(std::string(architecture.qemu));
  if (qemu) return *qemu;
  return failure("QEMU", 0,
                 fmt::format("{} is not on this machine; run: apt-get install --no-install-recommends {}",
                             architecture.qemu, architecture.qemu_package));
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
    case Ending::suite_died:
      return "suite died";
    case Ending::interrupted:
      return "interrupted";
  }
  return "unknown";
}

Outcome judge(const Observed& observed) {
  const auto where = observed.suite_started ? "while the suite ran" : "before the suite was started";
  if (observed.suite_exit_code && !observed.cut) {
    if (!observed.suite_stopped) return {Ending::ended, {}};
    return {Ending::hang, fmt::format("the suite did not end in {:.0f} s, and was told to", observed.total.count())};
  }
  if (const auto panic = panic_in(observed.console)) return {Ending::panic, fmt::format("{} {}", *panic, where)};
  if (observed.interrupted) return {Ending::interrupted, fmt::format("interrupted {}", where)};
  if (observed.fell_silent) return {Ending::hang, fmt::format("the guest fell silent {}", where)};
  if (observed.time_was_up && observed.hello) {
    return {Ending::hang, fmt::format("no end after {:.0f} s, {}", observed.total.count(), where)};
  }
  if (!observed.hello) {
    if (observed.time_was_up) {
      return {Ending::never_booted, fmt::format("the guest did not say a word in {:.0f} s", observed.total.count())};
    }
    if (!observed.qemu_complaint.empty()) return {Ending::never_booted, first_line(observed.qemu_complaint)};
    if (observed.console.contains(kNoPort)) {
      return {Ending::never_booted,
              "the guest's init found no port to the host: the kernel has neither built in the drivers virtio_pci and "
              "virtio_console nor modules of them"};
    }
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
                               int interrupt, const MachineListener& listener) {
  auto messages = connection();
  if (!messages) return std::unexpected(messages.error());
  auto stream = connection();
  if (!stream) return std::unexpected(stream.error());
  // The console of an earlier boot may be before this one's.
  std::error_code none_yet;
  const auto console_begin = std::filesystem::file_size(machine.console, none_yet);
  const auto began = Clock::now();
  auto deadline = began + (machine.gdb ? limit : std::min(limit, kTimeToBoot));
  Observed observed;
  const Ports ports{.messages = messages->there.get(), .stream = stream->there.get()};
  auto started = Process::start({.program = qemu,
                                 .arguments = qemu_arguments(machine, ports),
                                 .kept_descriptors = {ports.messages, ports.stream}});
  if (!started) return std::unexpected(started.error());
  messages->there.reset();
  stream->there.reset();

  wire::Reader reader;
  auto last_word = Clock::time_point::max();
  const auto take_all = [&] {
    const bool more_stream = receive(stream->here.get(), [&](std::string_view bytes) {
      last_word = Clock::now();
      if (listener.stream) listener.stream(bytes);
    });
    const bool more = receive(messages->here.get(), [&](std::string_view bytes) {
      last_word = Clock::now();
      reader.feed(bytes);
    });
    while (auto message = reader.next()) take(std::move(*message), observed, began, listener);
    return more && more_stream;
  };
  // What the suite has said by itself may come after the word that it has ended.
  const auto all_is_said = [&] {
    return observed.suite_exit_code && (!listener.has_whole_stream || listener.has_whole_stream());
  };
  std::optional<Clock::time_point> end_of_wait;
  bool open = true;
  while (open && !reader.garbled() && !all_is_said()) {
    if (observed.suite_exit_code) {
      if (!end_of_wait) end_of_wait = Clock::now() + kTimeToEnd;
      deadline = std::min(deadline, *end_of_wait);
    } else if (observed.hello) {
      deadline = began + limit;
    }
    std::array<pollfd, 4> watched = {pollfd{messages->here.get(), POLLIN, 0}, pollfd{stream->here.get(), POLLIN, 0},
                                     pollfd{started->ended_descriptor(), POLLIN, 0}, pollfd{interrupt, POLLIN, 0}};
    const bool has_spoken = last_word != Clock::time_point::max();
    const auto patience = has_spoken ? std::min(deadline, last_word + machine.silence) : deadline;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(patience - Clock::now());
    if (left.count() <= 0) {
      observed.time_was_up = !observed.suite_exit_code;
      observed.fell_silent = observed.time_was_up && patience != deadline;
      break;
    }
    if (poll(watched.data(), watched.size(), static_cast<int>(left.count())) < 0 && errno != EINTR) {
      return last_error("poll");
    }
    const bool gone = (watched[2].revents & POLLIN) != 0;
    open = take_all() && !gone;
    if (interrupt >= 0 && (watched[3].revents & POLLIN) != 0) {
      observed.interrupted = true;
      break;
    }
  }
  observed.cut = reader.garbled() || reader.in_the_middle();
  started->send(SIGKILL);
  const auto finished = started->wait();
  observed.total = Clock::now() - began;
  observed.qemu_exit_code = finished.exit_code;
  observed.qemu_complaint = finished.err;
  if (auto console = read_file(machine.console.string())) {
    observed.console = none_yet ? std::move(*console) : console->substr(std::min(console_begin, console->size()));
  }
  return observed;
}

}  // namespace devmap::vm
