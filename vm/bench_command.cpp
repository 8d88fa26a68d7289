#include <vm/bench_command.hpp>

#include <vm/command_support.hpp>
#include <vm/commands.hpp>
#include <vm/files.hpp>
#include <vm/guest_programs.hpp>
#include <vm/held_signals.hpp>
#include <vm/instruction_record.hpp>
#include <vm/instruction_run.hpp>
#include <vm/instruction_table.hpp>
#include <vm/kernel_source.hpp>
#include <vm/kernels_at_hand.hpp>
#include <vm/live_table.hpp>
#include <vm/matrix_plan.hpp>
#include <vm/process.hpp>
#include <vm/recorded_run.hpp>
#include <vm/schedule.hpp>

#include <unistd.h>

#include <fmt/format.h>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <ranges>
#include <thread>
#include <utility>

namespace devmap::vm {
namespace {

/// What came of one kernel.
struct Counted {
  int exit_code = kExitMissing;
  std::optional<InstructionRecord> record = {};
  std::vector<std::string> remarks = {};
};

/// What all kernels are counted with.
struct Setup {
  Catalogue catalogue;
  std::vector<PlannedKernel> plan;
  GuestPrograms programs;
  /// QEMU's own version.
  std::string qemu;
};

/// "7.2.22" of "QEMU emulator version 7.2.22 (Debian ...)".
Expected<std::string> qemu_version() {
  const auto qemu = find_qemu(usual_architecture());
  if (!qemu) return std::unexpected(qemu.error());
  const auto said = run({.program = *qemu, .arguments = {"--version"}});
  if (!said) return std::unexpected(said.error());
  constexpr std::string_view kBefore = "version ";
  const auto at = said->out.find(kBefore);
  if (at == std::string::npos) return failure("QEMU", 0, *qemu + " does not say its version");
  const auto begin = at + kBefore.size();
  return said->out.substr(begin, said->out.find_first_of(" \n", begin) - begin);
}

std::map<std::string, std::string> context_of(const CountRun& run, const Setup& setup, const std::string& label) {
  auto context = run.stream.context();
  const RecordedRun named{.release = context["release"], .version = context["version"]};
  context["kernel"] = named.kernel_version().text();
  context["label"] = label;
  context["qemu"] = setup.qemu;
  context["command_line"] = run.command_line;
  context["runs"] = "2";
  return context;
}

int exit_code_of(const CountRun& run) {
  switch (run.outcome.ending) {
    case Ending::ended:
      return run.exit_code == 0 ? kExitBroken : run.exit_code;
    case Ending::panic:
      return kExitPanic;
    case Ending::hang:
      return kExitTimedOut;
    default:
      return kExitBroken;
  }
}

/// What is to be told of a run that did not come to its end.
void tell_failure(const CountRun& run, Counted& counted) {
  const auto& reason = run.outcome.reason;
  counted.exit_code = exit_code_of(run);
  counted.remarks.push_back(reason.empty() ? fmt::format("the benchmarks ended with {} after {} of {} figures",
                                                         run.exit_code, run.stream.figures().size(), run.stream.all())
                                           : fmt::format("{}: {}", name_of(run.outcome.ending), reason));
  if (!run.console_tail.empty()) counted.remarks.emplace_back("the last lines of the console:");
  for (const auto& line : run.console_tail) counted.remarks.push_back("  " + line);
}

void add_remark(Counted& counted, const std::string& remark) {
  if (std::ranges::find(counted.remarks, remark) == counted.remarks.end()) counted.remarks.push_back(remark);
}

Counted count(const Setup& setup, const BenchOptions& options, const PlannedKernel& planned, int interrupt,
              const std::function<void(std::size_t, std::size_t)>& on_progress) {
  Counted counted;
  std::optional<TemporaryDirectory> unpacked;
  auto kernel = find_kernel(setup.catalogue, planned.asked, unpacked);
  if (!kernel) {
    counted.remarks.push_back(kernel.error().text());
    return counted;
  }
  const auto* const usual = &usual_architecture();
  if (kernel->architecture != usual || kernel->suite_architecture != usual) {
    counted.remarks.push_back(fmt::format("instructions are counted by the benchmarks of {} alone", usual->name));
    return counted;
  }
  // Both read the same files: what is another run is the machine.
  const auto runs = count_twice(*kernel,
                                {.programs = &setup.programs,
                                 .modules = setup.catalogue.guest,
                                 .filter = options.filter,
                                 .command_line = planned.entry.command_line,
                                 .jit = jit_named(planned.entry.jit).value_or(Jit::as_is),
                                 .limit = options.limit,
                                 .interrupt = interrupt},
                                on_progress);
  for (const auto& run : runs) {
    if (!run) {
      add_remark(counted, run.error().text());
      continue;
    }
    for (const auto& note : run->notes) add_remark(counted, note);
  }
  for (const auto& run : runs) {
    if (!run) return counted;
    if (run->is_whole()) continue;
    tell_failure(*run, counted);
    return counted;
  }
  const auto& first = *runs.front();
  const auto& second = *runs.back();
  const auto differ = count_disagreements(first.stream.figures(), second.stream.figures());
  counted.exit_code = differ == 0 ? kExitDone : 1;
  if (differ > 0) counted.remarks.push_back(fmt::format("the two runs differ in {} figures", differ));
  counted.record = InstructionRecord{.context = context_of(first, setup, planned.label),
                                     .figures = agreed(first.stream.figures(), second.stream.figures())};
  return counted;
}

void keep(const InstructionRecord& record, const std::filesystem::path& file, Counted& counted) {
  if (auto kept = replace_by(file, record.json()); !kept) {
    counted.remarks.push_back("its record is lost: " + kept.error().text());
    counted.exit_code = kExitBroken;
  }
}

std::string word_for(const Counted& counted) {
  if (counted.record) return counted.exit_code == kExitDone ? "both runs identical" : "the runs differ";
  return counted.exit_code == kExitMissing ? "could not run" : "failed";
}

/// The worst decides.
int exit_code_of(const std::vector<Counted>& all) {
  for (const int code : {1, kExitTimedOut, kExitBroken, kExitMissing}) {
    if (std::ranges::find(all, code, &Counted::exit_code) != all.end()) return code;
  }
  const auto other = std::ranges::find_if(all, [](const Counted& one) { return one.exit_code != kExitDone; });
  return other == all.end() ? kExitDone : other->exit_code;
}

int run_prepared(const Setup& setup, const BenchOptions& options) {
  const HeldSignals signals;
  std::vector<std::string> labels;
  labels.reserve(setup.plan.size());
  for (const auto& planned : setup.plan) labels.push_back(planned.label);
  LiveTable table(labels, isatty(STDERR_FILENO) == 1);
  std::vector<Counted> all(setup.plan.size());
  std::vector<std::size_t> order(setup.plan.size());
  std::ranges::copy(std::views::iota(std::size_t{0}, order.size()), order.begin());
  const auto usual_jobs = std::max(1U, std::thread::hardware_concurrency() / 2);
  const auto began = std::chrono::steady_clock::now();
  do_in_parallel(
      order, options.jobs == 0 ? usual_jobs : options.jobs,
      [&](std::size_t at) {
        const auto& planned = setup.plan[at];
        KernelRow row{.state = KernelRow::State::running, .phase = "counting"};
        const auto kernel_began = std::chrono::steady_clock::now();
        table.update(at, row);
        all[at] = count(setup, options, planned, signals.descriptor(), [&](std::size_t figures, std::size_t of) {
          row.through = figures;
          row.all = of;
          table.update(at, row);
        });
        if (all[at].record) {
          const auto file = fmt::format("bench-instructions-{}.json", planned.label);
          keep(*all[at].record, std::filesystem::path(options.directory) / file, all[at]);
        }
        row.state = KernelRow::State::ended;
        row.elapsed = std::chrono::steady_clock::now() - kernel_began;
        row.phase = word_for(all[at]);
        row.failed = all[at].exit_code != kExitDone;
        table.update(at, row);
      },
      [&signals] { return is_readable(signals.descriptor()); });
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  std::vector<InstructionRecord> records;
  for (std::size_t at = 0; at < all.size(); ++at) {
    for (const auto& remark : all[at].remarks) mention(fmt::format("{}: {}", labels[at], remark));
    if (all[at].record) records.push_back(std::move(*all[at].record));
  }
  if (!records.empty()) fmt::print("{}", render(records));
  std::fflush(stdout);
  mention(fmt::format("{} of {} kernels counted in {:.0f} s; records in {}", records.size(), all.size(), took.count(),
                      options.directory));
  if (const int signal = signals.take(); signal != 0) return 128 + signal;
  return exit_code_of(all);
}

}  // namespace

int run_bench(const std::string& catalogue_file, const BenchOptions& options) {
  auto catalogue = read_catalogue(catalogue_file);
  if (!catalogue) return complain(catalogue.error().text(), kExitUsage);
  auto plan = plan_matrix(*catalogue, options.set, options.kernels);
  if (!plan) return complain(plan.error().text(), kExitUsage);
  auto qemu = qemu_version();
  if (!qemu) return complain(qemu.error().text(), kExitMissing);
  const auto benchmarks = options.benchmarks.empty() ? find_benchmarks() : Expected<std::string>(options.benchmarks);
  if (!benchmarks) return complain(benchmarks.error().text(), kExitMissing);
  auto programs = read_guest_programs(usual_architecture(), usual_architecture(), *benchmarks);
  if (!programs) return complain(programs.error().text(), kExitMissing);
  if (options.fetch) fetch_missing(catalogue_file, *plan);
  *plan = without_unserved(*catalogue, std::move(*plan));
  if (plan->empty()) return complain(kNoKernelIsHere, kExitMissing);
  if (auto made = make_directories(options.directory); !made) return complain(made.error().text(), kExitBroken);
  return run_prepared({.catalogue = std::move(*catalogue),
                       .plan = std::move(*plan),
                       .programs = std::move(*programs),
                       .qemu = std::move(*qemu)},
                      options);
}

}  // namespace devmap::vm
