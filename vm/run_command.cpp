#include <vm/architecture.hpp>
#include <vm/command_support.hpp>
#include <vm/commands.hpp>
#include <vm/embedded.hpp>
#include <vm/fetch_command.hpp>
#include <vm/files.hpp>
#include <vm/guest.hpp>
#include <vm/guest_programs.hpp>
#include <vm/held_signals.hpp>
#include <vm/kernel_run.hpp>
#include <vm/kernel_source.hpp>
#include <vm/machine.hpp>
#include <vm/process.hpp>
#include <vm/progress_line.hpp>
#include <vm/shared_run.hpp>
#include <vm/statements.hpp>

#include <unistd.h>

#include <fmt/format.h>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <harness/base/file.hpp>
#include <harness/record/format.hpp>
#include <harness/record/read.hpp>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>

namespace devmap::vm {
namespace {

std::string quoted(const std::string& word) {
  const bool is_plain = std::ranges::all_of(word, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-_./=,:+").contains(c);
  });
  return is_plain && !word.empty() ? word : "'" + word + "'";
}

int print_command_line(const std::string& qemu, Machine machine, const RunOptions& options) {
  machine.interactive = options.shell;
  if (options.console.empty()) machine.console = "console";
  const auto ports = options.shell ? Ports{} : Ports{.messages = 3, .stream = 4};
  std::string line = qemu;
  for (const auto& word : qemu_arguments(machine, ports)) line += " " + quoted(word);
  fmt::print("{}\n", line);
  return kExitDone;
}

/// Boots a guest with a shell on its console, which is this program's own input and output.
int open_shell(const std::string& qemu, const Kernel& kernel, const KernelRunOptions& how) {
  if (!kernel.architecture->runs(usual_architecture())) {
    return complain(fmt::format("--shell: there is no shell for {} here", kernel.architecture->name), kExitMissing);
  }
  const auto busybox = find_program("busybox");
  if (!busybox) {
    return complain(
        "--shell: busybox is not on this machine; run: apt-get install --no-install-recommends busybox-static",
        kExitMissing);
  }
  auto content = read_file(*busybox);
  if (content) content = loaded_part(std::move(*content), *busybox);
  if (!content) {
    return complain("--shell: " + content.error().text() + "; the package busybox-static has one that is",
                    kExitMissing);
  }
  auto parts = guest_parts(*kernel.architecture, how);
  parts.files.emplace("bin/busybox", std::move(*content));
  parts.on_console = {
      "/bin/busybox", "sh", "-c",
      "/bin/busybox --install -s /bin; echo \"$(uname -r): devmap-conformance is on the path; exit ends "
      "the guest\"; exec sh"};
  const auto scratch = TemporaryDirectory::create(std::filesystem::temp_directory_path());
  if (!scratch) return complain(scratch.error().text(), kExitBroken);
  const auto guest = make_guest(kernel, how.modules, parts);
  if (!guest) return complain(guest.error().text(), kExitBroken);
  auto machine = machine_for(kernel, how, scratch->path());
  machine.interactive = true;
  if (auto written = write_to(machine.root_image, guest->root_image); !written) {
    return complain(written.error().text(), kExitBroken);
  }
  const auto code = run_in_foreground({.program = qemu, .arguments = qemu_arguments(machine, {})});
  return code ? *code : complain(code.error().text(), kExitBroken);
}

/// The kernel that is asked for, which is downloaded where that was asked for as well.
Expected<Kernel> obtain_kernel(const std::string& catalogue_file, const Catalogue& catalogue, const RunOptions& options,
                               std::optional<TemporaryDirectory>& unpacked) {
  auto kernel = find_kernel(catalogue, options.kernel, unpacked);
  const bool is_named = options.kernel == kNewest || catalogue.find(options.kernel) != nullptr;
  if (kernel || !options.fetch || !is_named) return kernel;
  const auto wanted =
      options.kernel == kNewest ? FetchOptions{.newest = true} : FetchOptions{.names = {options.kernel}};
  if (fetch_kernels(catalogue_file, wanted) != kExitDone) return kernel;
  return find_kernel(catalogue, options.kernel, unpacked);
}

/// Arguments of the suite that choose no checks.
bool is_about_output(const std::string& argument) {
  return argument == "-q" || argument == "--quiet";
}

/// Prints what the suite would have printed of all its checks.
void print_record(const std::string& text, const std::vector<std::string>& arguments) {
  const auto record = parse_record(text);
  if (!record) return;
  const bool quiet = std::ranges::any_of(arguments, is_about_output);
  const bool color = isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr;
  fmt::print("{}", render_console(*record, published_statements(), {.color = color, .quiet = quiet}));
}

void tell_of_failure(const std::string& kernel, const KernelRun& run) {
  mention(fmt::format("{}: {}: {}", kernel, name_of(run.ending), run.reason));
  if (run.console_tail.empty()) return;
  fmt::print(stderr, "devmap-vm: the last lines of the console:\n");
  for (const auto& line : run.console_tail) fmt::print(stderr, "  {}\n", line);
}

}  // namespace

