#include <vm/matrix_command.hpp>

#include <vm/cache.hpp>
#include <vm/command_support.hpp>
#include <vm/commands.hpp>
#include <vm/embedded.hpp>
#include <vm/guest_programs.hpp>
#include <vm/held_signals.hpp>
#include <vm/kept_records.hpp>
#include <vm/kernel_source.hpp>
#include <vm/kernels_at_hand.hpp>
#include <vm/matrix.hpp>
#include <vm/matrix_plan.hpp>
#include <vm/merged_table.hpp>
#include <vm/version_claims.hpp>

#include <unistd.h>

#include <fmt/format.h>
#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <filesystem>
#include <harness/base/file.hpp>
#include <harness/record/record.hpp>
#include <harness/spec/known_issues.hpp>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

namespace devmap::vm {
namespace {

namespace fs = std::filesystem;

/// Each guest runs on one processor of this machine, and waits now and then.
unsigned usual_jobs() {
  return std::max(1U, std::thread::hardware_concurrency()) + 1;
}

/// Which kernel a record is of, and how that was run.
std::string identity_of(const PlannedKernel& kernel, const Kernel& found) {
  std::error_code ignored;
  auto text = found.version;
  if (text.empty()) {
    text = fmt::format("{} of {} bytes of {}", found.image.string(), fs::file_size(found.image, ignored),
                       fs::last_write_time(found.image, ignored).time_since_epoch().count());
  }
  if (!kernel.entry.jit.empty()) text += ", jit " + kernel.entry.jit;
  if (!kernel.entry.command_line.empty()) text += ", " + kernel.entry.command_line;
  return text;
}

/// What a run of the matrix rests on.
struct Setup {
  Catalogue catalogue;
  std::vector<PlannedKernel> plan;
  /// By the suite's architecture; why not, where there are none.
  std::map<std::string, Expected<GuestPrograms>> programs;
  std::string known_issues;
  std::vector<std::string> arguments;
};

Expected<std::string> read_known_issues(const std::string& file) {
  if (file.empty()) return std::string(embedded_known_issues());
  auto text = read_file(file);
  if (!text) return text;
  if (const auto issues = KnownIssues::parse(*text, file); !issues) return std::unexpected(issues.error());
  return text;
}

/// The kernels with what is known of them before they run.
std::vector<MatrixKernel> survey(const Setup& setup, const KeptRecords& records) {
  std::vector<MatrixKernel> kernels;
  for (const auto& planned : setup.plan) {
    std::optional<TemporaryDirectory> unpacked;
    const auto found = find_kernel(setup.catalogue, planned.asked, unpacked);
    MatrixKernel kernel{.label = planned.label};
    const auto qemu = find_qemu(*architecture_named(planned.entry.architecture));
    const auto& programs = setup.programs.at(planned.entry.suite_architecture);
    if (found && !qemu) {
      kernel.missing = qemu.error().text();
    } else if (found && !programs) {
      kernel.missing = programs.error().text();
    } else if (found) {
      kernel.identity = {.build_id = build_id_of(programs->suite),
                         .arguments = setup.arguments,
                         .kernel = identity_of(planned, *found)};
      kernel.seconds = records.seconds_of(planned.label).value_or(expected_seconds(planned, !found->modules.empty()));
    } else {
      kernel.missing = found.error().text();
    }
    kernels.push_back(std::move(kernel));
  }
  return kernels;
}

/// Keeps the times in the table up to date while it lives, and says once that the guests are being ended.
class Ticker {
 public:
  Ticker(LiveTable& table, int interrupt)
      : thread_([this, &table, interrupt](const std::stop_token& over) {
          constexpr std::chrono::milliseconds kBetween{500};
          bool told = false;
          std::unique_lock held(mutex_);
          while (!due_.wait_for(held, over, kBetween, [&over] { return over.stop_requested(); })) {
            if (is_readable(interrupt) && !std::exchange(told, true)) table.say("interrupted: the guests are ended");
            table.tick();
          }
        }) {}

