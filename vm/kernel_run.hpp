#pragma once

#include <harness/base/error.hpp>
#include <vm/cache.hpp>
#include <vm/catalogue.hpp>
#include <vm/guest.hpp>
#include <vm/jit.hpp>
#include <vm/machine.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace devmap::vm {

/// What is run on a kernel, and in what machine.
struct KernelRunOptions {
  /// The guest's init and the suite, static executables (read_guest_programs); must outlive the run.
  std::string_view init = {};
  std::string_view suite = {};
  /// The suite's arguments.
  std::vector<std::string> arguments = {};
  /// What is loaded in the guest, where it is a module.
  GuestModules modules = {};
  /// For each boot.
  std::chrono::seconds limit{900};
  /// 0 for what the architecture's guests get, as with memory.
  unsigned cpus = 0;
  unsigned memory_mib = 0;
  /// Appended to the kernel's command line.
  std::string command_line = {};
  Jit jit = Jit::as_is;
  /// What reports call the kernel; its release, if empty.
  std::string label = {};
  /// Whether rules that may crash, hang or exhaust a kernel are checked too, after all others.
  bool dangerous = true;
  /// Known deviations (JSON, as for --known); none if empty.
  std::string known_issues = {};
  /// Where the consoles of all boots are kept; nowhere if empty.
  std::filesystem::path console = {};
  /// A guest that has said nothing for as long hangs.
  std::chrono::seconds silence{30};
  /// How often the guest is booted at most.
  unsigned most_boots = 12;
  /// QEMU waits for a debugger on port 1234; there is no limit to a boot then.
  bool gdb = false;
  /// A descriptor that tells the run to end by becoming readable; -1 for none.
  int interrupt = -1;
  /// Hears of what the suite prints.
  std::function<void(std::string_view)> on_output = {};
};

/// How far a run has come.
struct KernelProgress {
  enum class Phase : std::uint8_t { booting, running, booting_again, ended };

  Phase phase = Phase::booting;
  /// Checks with a result, and all that were asked for; 0 before the suite has said so.
  std::size_t through = 0;
  std::size_t all = 0;
  /// By verdict; only those that occur.
  std::map<std::string, std::size_t> counts = {};
  std::chrono::duration<double> elapsed{};
};

[[nodiscard]] std::string_view name_of(KernelProgress::Phase phase);

/// What came of a run.
struct KernelRun {
  /// How the last boot ended.
  Ending ending = Ending::killed;
  /// One sentence about it; empty for one that ended as it should.
  std::string reason = {};
  /// What a person should be told: the suite's own where it ended as it should in one boot.
  int exit_code = 0;
  /// The result record (JSON), marked partial where checks are left; empty where the suite has not begun.
  std::string record = {};
  /// As in the record.
  std::map<std::string, std::size_t> counts = {};
  /// As uname(2) has it in the guest; empty where it never booted.
  std::string release = {};
  /// Lines about what did not work and may matter.
  std::vector<std::string> notes = {};
  /// The last lines of the last boot's console, where it did not end as it should.
  std::vector<std::string> console_tail = {};
  /// Of the first boot, until the suite was started; 0 where it was not.
  std::chrono::duration<double> boot{};
  /// Of all boots.
  std::chrono::duration<double> total{};
  unsigned boots = 0;
};

/// What the guest is made of, and the machine that it runs in; its root image goes below `scratch`.
[[nodiscard]] GuestParts guest_parts(const Architecture& architecture, const KernelRunOptions& options);
[[nodiscard]] Machine machine_for(const Kernel& kernel, const KernelRunOptions& options,
                                  const std::filesystem::path& scratch);

/// Runs the suite on a kernel to its end, booting again where that takes the guest down. Everything that was found
/// before a guest died is in the record. Can be called from several threads at once; `on_progress` is called in the
/// thread of the call. Fails only where there is no QEMU, or no guest can be made.
[[nodiscard]] Expected<KernelRun> run_kernel(const Kernel& kernel, const KernelRunOptions& options,
                                             const std::function<void(const KernelProgress&)>& on_progress);

}  // namespace devmap::vm
