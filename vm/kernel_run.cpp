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
#include <harness/base/kernel_version.hpp>
#include <harness/record/record.hpp>
#include <harness/record/verdict.hpp>
#include <harness/spec/known_issues.hpp>
#include <system_error>
#include <utility>

namespace devmap::vm {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

/// What the suite may take of a guest's time, so that a guest that is too slow still hands over what it has; 0 where
/// there is too little to divide.
unsigned limit_of_suite(std::chrono::seconds of_guest) {
  constexpr std::chrono::seconds kToBootAndEnd{30};
  return of_guest < 2 * kToBootAndEnd ? 0 : static_cast<unsigned>((of_guest - kToBootAndEnd).count());
}

/// Somebody who steps through a kernel takes the time that it takes.
constexpr std::chrono::seconds kNoLimit = std::chrono::hours(24 * 365);

std::chrono::seconds limit_of(const KernelRunOptions& options) {
  return options.gdb ? kNoLimit : options.limit;
}

/// As the suite itself would end with these results.
int exit_code_of(const std::map<std::string, std::size_t>& counts) {
  RunRecord record;
  for (const auto& [verdict, count] : counts) {
    record.results.push_back({.verdict = verdict_named(verdict).value_or(Verdict::broken)});
  }
  return exit_code(record);
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

std::string one_per_line(const std::vector<std::string>& names) {
  return fmt::format("{}\n", fmt::join(names, "\n"));
}

std::string_view rule_of(std::string_view check) {
  return check.substr(0, check.find('/'));
}

/// What a kernel says of the known faults of emulation, which are not its own: code that is patched while another
/// processor runs it, and a timer that comes too late on a busy host. Empty where it says neither.
std::string_view fault_of_emulation(const Observed& observed) {
  constexpr std::array<std::string_view, 2> kFaults = {"Oops: int3", "IO-APIC + timer doesn't work"};
  const auto* const found =
      std::ranges::find_if(kFaults, [&](std::string_view fault) { return observed.console.contains(fault); });
  return found == kFaults.end() ? std::string_view() : *found;
}

/// A run of the suite, over all boots that it takes.
class BootedRun {
 public:
  BootedRun(const Kernel& kernel, const KernelRunOptions& options, std::string qemu,
            const std::filesystem::path& scratch, const std::function<void(const KernelProgress&)>& on_progress)
      : kernel_(kernel),
        options_(options),
        qemu_(std::move(qemu)),
        on_progress_(on_progress),
        machine_(machine_for(kernel, options, scratch)) {}

  Expected<KernelRun> run() {
    // Consoles are appended to.
    if (auto emptied = write_to(machine_.console, ""); !emptied) return std::unexpected(emptied.error());
    Observed observed;
    for (bool again = true; again;) {
      auto booted = boot();
      if (!booted) return std::unexpected(booted.error());
      observed = std::move(*booted);
      again = goes_on_after(observed);
      phase_ = KernelProgress::Phase::booting_again;
    }
    conclude(observed);
    enter(KernelProgress::Phase::ended);
    return std::move(run_);
  }

 private:
  Expected<Observed> boot() {
    auto parts = guest_parts(*kernel_.architecture, options_);
    const auto add_list = [&parts](const char* option, const char* file, const std::vector<std::string>& names) {
      if (names.empty()) return;
      parts.files.emplace(file, one_per_line(names));
      parts.arguments.insert(parts.arguments.end(), {option, std::string("/") + file});
    };
    add_list("--skip", "skip", journal_.settled());
    add_list("--alone", "alone", suspects_);
    auto guest = make_guest(kernel_, options_.modules, parts);
    if (!guest) return std::unexpected(guest.error());
    if (auto written = write_to(machine_.root_image, guest->root_image); !written) {
      return std::unexpected(written.error());
    }
    if (run_.boots == 0 && !kernel_.modules.empty() && !guest->missing_modules.empty()) {
      note(fmt::format("modules that are not there: {}", fmt::join(guest->missing_modules, ", ")));
    }
    tell();
    journal_.begin_boot();
    through_before_ = journal_.through();
    auto observed = run_machine(qemu_, machine_, limit_of(options_), options_.interrupt,
                                {.started = [this] { enter(KernelProgress::Phase::running); },
                                 .output = options_.on_output,
                                 .stream =
                                     [this](std::string_view bytes) {
                                       journal_.feed(bytes);
                                       tell();
                                     },
                                 .has_whole_stream = [this] { return journal_.has_end(); }});
    if (!observed) return observed;
    if (run_.boots == 0) {
      run_.release = observed->release;
      run_.boot = observed->boot;
    }
    ++run_.boots;
    if (!journal_.has_end()) unsaid_ += observed->total - observed->boot;
    for (auto& text : observed->notes) note(std::move(text));
    judge_boot(*observed);
    return observed;
  }

  void judge_boot(const Observed& observed) {
    auto outcome = judge(observed);
    // A suite that has begun says when it is at its end.
    if (outcome.ending == Ending::ended && journal_.has_run() && !journal_.has_end()) {
      outcome = {Ending::suite_died,
                 fmt::format("the suite died with {} while it ran", observed.suite_exit_code.value_or(0))};
      if (const auto why = out_of_memory_in(observed.console)) outcome.reason += ": " + *why;
    }
    run_.ending = outcome.ending;
    run_.reason = std::move(outcome.reason);
  }

  /// Whether another boot can find more. What took this one down is settled, or will be found out by then.
  bool goes_on_after(const Observed& observed) {
    const auto fault = run_.ending == Ending::panic ? fault_of_emulation(observed) : std::string_view();
    if (!fault.empty() && !std::exchange(has_blamed_emulation_, true)) {
      note(fmt::format("the emulation faulted ({}), which is no fault of the kernel; booted again", fault));
      return true;
    }
    if (!died_by_itself(observed) || !journal_.has_run()) return false;
    const auto in_flight = journal_.in_flight();
    const auto suspects_before = suspects_;
    if (in_flight.size() == 1) {
      blame(in_flight.front(), observed);
    } else if (!in_flight.empty()) {
      suspects_ = in_flight;
    }
    drop_settled_suspects();
    if (journal_.left().empty()) return false;
    if (journal_.repeat() > 1) {
      note("a run that repeats its checks is not continued after the guest died");
      return false;
    }
    const bool has_come_on = journal_.through() > through_before_ || suspects_ != suspects_before;
    if (!has_come_on || run_.boots >= options_.most_boots) {
      note(fmt::format("given up after {} boots with {} checks left", run_.boots, journal_.left().size()));
      return false;
    }
    return true;
  }

  void drop_settled_suspects() {
    const auto left = journal_.left();
    std::erase_if(suspects_,
                  [&left](const std::string& check) { return std::ranges::find(left, check) == left.end(); });
  }

  /// Whether something that ran in the guest ended it, and not somebody outside, nor the limit.
  [[nodiscard]] bool died_by_itself(const Observed& observed) const {
    if (observed.cut) return false;
    switch (run_.ending) {
      case Ending::panic:
      case Ending::suite_died:
        return true;
      case Ending::hang:
        return observed.fell_silent;
      case Ending::killed:
        // A restart without a word: QEMU itself ended as it should.
        return observed.qemu_exit_code == 0;
      case Ending::ended:
      case Ending::never_booted:
      case Ending::interrupted:
        break;
    }
    return false;
  }

  /// Says of the one check that ran when the guest died that it did it. The rule has then cost enough: its other
  /// variants are not tried.
  void blame(const std::string& check, const Observed& observed) {
    constexpr std::size_t kLines = 30;
    const auto lines = fault_lines(observed.console, kLines);
    if (const auto known = why_known(check)) {
      journal_.settle(check, name_of(Verdict::known), fmt::format("{} ({})", *known, run_.reason), lines,
                      "nothing: listed as known");
    } else {
      const bool hung = run_.ending == Ending::hang;
      journal_.settle(check, name_of(hung ? Verdict::timeout : Verdict::crash), run_.reason, lines,
                      "read the console of the guest, which is the evidence");
    }
    for (const auto& other : journal_.left()) {
      if (rule_of(other) != rule_of(check)) continue;
      journal_.pass_over(other, fmt::format("not run, as {} took the guest down", check),
                         fmt::format("run it by itself: --filter {}", other));
    }
  }

  /// Why it is no news that a check takes this kernel down; nothing where it is.
  [[nodiscard]] std::optional<std::string> why_known(const std::string& check) const {
    if (options_.known_issues.empty()) return std::nullopt;
    const auto list = KnownIssues::parse(options_.known_issues, "known issues");
    const auto kernel = KernelVersion::parse(run_.release);
    if (!list || !kernel) return std::nullopt;  // the suite has complained of a list that cannot be read
    const auto slash = check.find('/');
    const auto* const issue = list->find(check.substr(0, slash), check.substr(slash + 1), *kernel);
    return issue == nullptr ? std::nullopt : std::optional(issue->reason);
  }

  void conclude(const Observed& observed) {
    run_.counts = journal_.counts();
    run_.record = journal_.record(run_.boots, unsaid_);
    run_.total = Clock::now() - began_;
    if (run_.ending == Ending::ended) {
      run_.exit_code = run_.boots == 1 ? observed.suite_exit_code.value_or(kExitBroken) : exit_code_of(run_.counts);
      return;
    }
    // Everything has its verdict, though the guest died over the last of it.
    const bool complete = died_by_itself(observed) && journal_.has_run() && journal_.left().empty();
    run_.exit_code = complete ? exit_code_of(run_.counts) : exit_code_of(observed, run_.ending);
    constexpr std::size_t kLines = 15;
    run_.console_tail = last_lines(observed.console, kLines);
  }

  void note(std::string text) {
    if (std::ranges::find(run_.notes, text) == run_.notes.end()) run_.notes.push_back(std::move(text));
  }

  void tell() const {
    if (!on_progress_) return;
    on_progress_({.phase = phase_,
                  .through = journal_.through(),
                  .all = journal_.all(),
                  .counts = journal_.counts(),
                  .elapsed = Clock::now() - began_});
  }

  void enter(KernelProgress::Phase phase) {
    phase_ = phase;
    tell();
  }

  const Kernel& kernel_;
  const KernelRunOptions& options_;
  std::string qemu_;
  const std::function<void(const KernelProgress&)>& on_progress_;
  Machine machine_;
  RunJournal journal_ = {};
  /// Those of which one may have taken the guest down.
  std::vector<std::string> suspects_ = {};
  std::size_t through_before_ = 0;
  bool has_blamed_emulation_ = false;
  Clock::time_point began_ = Clock::now();
  std::chrono::duration<double> unsaid_{};
  KernelProgress::Phase phase_ = KernelProgress::Phase::booting;
  KernelRun run_ = {};
};

}  // namespace

GuestParts guest_parts(const Architecture& architecture, const KernelRunOptions& options) {
  GuestParts parts{.init = options.init,
                   .suite = options.suite,
                   .arguments = options.arguments,
                   .settings = settings_of(options.jit),
                   .limit_s = options.gdb ? 0 : limit_of_suite(options.limit)};
  const auto is_given = [&options](const char* flag) {
    return std::ranges::any_of(options.arguments, [flag](const std::string& word) { return word.starts_with(flag); });
  };
  // GoogleTest's flags have outputs of their own.
  parts.streams = !is_given("--gtest_");
  const auto add = [&parts](std::initializer_list<std::string> words) {
    parts.arguments.insert(parts.arguments.end(), words);
  };
  if (!is_given("--timeout")) add({"--timeout", std::to_string(architecture.check_limit_s)});
  if (options.dangerous) add({"--dangerous"});
  if (!options.label.empty()) add({"--label", options.label});
  if (!options.known_issues.empty()) {
    parts.files.emplace("known.json", options.known_issues);
    add({"--known", "/known.json"});
  }
  return parts;
}

Machine machine_for(const Kernel& kernel, const KernelRunOptions& options, const fs::path& scratch) {
  return {.architecture = kernel.architecture,
          .kernel = kernel.image,
          .root_image = scratch / "root.cpio",
          .console = options.console.empty() ? scratch / "console" : options.console,
          .cpus = options.cpus,
          .memory_mib = options.memory_mib,
          .command_line = options.command_line,
          .gdb = options.gdb,
          .silence = options.gdb ? kNoLimit : options.silence};
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
  const auto scratch = TemporaryDirectory::create(fs::temp_directory_path());
  if (!scratch) return std::unexpected(scratch.error());
  return BootedRun(kernel, options, *qemu, scratch->path(), on_progress).run();
}

}  // namespace devmap::vm