 private:
  std::mutex mutex_;
  std::condition_variable_any due_;
  std::jthread thread_;
};

/// Prints what is to be said of all runs together. Whether the suite is at fault.
bool compare(const std::vector<RecordedRun>& runs, bool all_rows, bool kernels_are_all) {
  if (runs.empty()) return false;
  const bool color = isatty(STDOUT_FILENO) == 1;
  fmt::print("{}", render(merge(runs), {.all_rows = all_rows, .color = color}));
  const auto failures = render_failures(runs);
  if (!failures.empty()) fmt::print("\n{}", failures);
  const auto claims = VersionClaims::of(runs);
  const auto said = claims.text(kernels_are_all);
  if (!said.empty()) fmt::print("\n{}", said);
  std::fflush(stdout);
  return kernels_are_all && !claims.never_checked.empty();
}

Expected<KernelRun> run_planned(const Setup& setup, const MatrixOptions& options, const PlannedKernel& planned,
                                const fs::path& console, int interrupt,
                                const std::function<void(const KernelProgress&)>& on_progress) {
  std::optional<TemporaryDirectory> unpacked;
  const auto kernel = find_kernel(setup.catalogue, planned.asked, unpacked);
  if (!kernel) return std::unexpected(kernel.error());
  const auto& programs = *setup.programs.at(planned.entry.suite_architecture);
  return run_kernel(*kernel,
                    {.init = programs.init,
                     .suite = programs.suite,
                     .arguments = setup.arguments,
                     .modules = setup.catalogue.guest,
                     .limit = options.limit,
                     .memory_mib = options.memory_mib,
                     .command_line = planned.entry.command_line,
                     .jit = jit_named(planned.entry.jit).value_or(Jit::as_is),
                     .label = planned.label,
                     .known_issues = setup.known_issues,
                     .console = console,
                     .interrupt = interrupt},
                    on_progress);
}

int run_prepared(const Setup& setup, const MatrixOptions& options) {
  const auto records = KeptRecords::in(options.directory);
  if (!records) return complain(records.error().text(), kExitBroken);
  const auto kernels = survey(setup, *records);

  const HeldSignals signals;
  std::vector<std::string> labels;
  labels.reserve(kernels.size());
  for (const auto& kernel : kernels) labels.push_back(kernel.label);
  LiveTable table(std::move(labels), isatty(STDERR_FILENO) == 1);
  const auto began = std::chrono::steady_clock::now();
  std::vector<MatrixResult> results;
  {
    const Ticker ticker(table, signals.descriptor());
    results = run_matrix(
        kernels, *records, {.at_a_time = options.jobs == 0 ? usual_jobs() : options.jobs, .resume = options.resume},
        [&](std::size_t at, const std::function<void(const KernelProgress&)>& on_progress) {
          const auto& planned = setup.plan.at(at);
          return run_planned(setup, options, planned, records->console_of(planned.label), signals.descriptor(),
                             on_progress);
        },
        [&signals] { return is_readable(signals.descriptor()); }, table);
  }
  table.tick();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;

  std::vector<RecordedRun> runs;
  for (auto& result : results) {
    for (const auto& remark : result.remarks) mention(fmt::format("{}: {}", result.label, remark));
    if (result.run) runs.push_back(*result.run);
  }
  const bool is_all = has_all_kernels(setup.catalogue, setup.plan) && runs.size() == results.size();
  const bool suite_is_at_fault = compare(runs, options.all_rows, is_all);
  mention(fmt::format("{} in {:.0f} s; records in {}", summary(results), took.count(), options.directory));
  if (const int signal = signals.take(); signal != 0) return 128 + signal;
  const int code = exit_code(results);
  return suite_is_at_fault && (code == kExitDone || code == kExitMissing) ? kExitBroken : code;
}

/// The programs of all guests.
std::map<std::string, Expected<GuestPrograms>> programs_for(const std::vector<PlannedKernel>& plan,
                                                            const std::string& asked) {
  std::map<std::string, Expected<GuestPrograms>> programs;
  for (const auto& planned : plan) {
    const auto& suite = planned.entry.suite_architecture;
    if (programs.contains(suite)) continue;
    programs.emplace(
        suite, read_guest_programs(*architecture_named(planned.entry.architecture), *architecture_named(suite), asked));
  }
  return programs;
}

/// What a run with such a record would have ended with.
int exit_code_of(const RecordedRun& run) {
  RunRecord record;
  for (const auto& result : run.results) record.results.push_back({.rule = result.rule, .verdict = result.verdict});
  return devmap::exit_code(record);
}

}  // namespace

int run_matrix(const std::string& catalogue_file, const MatrixOptions& options) {
  auto catalogue = read_catalogue(catalogue_file);
  if (!catalogue) return complain(catalogue.error().text(), kExitUsage);
  auto plan = plan_matrix(*catalogue, options.set, options.kernels);
  if (!plan) return complain(plan.error().text(), kExitUsage);
  if (options.github) {
    fmt::print("{}\n", github_matrix(*plan));
    return kExitDone;
  }
  auto known_issues = read_known_issues(options.known);
  if (!known_issues) return complain(known_issues.error().text(), kExitUsage);
  auto programs = programs_for(*plan, options.suite);
  // Without what the first needs there is little to begin with.
  const auto& first = plan->front().entry;
  if (const auto qemu = find_qemu(*architecture_named(first.architecture)); !qemu) {
    return complain(qemu.error().text(), kExitMissing);
  }
  if (const auto& own = programs.at(first.suite_architecture); !own) {
    return complain(own.error().text(), kExitMissing);
  }
  if (options.fetch) fetch_missing(catalogue_file, *plan);
  *plan = without_unserved(*catalogue, std::move(*plan));
  if (plan->empty()) return complain(kNoKernelIsHere, kExitMissing);
  return run_prepared({.catalogue = std::move(*catalogue),
                       .plan = std::move(*plan),
                       .programs = std::move(programs),
                       .known_issues = std::move(*known_issues),
                       .arguments = options.arguments},
                      options);
}

int merge_records(const std::vector<std::string>& files, bool all_rows) {
  std::vector<RecordedRun> runs;
  std::vector<MatrixResult> results;
  for (const auto& file : files) {
    const auto text = read_file(file);
    if (!text) return complain(text.error().text(), kExitUsage);
    auto run = RecordedRun::parse(*text, file);
    if (!run) return complain(run.error().text(), kExitUsage);
    results.push_back({.label = run->label, .kind = MatrixResult::Kind::ran, .exit_code = exit_code_of(*run)});
    runs.push_back(std::move(*run));
  }
  compare(runs, all_rows, false);
  mention(summary(results));
  return exit_code(results);
}

}  // namespace devmap::vm
