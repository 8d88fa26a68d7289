#include <vm/commands.hpp>

#include <vm/cache.hpp>
#include <vm/catalogue.hpp>
#include <vm/choice.hpp>
#include <vm/command_support.hpp>
#include <vm/console.hpp>
#include <vm/embedded.hpp>
#include <vm/files.hpp>
#include <vm/guest.hpp>
#include <vm/machine.hpp>
#include <vm/process.hpp>

#include <unistd.h>

#include <fmt/format.h>
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <harness/base/file.hpp>
#include <optional>
#include <system_error>

namespace devmap::vm {
namespace {

namespace fs = std::filesystem;

/// The kernel that a name of the catalogue or a path leads to. `unpacked` keeps what was unpacked for this run alone.
Expected<Kernel> find_kernel(const Catalogue& catalogue, const RunOptions& options,
                             std::optional<TemporaryDirectory>& unpacked) {
  if (const auto* const entry = catalogue.find(options.kernel)) {
    const auto cache = Cache::of_this_user();
    if (!cache) return std::unexpected(cache.error());
    if (auto kernel = cache->find(entry->kept_as)) {
      kernel->name = entry->name;
      return *kernel;
    }
    return failure("kernel " + options.kernel, 0,
                   fmt::format("not fetched yet; run: devmap-vm fetch {}", options.kernel));
  }
  std::error_code failed;
  const fs::path path(options.kernel);
  const auto status = fs::status(path, failed);
  if (!fs::exists(status)) {
    return failure("kernel " + options.kernel, 0, "neither a name of the catalogue (devmap-vm kernels) nor a file");
  }
  if (!fs::is_regular_file(status)) return failure("kernel " + options.kernel, 0, "no file");
  if (path.extension() == ".deb") {
    auto directory = TemporaryDirectory::create(fs::temp_directory_path());
    if (!directory) return std::unexpected(directory.error());
    unpacked.emplace(std::move(*directory));
    auto kernel = unpack_kernel({path}, catalogue.guest, unpacked->path());
    if (kernel) kernel->name = kernel->release;
    return kernel;
  }
  return Kernel{.name = path.filename().string(), .image = path};
}

/// The suite beside this program: as it was built, or as it was installed.
std::string suite_beside_this_program() {
  std::error_code failed;
  const auto here = fs::read_symlink("/proc/self/exe", failed).parent_path();
  for (const auto& candidate : {here / "devmap-conformance", here.parent_path() / "cases" / "devmap-conformance"}) {
    if (fs::exists(candidate, failed)) return candidate.string();
  }
  return {};
}

Expected<std::string> read_suite(const std::string& asked) {
  const auto file = asked.empty() ? suite_beside_this_program() : asked;
  if (file.empty()) return failure("the suite", 0, "no devmap-conformance beside this program: name it by --suite");
  auto content = read_file(file);
  if (!content) return std::unexpected(content.error());
  return loaded_part(std::move(*content), file);
}

/// What the suite may take of a guest's time, so that a guest that is too slow still hands over what it has; 0 where
/// there is too little to divide.
unsigned limit_of_suite(std::chrono::seconds of_guest) {
  constexpr std::chrono::seconds kToBootAndEnd{30};
  return of_guest < 2 * kToBootAndEnd ? 0 : static_cast<unsigned>((of_guest - kToBootAndEnd).count());
}

int exit_code(const Observed& observed, const Outcome& outcome) {
  switch (outcome.ending) {
    case Ending::ended:
      return observed.suite_exit_code.value_or(kExitBroken);
    case Ending::panic:
      return kExitPanic;
    case Ending::hang:
      return kExitTimedOut;
    case Ending::interrupted:
      return 128 + observed.interrupted_by;
    case Ending::never_booted:
    case Ending::killed:
      break;
  }
  return kExitBroken;
}

void tell_of_failure(const std::string& kernel, const Observed& observed, const Outcome& outcome) {
  constexpr std::size_t kLines = 15;
  mention(fmt::format("{}: {}: {}", kernel, name_of(outcome.ending), outcome.reason));
  const auto lines = last_lines(observed.console, kLines);
  if (lines.empty()) return;
  fmt::print(stderr, "devmap-vm: the last lines of the console:\n");
  for (const auto& line : lines) fmt::print(stderr, "  {}\n", line);
}

std::string quoted(const std::string& word) {
  const bool is_plain = std::ranges::all_of(word, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-_./=,:+").contains(c);
  });
  return is_plain && !word.empty() ? word : "'" + word + "'";
}

}  // namespace

int run_suite(const std::string& catalogue_file, const RunOptions& options) {
  const auto catalogue = read_catalogue(catalogue_file);
  if (!catalogue) return complain(catalogue.error().text(), kExitUsage);
  const auto qemu = find_program("qemu-system-x86_64");
  if (!qemu) {
    return complain("QEMU is not on this machine; run: apt-get install --no-install-recommends qemu-system-x86",
                    kExitMissing);
  }
  std::optional<TemporaryDirectory> unpacked;
  auto kernel = find_kernel(*catalogue, options, unpacked);
  if (!kernel) return complain(kernel.error().text(), kExitMissing);
  if (!options.modules.empty()) kernel->modules = options.modules;
  auto suite = read_suite(options.suite);
  if (!suite) return complain(suite.error().text(), kExitMissing);
  const auto guest = make_guest(*kernel, catalogue->guest,
                                {.init = embedded_init(),
                                 .suite = std::move(*suite),
                                 .arguments = options.arguments,
                                 .limit_s = limit_of_suite(options.limit)});
  if (!guest) return complain(guest.error().text(), kExitBroken);
  if (!kernel->modules.empty() && !guest->missing_modules.empty()) {
    mention(fmt::format("{}: modules that are not there: {}", kernel->name, fmt::join(guest->missing_modules, ", ")));
  }
  const auto scratch = TemporaryDirectory::create(fs::temp_directory_path());
  if (!scratch) return complain(scratch.error().text(), kExitBroken);
  const Machine machine{.kernel = kernel->image,
                        .root_image = scratch->path() / "root.cpio",
                        .console = options.console.empty() ? scratch->path() / "console" : fs::path(options.console),
                        .cpus = options.cpus,
                        .memory_mib = options.memory_mib,
                        .command_line = options.command_line};
  if (options.dry_run) {
    std::string line = *qemu;
    for (const auto& word : qemu_arguments(machine, 3)) line += " " + quoted(word);
    fmt::print("{}\n", line);
    return kExitDone;
  }
  if (auto written = write_to(machine.root_image, guest->root_image); !written) {
    return complain(written.error().text(), kExitBroken);
  }
  const auto observed = run_machine(*qemu, machine, options.limit, [](std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
  });
  if (!observed) return complain(observed.error().text(), kExitBroken);
  for (const auto& note : observed->notes) mention(fmt::format("{}: {}", kernel->name, note));
  const auto outcome = judge(*observed);
  if (outcome.ending != Ending::ended) tell_of_failure(kernel->name, *observed, outcome);
  int code = exit_code(*observed, outcome);
  if (!options.record.empty() && observed->record) {
    if (auto written = write_to(options.record, *observed->record); !written) {
      code = complain(written.error().text(), kExitBroken);
    }
  }
  if (observed->suite_started) {
    mention(fmt::format("{}: booted in {:.1f} s, {:.1f} s in all", kernel->name, observed->boot.count(),
                        observed->total.count()));
  }
  return code;
}

}  // namespace devmap::vm
