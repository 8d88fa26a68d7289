#include <harness/spec/suite.hpp>

#include <fnmatch.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fmt/format.h>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <harness/spec/format.hpp>
#include <harness/spec/gtest_bridge.hpp>
#include <harness/spec/options.hpp>
#include <harness/spec/output_file.hpp>
#include <harness/spec/preflight.hpp>
#include <harness/spec/runner.hpp>
#include <harness/spec/selection.hpp>
#include <harness/spec/specification.hpp>
#include <numeric>
#include <random>
#include <thread>

namespace devmap {
namespace {

/// Most of a check's time is spent waiting for RCU in the kernel, so more of them than processors finish sooner; beyond
/// this factor nothing is gained.
constexpr unsigned kJobsPerProcessor = 4;

int complain(const std::string& program, const std::string& what, int code) {
  fmt::print(stderr, "{}: {}\n", program, what);
  return code;
}

bool wants_color(const Options& options, const std::string& file) {
  if (options.color != Options::Color::automatic) return options.color == Options::Color::always;
  return file == "-" && isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr;
}

/// The console on standard output, unless something else goes there.
std::vector<Output> all_outputs(const Options& options) {
  std::vector<Output> outputs = options.outputs;
  const bool taken = std::ranges::any_of(outputs, [](const Output& output) { return output.file == "-"; });
  if (!taken) outputs.insert(outputs.begin(), {.format = Format::console, .file = "-"});
  return outputs;
}

/// A line on the terminal that is written over again and again; silent where standard error is no terminal.
class ProgressLine {
 public:
  explicit ProgressLine(bool wanted) : shown_(wanted && isatty(STDERR_FILENO) == 1) {}
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  ProgressLine(ProgressLine&&) = delete;
  ProgressLine& operator=(ProgressLine&&) = delete;
  ~ProgressLine() { clear(); }

  void show(const Result& result, std::size_t through, std::size_t all) {
    if (!shown_) return;
    if (fails(result.verdict)) ++failed_;
    fmt::print(stderr, "\r\033[K[{}/{}] {} failed  {:.60}", through, all, failed_, result.name());
    std::fflush(stderr);
  }
  void clear() const {
    if (shown_) fmt::print(stderr, "\r\033[K");
  }

