#pragma once

#include <vm/cache.hpp>
#include <vm/count_stream.hpp>
#include <vm/guest.hpp>
#include <vm/guest_programs.hpp>
#include <vm/jit.hpp>
#include <vm/machine.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace devmap::vm {

/// How a kernel's instructions are counted.
struct CountOptions {
  /// The guest's init, and the benchmarks in place of the suite; must outlive the run.
  const GuestPrograms* programs = nullptr;
  GuestModules modules = {};
  /// A regular expression for names of benchmarks; all that are counted, if empty.
  std::string filter = {};
  /// Appended to the kernel's command line.
  std::string command_line = {};
  Jit jit = Jit::as_is;
  /// For each boot.
  std::chrono::seconds limit{300};
  int interrupt = -1;
};

/// What came of one boot.
struct CountRun {
  Outcome outcome = {};
  /// What the benchmarks ended with; 0 where all were told of.
  int exit_code = 0;
  CountStream stream = {};
  /// Lines about what did not work and may matter, and what the benchmarks complained of.
  std::vector<std::string> notes = {};
  std::vector<std::string> console_tail = {};
  /// What the kernel was told.
  std::string command_line = {};

  [[nodiscard]] bool is_whole() const { return outcome.ending == Ending::ended && exit_code == 0 && stream.has_end(); }
};

/// What goes into the guest's root file system for these options.
[[nodiscard]] GuestParts guest_parts(const CountOptions& options);

/// Boots a kernel and counts; `on_progress` hears how many figures there are so far, and of how many. Can be called
/// from several threads at once. Fails where QEMU cannot be started or no guest can be made.
[[nodiscard]] Expected<CountRun> count_in_guest(const Kernel& kernel, const CountOptions& options,
                                                const std::function<void(std::size_t, std::size_t)>& on_progress);

/// Does so twice, in two guests at a time.
[[nodiscard]] std::vector<Expected<CountRun>> count_twice(
    const Kernel& kernel, const CountOptions& options,
    const std::function<void(std::size_t, std::size_t)>& on_progress);

}  // namespace devmap::vm
