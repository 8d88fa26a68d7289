#pragma once

#include <harness/base/error.hpp>
#include <vm/architecture.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace devmap::vm {

/// A virtual machine to start.
struct Machine {
  const Architecture* architecture = &usual_architecture();
  std::filesystem::path kernel = {};
  std::filesystem::path root_image = {};
  /// Where the guest's console is appended to.
  std::filesystem::path console = {};
  /// 0 for what the architecture's guests get.
  unsigned cpus = 0;
  /// 0 for what the architecture's guests get.
  unsigned memory_mib = 0;
  /// Appended to the kernel's command line.
  std::string command_line = {};
  /// The console is this program's own standard input and output, and the ports lead nowhere.
  bool interactive = false;
  /// QEMU waits for a debugger on port 1234.
  bool gdb = false;
  /// Its time is counted in instructions: a nanosecond of the guest is one, and waiting takes none of the host's time.
  /// Nothing that happens in it depends on the host, so that two runs of it are the same. x86-64, one processor.
  bool counts_instructions = false;
  /// A guest that has said nothing for as long hangs; its init speaks every second.
  std::chrono::seconds silence{30};
};

/// The descriptors of the sockets that the guest's ports lead to.
struct Ports {
  /// What the guest's init says (vm/wire.hpp).
  int messages = -1;
  /// What the suite says by itself, so that all it has said is here whatever becomes of the guest (run_stream.hpp).
  int stream = -1;
};

/// What the guest's kernel is told.
[[nodiscard]] std::string kernel_command_line(const Machine& machine);

[[nodiscard]] std::vector<std::string> qemu_arguments(const Machine& machine, const Ports& ports);

/// QEMU's path; fails where it is not on this machine, naming the package.
[[nodiscard]] Expected<std::string> find_qemu(const Architecture& architecture);

/// How a guest ended.
enum class Ending : std::uint8_t {
  /// The suite ended, and said so.
  ended,
  /// The kernel gave up.
  panic,
  /// The time was up.
  hang,
  /// The guest's init never spoke.
  never_booted,
  /// QEMU ended, or the guest restarted, while the suite ran.
  killed,
  /// The suite's process died in a guest that lives.
  suite_died,
  /// The host was told to end the run.
  interrupted,
};

[[nodiscard]] std::string_view name_of(Ending ending);

/// All that was seen of a guest.
struct Observed {
  /// The guest's init spoke.
  bool hello = false;
  bool suite_started = false;
  /// The suite was told to end because its time was up.
  bool suite_stopped = false;
  std::string release = {};
  std::vector<std::string> notes = {};
  std::optional<int> suite_exit_code = {};
  /// What came was cut in the middle of a message, or was none.
  bool cut = false;
  std::string console = {};
  bool time_was_up = false;
  /// The guest had spoken, and then said nothing for too long.
  bool fell_silent = false;
  bool interrupted = false;
  int qemu_exit_code = 0;
  std::string qemu_complaint = {};
  std::chrono::duration<double> boot{};
  std::chrono::duration<double> total{};
};

/// What came of a guest.
struct Outcome {
  Ending ending = Ending::killed;
  /// One sentence about it; empty for one that ended as it should.
  std::string reason = {};
};

[[nodiscard]] Outcome judge(const Observed& observed);

/// Hears of what a guest does as it does it.
struct MachineListener {
  /// The suite is being started.
  std::function<void()> started = {};
  /// What the suite prints.
  std::function<void(std::string_view)> output = {};
  /// What comes of the suite's stream, however it is cut.
  std::function<void(std::string_view)> stream = {};
  /// Whether the stream has come to its end, so that there is nothing to wait for once the suite has ended.
  std::function<bool()> has_whole_stream = {};
};

/// Starts the machine and stays with it until it is gone, or `limit` has passed, or `interrupt` (a descriptor; -1 for
/// none) is readable. Can be called from several threads at once. Fails where QEMU cannot be started.
[[nodiscard]] Expected<Observed> run_machine(const std::string& qemu, const Machine& machine,
                                             std::chrono::seconds limit, int interrupt,
                                             const MachineListener& listener);

}  // namespace devmap::vm