 private:
  bool shown_;
  std::size_t failed_ = 0;
};

/// The order in which the checks are begun: as listed or at random, those that may take the kernel down last.
std::vector<std::size_t> begin_order(const std::vector<Check>& checks, bool shuffled, std::mt19937& generator) {
  std::vector<std::size_t> order(checks.size());
  std::iota(order.begin(), order.end(), 0);
  if (shuffled) std::ranges::shuffle(order, generator);
  std::ranges::stable_partition(order, [&checks](std::size_t i) { return checks.at(i).rule->danger.empty(); });
  return order;
}

/// Keeps SIGINT and SIGTERM waiting while it lives, so that they reach the run, or come after the results are written.
class SignalsHeldBack {
 public:
  SignalsHeldBack() {
    sigset_t held;
    sigemptyset(&held);
    sigaddset(&held, SIGINT);
    sigaddset(&held, SIGTERM);
    sigprocmask(SIG_BLOCK, &held, &before_);
  }
  SignalsHeldBack(const SignalsHeldBack&) = delete;
  SignalsHeldBack& operator=(const SignalsHeldBack&) = delete;
  SignalsHeldBack(SignalsHeldBack&&) = delete;
  SignalsHeldBack& operator=(SignalsHeldBack&&) = delete;
  ~SignalsHeldBack() { sigprocmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

/// Before Linux 5.11 BPF memory counts against this limit; where it cannot be raised, creation itself will say so.
void raise_locked_memory_limit() {
  const rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
  (void)setrlimit(RLIMIT_MEMLOCK, &unlimited);
}

/// Runs the checks as often as asked. Fails where the machinery does; what was gathered by then is in the record.
Expected<int> run_all(const std::vector<Check>& checks, const Options& options, const Runner::Options& runner_options,
                      KernelLog* log, RunRecord& record) {
  std::mt19937 generator(options.seed.value_or(0));
  for (unsigned iteration = 1; iteration <= options.repeat; ++iteration) {
    ProgressLine line(!options.quiet);
    Runner runner(runner_options, log,
                  [&line](const Result& result, auto through, auto all) { line.show(result, through, all); });
    auto outcome = runner.run(checks, begin_order(checks, options.shuffle, generator));
    if (!outcome) return std::unexpected(outcome.error());
    for (auto& result : outcome->results) {
      result.iteration = iteration;
      record.results.push_back(std::move(result));
    }
    std::ranges::move(outcome->foreign_warnings, std::back_inserter(record.context.foreign_warnings));
    record.context.partial = record.context.partial || outcome->partial;
    if (outcome->interrupted_by != 0) {
      record.context.partial = record.context.partial || iteration < options.repeat;
      return outcome->interrupted_by;
    }
    if (outcome->partial) break;
  }
  return 0;
}

/// Prints what a command line asked for, all of it or with a complaint.
int answer(const std::string& program, std::string_view text) {
  const auto written = write_file("-", text);
  return written ? kExitConforms : complain(program, written.error().text(), kExitBroken);
}

/// An entry that names no rule is kept, as the rule may be one of another version, but it may be a slip as well.
void mention_unknown_rules(const std::string& program, const KnownIssues& known, const Registry& registry) {
  for (const auto& glob : known.rules()) {
    const bool some = std::ranges::any_of(
        registry.rules(), [&](const Rule& rule) { return fnmatch(glob.c_str(), rule.id.c_str(), 0) == 0; });
    if (!some) fmt::print(stderr, "{}: --known: '{}' matches no rule{}\n", program, glob, did_you_mean(registry, glob));
  }
}

/// The first option that GoogleTest has another of, where its flags are used.
std::string_view option_of_google_test(const Options& options) {
  if (!options.outputs.empty()) return "--output: use --gtest_output";
  if (options.repeat != 1) return "--repeat: use --gtest_repeat";
  if (options.shuffle) return "--shuffle: use --gtest_shuffle";
  if (options.fail_fast) return "--fail-fast: use --gtest_fail_fast";
  if (options.quiet) return "--quiet: use --gtest_brief=1";
  return {};
}

int run_suite(const std::string& program, const Registry& registry, const std::vector<Check>& checks, Options options,
              std::vector<char*>& google_test_arguments) {
  Runner::Options runner_options{.jobs = options.jobs,
                                 .timeout = options.timeout,
                                 .fail_fast = options.fail_fast,
                                 .dangerous = options.dangerous,
                                 .keep_namespaces = options.keep};
  if (runner_options.jobs == 0)
    runner_options.jobs = kJobsPerProcessor * std::max(1U, std::thread::hardware_concurrency());
  if (!options.known_file.empty()) {
    auto known = KnownIssues::read(options.known_file);
    if (!known) return complain(program, "--known: " + known.error().text(), kExitUsage);
    mention_unknown_rules(program, *known, registry);
    runner_options.known = std::move(*known);
  }
  const bool with_google_test = google_test_arguments.size() > 1;
  if (with_google_test) {
    const auto own = option_of_google_test(options);
    if (!own.empty()) return complain(program, fmt::format("{} with GoogleTest's flags", own), kExitUsage);
  }
  raise_locked_memory_limit();
  if (!is_google_test_listing(google_test_arguments)) {
    if (const Fact fact = preflight(); fact.presence != Presence::present) {
      return complain(program, fact.text + "; run it as root, or in a virtual machine", kExitNothingRan);
    }
  }
  auto log = KernelLog::watch(options.calibration ? KernelLog::Writers::anybody : KernelLog::Writers::kernel);
  KernelLog* const watched = log ? &*log : nullptr;
  if (with_google_test) {
    const int argument_count = static_cast<int>(google_test_arguments.size());
    google_test_arguments.push_back(nullptr);
    return run_as_google_tests(checks, runner_options, watched, argument_count, google_test_arguments.data());
  }

  auto outputs = all_outputs(options);
  bool output_lost =
      std::erase_if(outputs, [&](const Output& output) {
        const auto writable = check_writable(output.file);
        if (!writable) complain(program, writable.error().text() + "; all else goes on without this file", kExitBroken);
        return !writable;
      }) != 0;
  if (options.shuffle && !options.seed) {
    options.seed = std::random_device()();
    fmt::print(stderr, "{}: order shuffled with --seed {}\n", program, *options.seed);
  }

  RunRecord record{.suite = SuiteIdentity::of_this_build(), .context = RunContext::of_this_machine()};
  if (!options.kernel_label.empty()) record.context.kernel_label = options.kernel_label;
  record.context.kernel_log = log ? "watched" : log.error().text();
  const SignalsHeldBack until_written;
  const auto began = std::chrono::steady_clock::now();
  const auto ended = run_all(checks, options, runner_options, watched, record);
  record.context.duration_ms =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began).count();
  if (!ended) record.context.partial = true;

  signal(SIGPIPE, SIG_IGN);  // a reader that has gone must not cost the files
  for (const auto& output : outputs) {
    const ConsoleStyle style{.color = wants_color(options, output.file), .quiet = options.quiet};
    if (const auto written = write_file(output.file, render(output.format, record, registry, style)); !written) {
      complain(program, written.error().text(), kExitBroken);
      output_lost = true;
    }
  }
  if (!ended) return complain(program, ended.error().text(), kExitBroken);
  if (*ended != 0) return 128 + *ended;
  const int code = exit_code(record);
  return output_lost && code == kExitConforms ? kExitBroken : code;
}

}  // namespace

int suite_main(Suite suite, int argc, char** argv) {
  // GoogleTest's flags go to GoogleTest, all others to the suite.
  std::vector<const char*> own{argv[0]};
  std::vector<char*> google_test{argv[0]};
  for (int i = 1; i < argc; ++i) {
    if (is_google_test_flag(argv[i])) {
      google_test.push_back(argv[i]);
    } else {
      own.push_back(argv[i]);
    }
  }
  const auto parsed = parse_options(suite.name, static_cast<int>(own.size()), own.data());
  if (parsed.exit_code) return *parsed.exit_code;
  const Options& options = parsed.options;
  const Registry& registry = options.calibration ? suite.calibration : suite.rules;
  for (const auto& fault : registry.faults()) complain(suite.name, fault, kExitBroken);
  if (!registry.faults().empty()) return kExitBroken;

  switch (options.action) {
    case Options::Action::explain: {
      // Results name a check as rule/variant; both are good to ask with.
      const Rule* rule = registry.find(options.explained.substr(0, options.explained.find('/')));
      if (rule == nullptr) {
        return complain(suite.name,
                        fmt::format("no rule '{}'{}", options.explained, did_you_mean(registry, options.explained)),
                        kExitUsage);
      }
      return answer(suite.name, explain_rule(*rule));
    }
    case Options::Action::specification_json:
      return answer(suite.name, specification_json(registry));
    case Options::Action::specification_markdown:
      return answer(suite.name, specification_markdown(registry));
    case Options::Action::list:
    case Options::Action::run:
      break;
  }
  const auto checks = select_checks(registry, options);
  if (!checks) return complain(suite.name, checks.error().text(), kExitUsage);
  if (options.action == Options::Action::list) {
    return answer(suite.name, list_rules(registry, *checks));
  }
  return run_suite(suite.name, registry, *checks, options, google_test);
}

}  // namespace devmap
