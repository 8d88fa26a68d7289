#include <harness/spec/runner.hpp>

#include <harness/spec/check_names.hpp>

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <fmt/format.h>
#include <algorithm>
#include <iterator>
#include <list>
#include <utility>

namespace devmap {
namespace {

using Clock = std::chrono::steady_clock;

/// How long a child may take to die once it is killed; one that takes longer hangs in the kernel.
constexpr std::chrono::seconds kTimeToDie{5};

/// SIGINT, SIGTERM and SIGCONT as something to read, while it lives.
class Interrupts {
 public:
  static Expected<Interrupts> take() {
    Interrupts interrupts;
    sigset_t wanted;
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGINT);
    sigaddset(&wanted, SIGTERM);
    sigaddset(&wanted, SIGCONT);
    sigprocmask(SIG_BLOCK, &wanted, &interrupts.before_);
    interrupts.fd_ = UniqueFd(signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!interrupts.fd_) return last_error("signalfd");
    return interrupts;
  }
  Interrupts(Interrupts&&) = default;
  Interrupts& operator=(Interrupts&&) = delete;
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;
  ~Interrupts() {
    if (fd_) sigprocmask(SIG_SETMASK, &before_, nullptr);
  }

  [[nodiscard]] int fd() const { return fd_.get(); }
  /// The signal that has come to end the run, or 0.
  [[nodiscard]] int received() {
    signalfd_siginfo info{};
    while (read(fd_.get(), &info, sizeof info) == sizeof info) {
      if (info.ssi_signo != SIGCONT) return static_cast<int>(info.ssi_signo);
      continued_ = true;
    }
    return 0;
  }
  /// Whether received() has seen since the last call that this process had been stopped.
  [[nodiscard]] bool continued() { return std::exchange(continued_, false); }

 private:
  Interrupts() = default;
  UniqueFd fd_;
  sigset_t before_{};
  bool continued_ = false;
};

struct Running {
  std::size_t index;
  /// Which of those that run at a time it is, from 0.
  std::uint32_t lane;
  std::string tag;
  IsolatedCheck child;
  Clock::time_point began;
  bool timed_out = false;
  std::vector<std::string> warnings = {};
  /// How often it has been run before, without an exact observation.
  unsigned repeated = 0;
};

/// How often a check whose observation is not exact is run again.
constexpr unsigned kMostRepetitions = 5;

/// Hands each warning to the check it is about: the one whose task it names, or where it names no task of ours but a
/// kernel thread's or none, to all that were running. The rest are not ours.
void attribute(const std::vector<KernelWarning>& warnings, std::list<Running>& running,
               std::vector<std::string>& foreign) {
  for (const auto& warning : warnings) {
    const auto named = std::ranges::find_if(running, [&](const Running& check) {
      return warning.task_name == check.tag || (warning.task_id != 0 && warning.task_id == check.child.pid());
    });
    if (named != running.end()) {
      named->warnings.push_back(warning.summary());
      continue;
    }
    // Deferred work shows as one of these; a user's process would show under its own name.
    const bool kernel_thread =
        warning.task_name.empty() ||
        std::ranges::any_of(std::initializer_list<std::string_view>{"kworker", "ksoftirqd", "swapper", "rcu"},
                            [&](auto prefix) { return warning.task_name.starts_with(prefix); });
    if (!kernel_thread || running.empty()) {
      foreign.push_back(warning.summary());
      continue;
    }
    for (auto& check : running) {
      check.warnings.push_back(
          running.size() == 1 ? warning.summary()
                              : fmt::format("{} (one of {} checks that ran then)", warning.summary(), running.size()));
    }
  }
}

/// A name for the check's task that no other run on this kernel uses, as all of them read the same log. It fits the
/// kernel's 15 characters: a process number has at most 7 digits.
std::string task_name(std::size_t index) {
  return fmt::format("dm{}-{}", getpid(), index);
}

/// The first that nothing runs in.
std::uint32_t free_lane(const std::list<Running>& running) {
  std::uint32_t lane = 0;
  while (std::ranges::any_of(running, [lane](const Running& check) { return check.lane == lane; })) ++lane;
  return lane;
}

bool runs_alone(const Check& check, const Runner::Options& options) {
  return !check.rule->danger.empty() || names_check(options.alone, check);
}

/// Whether one more may begin. A process that is through with its check is waiting for the kernel to take back sockets
/// and attachments, which needs no processor: as many of these again may be about, but none beside a lone job.
bool has_room(const std::list<Running>& running, std::size_t jobs) {
  if (jobs == 1) return running.empty();
  const auto at_work = std::ranges::count_if(running, [](const Running& check) { return !check.child.through(); });
  return static_cast<std::size_t>(at_work) < jobs && running.size() < Runner::kLanesOfAJob * jobs;
}

/// Of each check.
std::chrono::milliseconds time_limit_of(const Runner::Options& options) {
  return options.timeout + options.soak.value_or(std::chrono::milliseconds::zero());
}

/// How long a check waits at most where what it waits for is not to be expected. Where it comes all the same, it comes
/// soon: within seconds in a guest that gives its checks a minute.
std::chrono::milliseconds patience_without_hope(std::chrono::milliseconds time_limit) {
  constexpr std::chrono::milliseconds kLeast = std::chrono::seconds(5);
  return std::max(kLeast, time_limit / 12);
}

/// What this check may use in this lane: its time, slots of the dispatcher and a ring of the listener that no other
/// lane has, and none beyond their ends.
Lent lent_to(const Check& check, std::uint32_t lane, const Runner::Options& options, const KnownFacts* facts) {
  Lent lent{.facts = facts, .time_limit = time_limit_of(options), .soak = options.soak};
  if (!is_to_hold(*check.rule, check.variant, options.kernel, options.known)) {
    lent.most_patience = patience_without_hope(lent.time_limit);
  }
  if (options.dispatcher != nullptr) {
    lent.dispatcher = options.dispatcher;
    lent.frags_dispatcher = options.frags_dispatcher;
    lent.first_slot = std::min(lane * Runner::kSlotsOfACheck, options.dispatcher->slots());
    lent.slot_count = std::min(Runner::kSlotsOfACheck, options.dispatcher->slots() - lent.first_slot);
  }
  if (options.listener != nullptr && lane < options.listener->rings()) {
    lent.listener = options.listener;
    lent.ring = lane;
  }
  return lent;
}

/// Of everything that the checks need. Without it, each probes by itself.
Expected<KnownFacts> facts_about(const std::vector<Check>& checks) {
  std::vector<std::string> names;
  for (const auto& check : checks) {
    for (const auto& need : check.rule->needs) names.push_back(need.name);
  }
  return KnownFacts::about(std::move(names));
}

Evidence repetition_note(unsigned repeated) {
  return {.role = Role::note,
          .did = fmt::format("run again {} time{}, as not everything that happened had been observed", repeated,
                             repeated == 1 ? "" : "s")};
}

Result not_run(const Check& check) {
  return {.rule = check.rule->id,
          .variant = check.variant.name(),
          .verdict = Verdict::unmet,
          .reason = "dangerous: " + check.rule->danger,
          .advice = "run it in a virtual machine with --dangerous"};
}

}  // namespace

