#include <vm/command_support.hpp>
#include <vm/commands.hpp>
#include <vm/files.hpp>
#include <vm/guest_programs.hpp>
#include <vm/held_signals.hpp>
#include <vm/kernel_run.hpp>
#include <vm/kernel_source.hpp>
#include <vm/progress_line.hpp>

#include <fmt/format.h>
#include <algorithm>
#include <cstdio>
#include <optional>
#include <string_view>

namespace devmap::vm {
namespace {

std::string quoted(const std::string& word) {
  const bool is_plain = std::ranges::all_of(word, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-_./=,:+").contains(c);
  });
  return is_plain && !word.empty() ? word : "'" + word + "'";
}

int print_command_line(const std::string& qemu, const Kernel& kernel, const KernelRunOptions& options) {
  const Machine machine{.architecture = kernel.architecture,
                        .kernel = kernel.image,
                        .root_image = "root.cpio",
                        .console = options.console.empty() ? "console" : options.console,
                        .cpus = options.cpus,
                        .memory_mib = options.memory_mib,
                        .command_line = options.command_line};
  std::string line = qemu;
  for (const auto& word : qemu_arguments(machine, {.messages = 3, .stream = 4})) line += " " + quoted(word);
  fmt::print("{}\n", line);
  return kExitDone;
}

void tell_of_failure(const std::string& kernel, const KernelRun& run) {
  mention(fmt::format("{}: {}: {}", kernel, name_of(run.ending), run.reason));
  if (run.console_tail.empty()) return;
  fmt::print(stderr, "devmap-vm: the last lines of the console:\n");
  for (const auto& line : run.console_tail) fmt::print(stderr, "  {}\n", line);
}

}  // namespace

int run_suite(const std::string& catalogue_file, const RunOptions& options) {
  const auto catalogue = read_catalogue(catalogue_file);
  if (!catalogue) return complain(catalogue.error().text(), kExitUsage);
  std::optional<TemporaryDirectory> unpacked;
  auto kernel = find_kernel(*catalogue, options.kernel, unpacked);
  if (!kernel) return complain(kernel.error().text(), kExitMissing);
  if (catalogue->find(options.kernel) == nullptr) {
    kernel->architecture = architecture_named(options.architecture);
    kernel->suite_architecture = kernel->architecture;
  }
  if (!options.suite_architecture.empty()) kernel->suite_architecture = architecture_named(options.suite_architecture);
  const auto qemu = find_qemu(*kernel->architecture);
  if (!qemu) return complain(qemu.error().text(), kExitMissing);
  if (!options.modules.empty()) kernel->modules = options.modules;
  const auto programs = read_guest_programs(*kernel->architecture, *kernel->suite_architecture, options.suite);
  if (!programs) return complain(programs.error().text(), kExitMissing);
  const HeldSignals signals;
  ProgressLine progress(kernel->name);
  const KernelRunOptions how{.init = programs->init,
                             .suite = programs->suite,
                             .arguments = options.arguments,
                             .modules = catalogue->guest,
                             .limit = options.limit,
                             .cpus = options.cpus,
                             .memory_mib = options.memory_mib,
                             .command_line = options.command_line,
                             .console = options.console,
                             .interrupt = signals.descriptor(),
                             .on_output = [&progress](std::string_view text) {
                               progress.clear();
                               std::fwrite(text.data(), 1, text.size(), stdout);
                               std::fflush(stdout);
                             }};
  if (options.dry_run) return print_command_line(*qemu, *kernel, how);

  const auto run = run_kernel(*kernel, how, [&progress](const KernelProgress& now) { progress.show(now); });
  progress.clear();
  if (!run) return complain(run.error().text(), kExitBroken);
  for (const auto& note : run->notes) mention(fmt::format("{}: {}", kernel->name, note));
  if (run->ending != Ending::ended) tell_of_failure(kernel->name, *run);
  int code = run->exit_code;
  if (!options.record.empty() && !run->record.empty()) {
    if (auto written = write_to(options.record, run->record); !written) {
      code = complain(written.error().text(), kExitBroken);
    }
  }
  if (run->boot.count() > 0) {
    mention(
        fmt::format("{}: booted in {:.1f} s, {:.1f} s in all", kernel->name, run->boot.count(), run->total.count()));
  }
  if (const int signal = signals.take(); signal != 0) return 128 + signal;
  return code;
}

}  // namespace devmap::vm
