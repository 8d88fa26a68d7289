#pragma once

#include <harness/base/error.hpp>

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
  std::filesystem::path kernel = {};
  std::filesystem::path root_image = {};
  /// Where the guest's console is written to.
  std::filesystem::path console = {};
  unsigned cpus = 2;
  unsigned memory_mib = 512;
  /// Appended to the kernel's command line.
  std::string command_line = {};
};

/// QEMU's arguments; `port` is the descriptor of the socket that the guest's port leads to.
[[nodiscard]] std::vector<std::string> qemu_arguments(const Machine& machine, int port);

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
  /// This process was told to end.
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
  /// The suite's record, if it came whole.
  std::optional<std::string> record = {};
  std::optional<int> suite_exit_code = {};
  /// What came was cut in the middle of a message, or was none.
  bool cut = false;
  std::string console = {};
  bool time_was_up = false;
  /// The signal that told this process to end; 0 for none.
  int interrupted_by = 0;
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

/// Hears of what the suite prints.
using OnOutput = std::function<void(std::string_view)>;

/// Starts the machine and stays with it until it is gone; SIGINT and SIGTERM end it. Fails where QEMU cannot be
/// started.
[[nodiscard]] Expected<Observed> run_machine(const std::string& qemu, const Machine& machine,
                                             std::chrono::seconds limit, const OnOutput& on_output);

}  // namespace devmap::vm