Expected<RunOutcome> Runner::run(const std::vector<Check>& checks, const std::vector<std::size_t>& order) {
  auto interrupts = Interrupts::take();
  if (!interrupts) return std::unexpected(interrupts.error());

  const auto facts = facts_about(checks);
  RunOutcome outcome;
  std::vector<std::optional<Result>> results(checks.size());
  std::list<Running> running;
  std::size_t through = 0;
  auto next = order.begin();
  bool stop = false;
  bool lone_one_runs = false;
  const auto timeout = time_limit_of(options_);

  const auto settle = [&](std::size_t index, Result result) {
    if (options_.fail_fast && fails(result.verdict)) stop = true;
    ++through;
    if (progress_) progress_(result, through, order.size());
    results.at(index) = std::move(result);
  };
  // As many again as run at a time wait in namespaces of their own; a lone job is alone.
  std::list<IsolatedCheck> prepared;
  const auto prepare = [&] { return IsolatedCheck::prepare(checks, {.keep_namespace = options_.keep_namespaces}); };
  const auto prepare_ahead = [&] {
    if (options_.jobs <= 1) return;
    const auto left = static_cast<std::size_t>(std::distance(next, order.end()));
    while (!stop && prepared.size() < std::min<std::size_t>(left, options_.jobs)) {
      auto child = prepare();
      if (!child) return;  // the check that needs one will say so
      prepared.push_back(std::move(*child));
    }
  };
  const auto take_child = [&]() -> Expected<IsolatedCheck> {
    if (prepared.empty()) return prepare();
    IsolatedCheck child = std::move(prepared.front());
    prepared.pop_front();
    return child;
  };
  // The same check from the start, in the same place; nothing where no child could be had.
  const auto again = [&](const Running& check) -> std::optional<Running> {
    auto child = take_child();
    if (!child ||
        !child->begin({.index = check.index,
                       .tag = check.tag,
                       .lent = lent_to(checks.at(check.index), check.lane, options_, facts ? &*facts : nullptr)})) {
      return std::nullopt;
    }
    return Running{.index = check.index,
                   .lane = check.lane,
                   .tag = check.tag,
                   .child = std::move(*child),
                   .began = Clock::now(),
                   .repeated = check.repeated + 1};
  };
  const auto watch_log = [&] {
    if (log_ != nullptr) attribute(log_->drain(), running, outcome.foreign_warnings);
  };

  auto looked = Clock::now();
  while (!running.empty() || (next != order.end() && !stop)) {
    while (!stop && next != order.end()) {
      const std::size_t index = *next;
      const Check& check = checks.at(index);
      if (!check.rule->danger.empty() && !options_.dangerous) {
        ++next;
        settle(index, not_run(check));
        continue;
      }
      const bool alone = lone_one_runs || runs_alone(check, options_);
      if (!has_room(running, alone ? 1U : std::max(options_.jobs, 1U))) break;
      ++next;
      lone_one_runs = runs_alone(check, options_);
      const auto tag = task_name(index);
      const auto lane = free_lane(running);
      auto child = take_child();
      if (beginning_) beginning_(check);
      if (child) {
        if (auto begun = child->begin(
                {.index = index, .tag = tag, .lent = lent_to(check, lane, options_, facts ? &*facts : nullptr)});
            !begun)
          child = std::unexpected(begun.error());
      }
      if (child) {
        running.push_back(
            {.index = index, .lane = lane, .tag = tag, .child = std::move(*child), .began = Clock::now()});
      } else {
        settle(index, judge(*check.rule, check.variant, options_.kernel,
                            {.outcome = Case::Outcome{.broken = child.error().text()}}, options_.known));
      }
    }
    prepare_ahead();

    std::vector<pollfd> waited{{interrupts->fd(), POLLIN, 0}};
    auto wake_up = Clock::time_point::max();
    for (const auto& check : running) {
      waited.push_back({check.child.ended_fd(), POLLIN, 0});
      waited.push_back({check.child.report_fd(), POLLIN, 0});
      const auto patience = check.timed_out ? timeout + kTimeToDie : timeout;
      wake_up = std::min(wake_up, check.began + patience);
    }
    int pause = -1;
    if (wake_up != Clock::time_point::max()) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(wake_up - Clock::now()).count();
      pause = static_cast<int>(std::max<std::int64_t>(left, 0));
    }
    if (!running.empty() && poll(waited.data(), waited.size(), pause) < 0 && errno != EINTR) return last_error("poll");

    auto now = Clock::now();
    const int signal = interrupts->received();
    if (interrupts->continued()) {
      // Nobody could look at the checks while this process was stopped, so that time is not theirs.
      now = Clock::now();
      for (auto& check : running) check.began = std::min(check.began + (now - looked), now);
    }
    looked = now;
    if (signal != 0) {
      outcome.interrupted_by = signal;
      running.clear();  // which ends them
      break;
    }

    std::size_t slot = 1;
    for (auto check = running.begin(); check != running.end(); slot += 2) {
      if ((waited.at(slot + 1).revents & POLLIN) != 0) check->child.collect();
      const bool ended = (waited.at(slot).revents & POLLIN) != 0;
      const auto age = now - check->began;
      if (!ended && !check->timed_out && age >= timeout) {
        check->timed_out = true;
        if (options_.keep_namespaces) check->child.keep_namespace(checks.at(check->index));
        check->child.kill();
      }
      const bool hopeless = check->timed_out && age >= timeout + kTimeToDie;
      if (!ended && !hopeless) {
        ++check;
        continue;
      }
      watch_log();
      ChildReport report = ended ? check->child.finish() : check->child.abandon();
      report.timed_out = check->timed_out;
      report.kernel_warnings = std::move(check->warnings);
      report.duration = Clock::now() - check->began;
      if (is_inexact(report) && check->repeated < kMostRepetitions) {
        if (auto repetition = again(*check)) {
          running.insert(check, std::move(*repetition));
          check = running.erase(check);
          continue;
        }
      }
      if (check->repeated != 0) report.evidence.push_back(repetition_note(check->repeated));
      const std::size_t index = check->index;
      check = running.erase(check);
      settle(index, judge(*checks.at(index).rule, checks.at(index).variant, options_.kernel, std::move(report),
                          options_.known));
    }
  }
  watch_log();
  // One that came with the last result would otherwise end the process before anything is written.
  if (outcome.interrupted_by == 0) outcome.interrupted_by = interrupts->received();

  for (auto& result : results) {
    if (result) outcome.results.push_back(std::move(*result));
  }
  outcome.partial = outcome.results.size() < order.size();
  return outcome;
}

}  // namespace devmap
