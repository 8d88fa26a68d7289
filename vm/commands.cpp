#include <vm/commands.hpp>

#include <vm/apt.hpp>
#include <vm/cache.hpp>
#include <vm/catalogue.hpp>
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
#include <set>
#include <system_error>

namespace devmap::vm {
namespace {

namespace fs = std::filesystem;

int complain(const std::string& what, int code) {
  fmt::print(stderr, "devmap-vm: {}\n", what);
  return code;
}

void mention(const std::string& what) {
  fmt::print(stderr, "devmap-vm: {}\n", what);
}

Expected<Catalogue> read_catalogue(const std::string& file) {
  if (file.empty()) return Catalogue::built_in();
  const auto text = read_file(file);
  if (!text) return std::unexpected(text.error());
  return Catalogue::parse(*text, file);
}

std::string megabytes(unsigned long long bytes) {
  constexpr double kMegabyte = 1e6;
  return fmt::format("{:.0f} MB", static_cast<double>(bytes) / kMegabyte);
}

/// What will be fetched of a kernel, best first.
struct Wanted {
  const KernelEntry* entry = nullptr;
  std::vector<Offer> offers = {};
};

Expected<Wanted> find_wanted(const Apt& apt, const KernelEntry& entry) {
  std::string series;
  for (const char c : entry.series) series += c == '.' ? std::string("\\.") : std::string(1, c);
  const auto packages =
      apt.packages(fmt::format("^linux-(image|binary|modules)-{}[.~-](.*-)?{}$", series, entry.flavour));
  if (!packages) return std::unexpected(packages.error());
  Wanted wanted{.entry = &entry, .offers = find_offers(*packages, entry.series, entry.flavour)};
  if (!entry.version.empty()) {
    std::erase_if(wanted.offers, [&entry](const Offer& offer) { return offer.version != entry.version; });
  }
  if (wanted.offers.empty()) {
    return failure("kernel " + entry.name, 0,
                   fmt::format("the suites {} offer no {} of the flavour {}", fmt::join(entry.suites, ", "),
                               entry.version.empty() ? entry.series : entry.version, entry.flavour));
  }
  return wanted;
}

/// Downloads the best offer that the mirror still has.
Expected<Kernel> fetch_one(const Apt& apt, const Cache& cache, const Wanted& wanted, const GuestModules& guest) {
  std::optional<Error> last;
  for (const auto& offer : wanted.offers) {
    const auto scratch = TemporaryDirectory::create(cache.root());
    if (!scratch) return std::unexpected(scratch.error());
    const auto debs = apt.download(offer, scratch->path());
    if (!debs) {
      mention(fmt::format("{}: {} cannot be had ({})", wanted.entry->name, offer.version, debs.error().text()));
      last = debs.error();
      continue;
    }
    return cache.place(wanted.entry->name, offer.version, *debs, guest);
  }
  return std::unexpected(*last);
}

struct Chosen {
  std::vector<KernelEntry> entries = {};
  std::vector<std::string> unknown = {};
};

Chosen choose(const Catalogue& catalogue, const std::vector<std::string>& names) {
  if (names.empty()) return {.entries = catalogue.kernels};
  Chosen chosen;
  for (const auto& name : names) {
    const auto* const entry = catalogue.find(name);
    if (entry != nullptr) {
      chosen.entries.push_back(*entry);
    } else {
      chosen.unknown.push_back(name);
    }
  }
  return chosen;
}

std::vector<std::string> suites_of(const std::vector<KernelEntry>& entries) {
  std::set<std::string> suites;
  for (const auto& entry : entries) suites.insert(entry.suites.begin(), entry.suites.end());
  return {suites.begin(), suites.end()};
}

/// The kernel that a name of the catalogue or a path leads to. `unpacked` keeps what was unpacked for this run alone.
Expected<Kernel> find_kernel(const Catalogue& catalogue, const RunOptions& options,
                             std::optional<TemporaryDirectory>& unpacked) {
  if (catalogue.find(options.kernel) != nullptr) {
    const auto cache = Cache::of_this_user();
    if (!cache) return std::unexpected(cache.error());
    if (auto kernel = cache->find(options.kernel)) return *kernel;
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

int list_kernels(const std::string& catalogue_file) {
  const auto catalogue = read_catalogue(catalogue_file);
  if (!catalogue) return complain(catalogue.error().text(), kExitUsage);
  const auto cache = Cache::of_this_user();
  if (!cache) return complain(cache.error().text(), kExitBroken);
  fmt::print("{:<10} {:<14} {:<40} {}\n", "name", "flavour", "suites", "fetched");
  for (const auto& entry : catalogue->kernels) {
    std::string fetched = "no";
    if (const auto kernel = cache->find(entry.name)) {
      fetched = kernel->version + (kernel->modules.empty() ? ", without modules" : "");
    }
    fmt::print("{:<10} {:<14} {:<40} {}\n", entry.name, entry.flavour, fmt::format("{}", fmt::join(entry.suites, ", ")),
               fetched);
  }
  return kExitDone;
}

int fetch_kernels(const std::string& catalogue_file, const std::vector<std::string>& names) {
  const auto catalogue = read_catalogue(catalogue_file);
  if (!catalogue) return complain(catalogue.error().text(), kExitUsage);
  const auto chosen = choose(*catalogue, names);
  if (!chosen.unknown.empty()) {
    return complain(fmt::format("no kernel of the name '{}'; devmap-vm kernels lists them", chosen.unknown.front()),
                    kExitUsage);
  }
  const auto cache = Cache::of_this_user();
  if (!cache) return complain(cache.error().text(), kExitBroken);
  const auto lock = cache->lock([] { mention("waiting for another that fetches kernels"); });
  if (!lock) return complain(lock.error().text(), kExitBroken);
  const auto apt = Apt::set_up(cache->root() / "apt", suites_of(chosen.entries));
  if (!apt) return complain(apt.error().text(), kExitMissing);
  // Lists of an earlier time may do where the mirror cannot be reached now.
  if (const auto updated = apt->update(); !updated) mention(updated.error().text());

  bool all_there = true;
  std::vector<Wanted> wanted;
  unsigned long long bytes = 0;
  for (const auto& entry : chosen.entries) {
    auto found = find_wanted(*apt, entry);
    if (!found) {
      all_there = false;
      mention(found.error().text());
      continue;
    }
    const auto cached = cache->find(entry.name);
    if (cached && cached->version == found->offers.front().version) {
      mention(fmt::format("{}: {} is there", entry.name, cached->version));
      continue;
    }
    bytes += found->offers.front().bytes();
    wanted.push_back(std::move(*found));
  }
  if (!wanted.empty()) mention(fmt::format("{} to download for {} kernels", megabytes(bytes), wanted.size()));
  for (const auto& one : wanted) {
    const auto kernel = fetch_one(*apt, *cache, one, catalogue->guest);
    if (kernel) {
      mention(fmt::format("{}: {}{}", one.entry->name, kernel->version,
                          kernel->modules.empty() ? ", without modules" : ""));
    } else {
      all_there = false;
      mention(fmt::format("{}: {}", one.entry->name, kernel.error().text()));
    }
  }
  return all_there ? kExitDone : kExitMissing;
}

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