unsigned usual_machines(const RunOptions& options, unsigned processors) {
  constexpr unsigned kMost = 4;
  if (options.gdb || options.shell || !std::ranges::all_of(options.arguments, is_about_output)) return 1;
  return std::clamp(processors, 1U, kMost);
}

int run_suite(const std::string& catalogue_file, const RunOptions& options) {
  const auto catalogue = read_catalogue(catalogue_file);
  if (!catalogue) return complain(catalogue.error().text(), kExitUsage);
  const auto* const entry = catalogue->find(options.kernel);
  const auto* const architecture = architecture_named(entry != nullptr ? entry->architecture : options.architecture);
  const auto qemu = find_qemu(*architecture);
  if (!qemu) return complain(qemu.error().text(), kExitMissing);
  std::optional<TemporaryDirectory> unpacked;
  auto kernel = obtain_kernel(catalogue_file, *catalogue, options, unpacked);
  if (!kernel) return complain(kernel.error().text(), kExitMissing);
  kernel->architecture = architecture;
  if (entry == nullptr) kernel->suite_architecture = architecture;
  if (!options.suite_architecture.empty()) kernel->suite_architecture = architecture_named(options.suite_architecture);
  if (!options.modules.empty()) kernel->modules = options.modules;
  const auto programs = read_guest_programs(*kernel->architecture, *kernel->suite_architecture, options.suite);
  if (!programs) return complain(programs.error().text(), kExitMissing);
  std::string known(embedded_known_issues());
  if (!options.known.empty()) {
    auto text = read_file(options.known);
    if (!text) return complain("--known: " + text.error().text(), kExitUsage);
    known = std::move(*text);
  }
  // A variation of the catalogue says how its kernel is run, unless the user says otherwise.
  auto command_line = entry != nullptr ? entry->command_line : std::string();
  if (!options.command_line.empty()) command_line += (command_line.empty() ? "" : " ") + options.command_line;
  const auto& jit = options.jit.empty() && entry != nullptr ? entry->jit : options.jit;
  const HeldSignals signals;
  ProgressLine progress(kernel->name);
  const KernelRunOptions how{.init = programs->init,
                             .suite = programs->suite,
                             .arguments = options.arguments,
                             .modules = catalogue->guest,
                             .limit = options.limit,
                             .cpus = options.cpus,
                             .memory_mib = options.memory_mib,
                             .command_line = command_line,
                             .jit = jit_named(jit).value_or(Jit::as_is),
                             .label = options.label,
                             .dangerous = !options.without_dangerous,
                             .known_issues = std::move(known),
                             .console = options.console,
                             .gdb = options.gdb,
                             .interrupt = signals.descriptor(),
                             .on_output = [&progress](std::string_view text) {
                               progress.clear();
                               std::fwrite(text.data(), 1, text.size(), stdout);
                               std::fflush(stdout);
                             }};
  if (options.dry_run) return print_command_line(*qemu, machine_for(*kernel, how, "."), options);
  if (options.gdb) mention("halted; attach with: gdb vmlinux -ex 'target remote localhost:1234'");
  const auto machines =
      options.machines != 0 ? options.machines : usual_machines(options, std::thread::hardware_concurrency());
  if (machines > 1 && options.gdb) return complain("--gdb: not with several machines", kExitUsage);
  if (options.shell) return open_shell(*qemu, *kernel, how);

  const auto run =
      run_kernel_in(machines, *kernel, how, [&progress](const KernelProgress& now) { progress.show(now); });
  progress.clear();
  if (!run) return complain(run.error().text(), kExitBroken);
  if (machines > 1) print_record(run->record, options.arguments);
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
