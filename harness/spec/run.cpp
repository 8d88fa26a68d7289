#include <harness/spec/run.hpp>

#include <fnmatch.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fmt/format.h>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <harness/base/huge_pages.hpp>
#include <harness/base/output_file.hpp>
#include <harness/bpf/features.hpp>
#include <harness/net/features.hpp>
#include <harness/net/redirect_listener.hpp>
#include <harness/net/xdp_dispatcher.hpp>
#include <harness/record/format.hpp>
#include <harness/record/run_stream.hpp>
#include <harness/spec/begin_order.hpp>
#include <harness/spec/check_names.hpp>
#include <harness/spec/context.hpp>
#include <harness/spec/gtest_bridge.hpp>
#include <harness/spec/preflight.hpp>
#include <harness/spec/progress_line.hpp>
#include <harness/spec/runner.hpp>
#include <harness/spec/selection.hpp>
#include <iterator>
#include <random>
#include <thread>

namespace devmap {
namespace {

/// Most of a check's time is spent waiting for RCU in the kernel, so more of them than processors finish sooner; beyond
/// this factor nothing is gained.
constexpr unsigned kJobsPerProcessor = 4;

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

/// What a run uses of the machine, apart from what its checks make: the kernel's log, and what it lends to all checks.
struct Surroundings {
  Expected<KernelLog> log;
  Expected<XdpDispatcher> dispatcher;
  Expected<XdpDispatcher> frags_dispatcher;
  Expected<RedirectListener> listener;
};

/// Before Linux 5.11 BPF memory counts against this limit; where it cannot be raised, creation itself will say so.
void raise_locked_memory_limit() {
  const rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
  (void)setrlimit(RLIMIT_MEMLOCK, &unlimited);
}

/// The first option that GoogleTest has another of, where its flags are used.
std::string_view option_of_google_test(const Options& options) {
  if (!options.outputs.empty()) return "--output: use --gtest_output";
  if (options.repeat != 1) return "--repeat: use --gtest_repeat";
  if (options.shuffle) return "--shuffle: use --gtest_shuffle";
  if (options.fail_fast) return "--fail-fast: use --gtest_fail_fast";
  if (!options.alone_file.empty()) return "--alone: its tests run one at a time";
  if (options.quiet) return "--quiet: use --gtest_brief=1";
  return {};
}

/// An entry that names no rule is kept, as the rule may be one of another version, but it may be a slip as well.
void mention_unknown_rules(const std::string& program, const KnownIssues& known, const Registry& registry) {
  for (const auto& glob : known.rules()) {
    const bool some = std::ranges::any_of(
        registry.rules(), [&](const Rule& rule) { return fnmatch(glob.c_str(), rule.id.c_str(), 0) == 0; });
    if (!some) fmt::print(stderr, "{}: --known: '{}' matches no rule{}\n", program, glob, did_you_mean(registry, glob));
  }
}

Expected<Runner::Options> runner_options(const std::string& program, const Registry& registry, const Options& options) {
  Runner::Options chosen{.jobs = options.jobs,
                         .timeout = options.timeout,
                         .soak = options.soak,
                         .fail_fast = options.fail_fast,
                         .dangerous = options.dangerous,
                         .keep_namespaces = options.keep};
  if (chosen.jobs == 0) chosen.jobs = kJobsPerProcessor * std::max(1U, std::thread::hardware_concurrency());
  if (!options.known_file.empty()) {
    auto known = KnownIssues::read(options.known_file);
    if (!known) {
      known.error().call = "--known: " + known.error().call;
      return std::unexpected(known.error());
    }
    mention_unknown_rules(program, *known, registry);
    chosen.known = std::move(*known);
  }
  if (!options.alone_file.empty()) {
    auto alone = read_check_names(options.alone_file, registry);
    if (!alone) {
      alone.error().call = "--alone: " + alone.error().call;
      return std::unexpected(alone.error());
    }
    chosen.alone = std::move(*alone);
  }
  return chosen;
}

/// Whether some of the checks need it.
bool is_needed(const Feature& feature, const std::vector<Check>& checks) {
  return std::ranges::any_of(checks, [&](const Check& check) {
    return std::ranges::any_of(check.rule->needs, [&](const Feature& need) { return need.name == feature.name; });
  });
}

Surroundings surroundings(const Options& options, const std::vector<Check>& checks, unsigned jobs) {
  auto log = KernelLog::watch(options.calibration ? KernelLog::Writers::anybody : KernelLog::Writers::kernel);
  const auto lanes = Runner::kLanesOfAJob * jobs;
  const auto dispatch = [&](bool wanted, std::uint32_t program_flags) {
    return wanted ? XdpDispatcher::create(lanes * Runner::kSlotsOfACheck, program_flags)
                  : Expected<XdpDispatcher>(failure("XDP dispatcher", 0, "not wanted"));
  };
  const bool has_frags = is_needed(features::frags_programs(), checks);
  auto dispatcher = dispatch(!options.attach_directly, 0);
  auto frags_dispatcher = dispatch(!options.attach_directly && has_frags, BPF_F_XDP_HAS_FRAGS);
  auto listener = is_needed(features::redirect_trace(), checks)
                      ? RedirectListener::create(kRedirectTracepoints, lanes)
                      : Expected<RedirectListener>(failure("RedirectListener", 0, "not wanted"));
  return {.log = std::move(log),
          .dispatcher = std::move(dispatcher),
          .frags_dispatcher = std::move(frags_dispatcher),
          .listener = std::move(listener)};
}

std::vector<std::string> names_of(const std::vector<Check>& checks) {
  std::vector<std::string> names;
  names.reserve(checks.size());
  for (const auto& check : checks) names.push_back(check.name());
  return names;
}

void write_to_all(std::vector<RunStream>& streams, const std::string& line) {
  for (auto& stream : streams) stream.write(line);
}

/// Runs the checks as often as asked, and gives the signal that ended that, or 0. Fails where the machinery does; what
/// was gathered by then is in the record.
Expected<int> run_all(const std::vector<Check>& checks, const Options& options, const Runner::Options& runner_options,
                      KernelLog* log, std::vector<RunStream>& streams, RunRecord& record) {
  std::mt19937 generator(options.seed.value_or(0));
  // One at a time they go as listed, and a run that ends at the first failure should end at the first listed.
  const BeginOrder kind = options.shuffle                                 ? BeginOrder::shuffled
                          : runner_options.jobs == 1 || options.fail_fast ? BeginOrder::as_listed
                                                                          : BeginOrder::spread;
  for (unsigned iteration = 1; iteration <= options.repeat; ++iteration) {
    ProgressLine line(!options.quiet);
    const auto settled = [&](const Result& result, auto through, auto all) {
      line.show(result, through, all);
      if (streams.empty()) return;
      Result of_iteration = result;
      of_iteration.iteration = iteration;
      write_to_all(streams, result_line(of_iteration));
    };
    const auto begins = [&](const Check& check) {
      if (!streams.empty()) write_to_all(streams, begun_line(check.rule->id, check.variant.name(), iteration));
    };
    Runner runner(runner_options, log, settled, begins);
    auto outcome = runner.run(checks, begin_order(checks, kind, generator, runner_options.alone));
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

/// The console on standard output, unless something else goes there.
std::vector<Output> all_outputs(const Options& options) {
  std::vector<Output> outputs = options.outputs;
  const bool taken = std::ranges::any_of(outputs, [](const Output& output) { return output.file == "-"; });
  if (!taken) outputs.insert(outputs.begin(), {.format = Format::console, .file = "-"});
  return outputs;
}

bool wants_color(const Options& options, const std::string& file) {
  if (options.color != Options::Color::automatic) return options.color == Options::Color::always;
  return file == "-" && isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr;
}

/// Takes out the outputs that cannot be written, and says so, before hours are spent on them. False where there are
/// any.
bool keep_writable(const std::string& program, std::vector<Output>& outputs) {
  const auto lost = std::erase_if(outputs, [&](const Output& output) {
    const auto writable = check_writable(output.file);
    if (!writable) complain(program, writable.error().text() + "; all else goes on without this file", kExitBroken);
    return !writable;
  });
  return lost == 0;
}

/// Begins the outputs that are written to while the checks run, and takes them out of those that are written in the
/// end. False where one is lost, which is said.
bool open_streams(const std::string& program, std::vector<Output>& outputs, std::vector<RunStream>& streams) {
  bool all_open = true;
  std::erase_if(outputs, [&](const Output& output) {
    if (output.format != Format::stream) return false;
    auto stream = RunStream::open(output.file);
    if (stream) {
      streams.push_back(std::move(*stream));
    } else {
      all_open = false;
      complain(program, stream.error().text() + "; all else goes on without this file", kExitBroken);
    }
    return true;
  });
  return all_open;
}

/// False where lines of a stream were lost, which is said.
bool end_streams(const std::string& program, std::vector<RunStream>& streams, const RunContext& context) {
  write_to_all(streams, end_line(context));
  bool all_written = true;
  for (const auto& stream : streams) {
    if (!stream.lost()) continue;
    complain(program, stream.lost()->text(), kExitBroken);
    all_written = false;
  }
  return all_written;
}

bool write_outputs(const std::string& program, const std::vector<Output>& outputs, const Options& options,
                   const RunRecord& record, const Registry& registry) {
  bool all_written = true;
  const auto statements = registry.statements();
  for (const auto& output : outputs) {
    const ConsoleStyle style{.color = wants_color(options, output.file), .quiet = options.quiet};
    const auto written = write_file(output.file, render(output.format, record, statements, style));
    if (written) continue;
    complain(program, written.error().text(), kExitBroken);
    all_written = false;
  }
  return all_written;
}

}  // namespace

int complain(const std::string& program, std::string_view what, int code) {
  fmt::print(stderr, "{}: {}\n", program, what);
  return code;
}

int run_checks(const std::string& program, const Registry& registry, const std::vector<Check>& checks, Options options,
               std::vector<char*> google_test_arguments) {
  auto chosen = runner_options(program, registry, options);
  if (!chosen) return complain(program, chosen.error().text(), kExitUsage);
  const bool with_google_test = google_test_arguments.size() > 1;
  if (with_google_test) {
    const auto own = option_of_google_test(options);
    if (!own.empty()) return complain(program, fmt::format("{} with GoogleTest's flags", own), kExitUsage);
  }
  raise_locked_memory_limit();
  (void)move_program_to_huge_pages();  // checks are children that fork makes; it is only faster
  const bool listing = is_google_test_listing(google_test_arguments);
  if (!listing) {
    if (const Fact fact = preflight(); fact.presence != Presence::present) {
      return complain(program, fact.text + "; run it as root, or in a virtual machine", kExitNothingRan);
    }
  }
  options.attach_directly = options.attach_directly || listing;
  auto around = surroundings(options, checks, chosen->jobs);
  KernelLog* const log = around.log ? &*around.log : nullptr;
  if (around.dispatcher) chosen->dispatcher = &*around.dispatcher;
  if (around.frags_dispatcher) chosen->frags_dispatcher = &*around.frags_dispatcher;
  if (around.listener) chosen->listener = &*around.listener;
  if (with_google_test) {
    const int argument_count = static_cast<int>(google_test_arguments.size());
    google_test_arguments.push_back(nullptr);
    return run_as_google_tests(checks, *chosen, log, argument_count, google_test_arguments.data());
  }

  auto outputs = all_outputs(options);
  bool all_writable = keep_writable(program, outputs);
  if (options.shuffle && !options.seed) {
    options.seed = std::random_device()();
    fmt::print(stderr, "{}: order shuffled with --seed {}\n", program, *options.seed);
  }
  RunRecord record{.suite = suite_of_this_build(), .context = context_of_this_machine()};
  if (!options.kernel_label.empty()) record.context.kernel_label = options.kernel_label;
  record.context.kernel_log = around.log ? "watched" : around.log.error().text();
  record.context.attachment = around.dispatcher         ? "dispatcher"
                              : options.attach_directly ? "directly"
                                                        : around.dispatcher.error().text();
  record.context.shuffle_seed = options.seed;
  record.context.soak = options.soak;

  const SignalsHeldBack until_written;
  signal(SIGPIPE, SIG_IGN);  // a reader that has gone must not cost the files
  std::vector<RunStream> streams;
  all_writable = open_streams(program, outputs, streams) && all_writable;
  write_to_all(streams, run_line(record, names_of(checks), options.repeat));
  const auto began = std::chrono::steady_clock::now();
  const auto ended = run_all(checks, options, *chosen, log, streams, record);
  record.context.duration_ms =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began).count();
  if (!ended) record.context.partial = true;

  bool all_written = end_streams(program, streams, record.context);
  all_written = write_outputs(program, outputs, options, record, registry) && all_written;
  if (!ended) return complain(program, ended.error().text(), kExitBroken);
  if (*ended != 0) return 128 + *ended;
  const int code = exit_code(record);
  return (!all_writable || !all_written) && code == kExitConforms ? kExitBroken : code;
}

}  // namespace devmap
