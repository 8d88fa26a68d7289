#pragma once

#include <harness/base/error.hpp>
#include <harness/base/kernel_version.hpp>
#include <harness/record/result.hpp>
#include <harness/spec/isolation.hpp>
#include <harness/spec/kernel_log.hpp>
#include <harness/spec/known_issues.hpp>
#include <harness/spec/registry.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace devmap {

/// What a run came to.
struct RunOutcome {
  /// In the order of the checks, whatever the order in which they ended; a run that was cut short has fewer.
  std::vector<Result> results = {};
  /// Whether checks that were asked for were not run.
  bool partial = false;
  /// The signal that cut the run short; 0 where none did.
  int interrupted_by = 0;
  /// Kernel warnings that name a task which is no part of the run.
  std::vector<std::string> foreign_warnings = {};
};

/// Runs checks, each in a process of its own, several at once. One whose observation was not exact (Case::Outcome) is
/// run again from the start, a few times at most; only the last run of it counts, with a note of how many went before.
class Runner {
 public:
  struct Options {
    unsigned jobs = 1;
    std::chrono::milliseconds timeout{10'000};
    /// How long races run, which is added to the time limit; absent: as long as each is worth in a plain run.
    std::optional<std::chrono::milliseconds> soak = {};
    /// Begin nothing more after the first result that makes a run fail.
    bool fail_fast = false;
    /// Run checks that may crash, hang or exhaust a kernel, each while nothing else runs: whatever comes of it is its
    /// doing.
    bool dangerous = false;
    /// The names of further checks to run while nothing else does.
    std::set<std::string> alone = {};
    bool keep_namespaces = false;
    KernelVersion kernel = KernelVersion::running();
    KnownIssues known = {};
    /// For the checks to attach their programs behind; null: they attach them by themselves.
    const XdpDispatcher* dispatcher = nullptr;
    const XdpDispatcher* frags_dispatcher = nullptr;
    /// For the checks to listen to tracepoints by; null: each has listeners of its own.
    const RedirectListener* listener = nullptr;
  };
  /// How many programs a check can have behind the dispatcher; further ones it attaches by themselves.
  static constexpr std::uint32_t kSlotsOfACheck = 48;

  /// A job is at one check while the kernel takes back what another used.
  static constexpr std::uint32_t kLanesOfAJob = 2;

  /// Hears of each result as it comes, with the number of those that are through and of all.
  using Progress = std::function<void(const Result&, std::size_t through, std::size_t all)>;

  /// Hears of each check that is about to begin.
  using Beginning = std::function<void(const Check&)>;

  /// `log` may be null: nobody watches then.
  Runner(Options options, KernelLog* log, Progress progress, Beginning beginning = {})
      : options_(std::move(options)), log_(log), progress_(std::move(progress)), beginning_(std::move(beginning)) {}

  /// SIGINT and SIGTERM end the run; what is through by then is kept. `order` is the order in which the checks are
  /// begun: a permutation of their indexes. Time in which the runner was stopped (SIGSTOP, SIGTSTP) does not count
  /// against the time limit of a check. Fails only where the machinery itself does.
  [[nodiscard]] Expected<RunOutcome> run(const std::vector<Check>& checks, const std::vector<std::size_t>& order);

 private:
  Options options_;
  KernelLog* log_;
  Progress progress_;
  Beginning beginning_;
};

}  // namespace devmap
