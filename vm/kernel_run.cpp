#include <vm/kernel_run.hpp>

#include <vm/console.hpp>
#include <vm/files.hpp>
#include <vm/guest.hpp>
#include <vm/run_journal.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <algorithm>
#include <array>
#include <csignal>
#include <harness/spec/record.hpp>
#include <system_error>
#include <utility>

namespace devmap::vm {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::array kJits = {std::pair{std::string_view("on"), Jit::on}, std::pair{std::string_view("off"), Jit::off},
                              std::pair{std::string_view("harden"), Jit::harden}};

/// What the suite may take of a guest's time, so that a guest that is too slow still hands over what it has; 0 where
/// there is too little to divide.
unsigned limit_of_suite(std::chrono::seconds of_guest) {
  constexpr std::chrono::seconds kToBootAndEnd{30};
  return of_guest < 2 * kToBootAndEnd ? 0 : static_cast<unsigned>((of_guest - kToBootAndEnd).count());
}

std::vector<Plan::Setting> settings_of(Jit jit) {
  constexpr const char* kEnable = "/proc/sys/net/core/bpf_jit_enable";
  constexpr const char* kHarden = "/proc/sys/net/core/bpf_jit_harden";
  switch (jit) {
    case Jit::as_is:
      break;
    case Jit::on:
      return {{.file = kEnable, .value = "1"}, {.file = kHarden, .value = "0"}};
    case Jit::off:
      return {{.file = kEnable, .value = "0"}};
    case Jit::harden:
      return {{.file = kEnable, .value = "1"}, {.file = kHarden, .value = "2"}};
  }
  return {};
}

GuestParts parts_of(const KernelRunOptions& options) {
  GuestParts parts{.init = options.init,
                   .suite = options.suite,
                   .arguments = options.arguments,
                   .settings = settings_of(options.jit),
                   .limit_s = limit_of_suite(options.limit)};
  // GoogleTest's flags have outputs of their own.
  parts.streams =
      std::ranges::none_of(options.arguments, [](const std::string& word) { return word.starts_with("--gtest_"); });
  const auto add = [&parts](std::initializer_list<std::string> words) {
    parts.arguments.insert(parts.arguments.end(), words);
  };
  if (options.dangerous) add({"--dangerous"});
  if (!options.label.empty()) add({"--label", options.label});
  if (!options.known_issues.empty()) {
    parts.files.emplace("known.json", options.known_issues);
    add({"--known", "/known.json"});
  }
  return parts;
}

int exit_code_of(const Observed& observed, Ending ending) {
  switch (ending) {
    case Ending::ended:
      return observed.suite_exit_code.value_or(kExitBroken);
    case Ending::panic:
      return kExitDeviates;
    case Ending::hang:
      return kExitTimedOut;
    case Ending::interrupted:
      return 128 + SIGINT;
    case Ending::never_booted:
    case Ending::killed:
    case Ending::suite_died:
      break;
  }
  return kExitBroken;
}

}  // namespace

std::optional<Jit> jit_named(std::string_view name) {
  const auto* const found = std::ranges::find(kJits, name, &std::pair<std::string_view, Jit>::first);
  if (found == kJits.end()) return std::nullopt;
  return found->second;
}

std::string_view name_of(KernelProgress::Phase phase) {
  switch (phase) {
    case KernelProgress::Phase::booting:
      return "booting";
    case KernelProgress::Phase::running:
      return "running";
    case KernelProgress::Phase::booting_again:
      return "booting again";
    case KernelProgress::Phase::ended:
      return "ended";
  }
  return "";
}

Expected<KernelRun> run_kernel(const Kernel& kernel, const KernelRunOptions& options,
                               const std::function<void(const KernelProgress&)>& on_progress) {
  const auto qemu = find_qemu(*kernel.architecture);
  if (!qemu) return std::unexpected(qemu.error());
  const auto guest = make_guest(kernel, options.modules, parts_of(options));
  if (!guest) return std::unexpected(guest.error());
  const auto scratch = TemporaryDirectory::create(fs::temp_directory_path());
  if (!scratch) return std::unexpected(scratch.error());
  const Machine machine{.architecture = kernel.architecture,
                        .kernel = kernel.image,
                        .root_image = scratch->path() / "root.cpio",
                        .console = options.console.empty() ? scratch->path() / "console" : options.console,
                        .cpus = options.cpus,
                        .memory_mib = options.memory_mib,
                        .command_line = options.command_line};
  if (auto written = write_to(machine.root_image, guest->root_image); !written) return std::unexpected(written.error());
  // Consoles are appended to.
  if (auto written = write_to(machine.console, ""); !written) return std::unexpected(written.error());

  KernelRun run;
  if (!kernel.modules.empty() && !guest->missing_modules.empty()) {
    run.notes.push_back(fmt::format("modules that are not there: {}", fmt::join(guest->missing_modules, ", ")));
  }
  RunJournal journal;
  const auto began = Clock::now();
  auto phase = KernelProgress::Phase::booting;
  const auto tell = [&] {
    if (!on_progress) return;
    on_progress({.phase = phase,
                 .through = journal.through(),
                 .all = journal.all(),
                 .counts = journal.counts(),
                 .elapsed = Clock::now() - began});
  };
  const auto enter = [&](KernelProgress::Phase next) {
    phase = next;
    tell();
  };
  tell();
  const auto observed = run_machine(*qemu, machine, options.limit, options.interrupt,
                                    {.started = [&] { enter(KernelProgress::Phase::running); },
                                     .output = options.on_output,
                                     .stream =
                                         [&](std::string_view bytes) {
                                           journal.feed(bytes);
                                           tell();
                                         },
                                     .has_whole_stream = [&] { return journal.has_end(); }});
  if (!observed) return std::unexpected(observed.error());
  ++run.boots;
  const auto outcome = judge(*observed);
  run.ending = outcome.ending;
  run.reason = outcome.reason;
  run.notes.insert(run.notes.end(), observed->notes.begin(), observed->notes.end());
  run.release = observed->release;
  run.boot = observed->boot;
  run.total = Clock::now() - began;
  run.exit_code = exit_code_of(*observed, outcome.ending);
  if (outcome.ending != Ending::ended) {
    constexpr std::size_t kLines = 15;
    run.console_tail = last_lines(observed->console, kLines);
  }
  run.record = journal.record(run.boots, journal.has_end() ? observed->total * 0 : observed->total - observed->boot);
  run.counts = journal.counts();
  enter(KernelProgress::Phase::ended);
  return run;
}

}  // namespace devmap::vm
