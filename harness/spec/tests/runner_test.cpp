#include <harness/spec/runner.hpp>

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <harness/base/capabilities.hpp>
#include <harness/base/wait.hpp>
#include <harness/net/link.hpp>
#include <harness/spec/preflight.hpp>
#include <harness/spec/tests/support.hpp>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <new>
#include <numeric>
#include <thread>

namespace devmap {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing_support::fault;
using testing_support::hold;
using testing_support::make_rule;
using testing_support::not_hold;

[[noreturn]] void hang(Case& /*c*/) {
  for (;;) pause();
}

/// A number that the test and its checks' processes share.
class SharedNumber {
 public:
  SharedNumber() : memory_(mmap(nullptr, sizeof(Number), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) {
    if (memory_ == MAP_FAILED) throw std::bad_alloc();
    new (memory_) Number(0);
  }
  SharedNumber(const SharedNumber&) = delete;
  SharedNumber& operator=(const SharedNumber&) = delete;
  SharedNumber(SharedNumber&&) = delete;
  SharedNumber& operator=(SharedNumber&&) = delete;
  ~SharedNumber() { munmap(memory_, sizeof(Number)); }

  [[nodiscard]] std::atomic<int>& value() const { return *static_cast<Number*>(memory_); }
  [[nodiscard]] bool reaches(int number) const {
    return wait_until([&] { return value() >= number; }, 5s);
  }

 private:
  using Number = std::atomic<int>;
  static_assert(Number::is_always_lock_free);
  void* memory_;
};

class RunnerTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const Fact fact = preflight(); fact.presence != Presence::present) GTEST_SKIP() << fact.text;
  }

  void add(std::function<void(Case&)> check) {
    if (rules_.chapters().empty()) rules_.chapter("test", "Tried on the runner");
    rules_.add(make_rule("test.r" + std::to_string(rules_.rules().size()), std::move(check)));
  }
  void add(const Rule& rule) {
    if (rules_.chapters().empty()) rules_.chapter("test", "Tried on the runner");
    rules_.add(rule);
  }

  RunOutcome run(Runner::Options options = {}, const Runner::Progress& progress = {}) {
    std::vector<std::size_t> order(rules_.checks().size());
    std::iota(order.begin(), order.end(), 0);
    return run_in(order, std::move(options), progress);
  }
  RunOutcome run_in(const std::vector<std::size_t>& order, Runner::Options options = {},
                    const Runner::Progress& progress = {}) {
    auto outcome = Runner(std::move(options), nullptr, progress).run(rules_.checks(), order);
    EXPECT_EQ(fault(outcome), "");
    return outcome.value_or(RunOutcome{});
  }

  static std::vector<std::string> told(const RunOutcome& outcome) {
    std::vector<std::string> told;
    for (const auto& result : outcome.results) told.push_back(result.rule + " " + std::string(name_of(result.verdict)));
    return told;
  }

  Registry rules_;
};

TEST_F(RunnerTest, GivesEachCheckItsVerdict) {
  add(hold);
  add(not_hold);
  add([](Case&) {});
  add([](Case&) { std::raise(SIGKILL); });
  const auto outcome = run();
  EXPECT_THAT(told(outcome), ElementsAre("test.r0 conforms", "test.r1 deviates", "test.r2 broken", "test.r3 crash"));
  EXPECT_FALSE(outcome.partial);
  EXPECT_EQ(outcome.interrupted_by, 0);
}

TEST_F(RunnerTest, KeepsTheOrderOfTheChecksWhateverHappens) {
  const SharedNumber ended;
  std::vector<std::string> order;
  add([&](Case& c) { c.holds("the other two ended before", ended.reaches(2)); });
  add(hold);
  add(not_hold);
  const auto outcome = run_in({2, 0, 1}, {.jobs = 2}, [&](const Result& result, auto, auto) {
    order.push_back(result.rule);
    ++ended.value();
  });
  ASSERT_EQ(order.size(), 3U);
  EXPECT_EQ(order.back(), "test.r0") << "the first to be judged in the record has not ended last";
  EXPECT_THAT(told(outcome), ElementsAre("test.r0 conforms", "test.r1 conforms", "test.r2 deviates"));
}

TEST_F(RunnerTest, TellsOfItsProgress) {
  add(hold);
  add(hold);
  std::vector<std::pair<std::size_t, std::size_t>> progress;
  (void)run({.jobs = 2}, [&](const Result&, auto through, auto all) { progress.emplace_back(through, all); });
  EXPECT_THAT(progress, ElementsAre(std::pair{1, 2}, std::pair{2, 2}));
}

TEST_F(RunnerTest, RunsSeveralAtATime) {
  constexpr int kMany = 4;
  const SharedNumber begun;
  for (int i = 0; i < kMany; ++i) {
    add([&](Case& c) {
      ++begun.value();
      c.holds("the others run as well", begun.reaches(kMany));
    });
  }
  for (const auto& result : run({.jobs = kMany}).results) EXPECT_EQ(result.verdict, Verdict::conforms);
}

TEST_F(RunnerTest, RunsSomeAlone) {
  const SharedNumber at_work;
  const SharedNumber most;
  const auto check = [&](bool alone) {
    return [&, alone](Case& c) {
      const int now = ++at_work.value();
      most.value() = std::max<int>(most.value(), now);
      if (alone) c.equals("checks at work", now, 1);
      usleep(20'000);
      if (alone) c.equals("checks at work later", static_cast<int>(at_work.value()), 1);
      if (!alone) c.holds("always", true);
      --at_work.value();
    };
  };
  for (int i = 0; i < 3; ++i) add(check(true));
  for (int i = 0; i < 6; ++i) add(check(false));
  Rule dangerous = make_rule("test.dangerous", check(true));
  dangerous.danger = "only said to be";
  add(dangerous);
  const auto outcome = run({.jobs = 4, .dangerous = true, .alone = {"test.r0", "test.r1", "test.r2/once"}});
  for (const auto& result : outcome.results) EXPECT_EQ(result.verdict, Verdict::conforms) << result.rule;
  EXPECT_GT(most.value(), 1) << "the others do not wait for each other";
}

TEST_F(RunnerTest, TellsOfWhatBegins) {
  add(hold);
  Rule dangerous = make_rule("test.dangerous");
  dangerous.danger = "only said to be";
  add(dangerous);
  std::vector<std::string> told;
  Runner runner(
      {}, nullptr, [&](const Result& result, auto, auto) { told.push_back("result of " + result.rule); },
      [&](const Check& check) { told.push_back(check.rule->id); });
  ASSERT_EQ(fault(runner.run(rules_.checks(), {0, 1})), "");
  EXPECT_THAT(told, ElementsAre("test.r0", "result of test.dangerous", "result of test.r0"));
}

TEST_F(RunnerTest, RunsNoMoreAtATimeThanAsked) {
  const SharedNumber at_work;
  for (int i = 0; i < 6; ++i) {
    add([&](Case& c) {
      c.holds("at most one other runs", ++at_work.value() <= 2);
      usleep(20'000);
      --at_work.value();
    });
  }
  for (const auto& result : run({.jobs = 2}).results) EXPECT_EQ(result.verdict, Verdict::conforms);
}

TEST_F(RunnerTest, EndsWhatDoesNotEndInTime) {
  add([](Case& c) {
    hold(c);
    hang(c);
  });
  add(hold);
  const auto outcome = run({.jobs = 2, .timeout = 1s});
  EXPECT_THAT(told(outcome), ElementsAre("test.r0 timeout", "test.r1 conforms"));
  EXPECT_EQ(outcome.results[0].evidence.size(), 1U) << "what it had found is kept";
  EXPECT_THAT(outcome.results[0].reason, HasSubstr("no end after 1."));
  EXPECT_GE(outcome.results[0].duration_ms, 1000);
}

/// A check whose first runs, so many, do not observe all that happens and find something wrong.
std::function<void(Case&)> inexact_at_first(const SharedNumber& runs, int inexact) {
  return [&runs, inexact](Case& c) {
    const int run = ++runs.value();
    if (run <= inexact) c.may_have_missed("nobody looked");
    c.equals("the namespace is new", std::filesystem::exists("/proc/sys/net/ipv4/conf/again"), false);
    c.note(fmt::format("run {}", run));
    c.must(create_veth({.first_name = "again"}));
    c.holds("all was seen", run > inexact);
  };
}

std::vector<std::string> texts(const std::vector<Evidence>& evidence) {
  std::vector<std::string> texts;
  texts.reserve(evidence.size());
  for (const auto& line : evidence) texts.push_back(line.text());
  return texts;
}

TEST_F(RunnerTest, RunsAgainWhatWasNotObservedExactly) {
  for (const unsigned jobs : {1U, 3U}) {
    const SharedNumber runs;
    rules_ = {};
    add(hold);
    add(inexact_at_first(runs, 2));
    add(not_hold);
    std::vector<std::string> settled;
    const auto outcome = run({.jobs = jobs}, [&](const Result& result, auto, auto) { settled.push_back(result.rule); });
    EXPECT_THAT(told(outcome), ElementsAre("test.r0 conforms", "test.r1 conforms", "test.r2 deviates"));
    EXPECT_THAT(settled, testing::UnorderedElementsAre("test.r0", "test.r1", "test.r2"));
    EXPECT_THAT(texts(outcome.results[1].evidence),
                ElementsAre(HasSubstr("the namespace is new"), "run 3", HasSubstr("all was seen"),
                            "run again 2 times, as not everything that happened had been observed"));
    EXPECT_EQ(runs.value(), 3);
  }
}

TEST_F(RunnerTest, JudgesTheLastRunAlsoWhereItDeviates) {
  const SharedNumber runs;
  add([&](Case& c) {
    if (++runs.value() == 1) c.may_have_missed("nobody looked");
    c.holds("it is so", false);
  });
  EXPECT_THAT(told(run()), ElementsAre("test.r0 deviates"));
  EXPECT_EQ(runs.value(), 2);
}

TEST_F(RunnerTest, GivesUpOnWhatIsNeverObservedExactly) {
  const SharedNumber runs;
  add(inexact_at_first(runs, 1'000'000));
  add(hold);
  const auto outcome = run();
  EXPECT_THAT(told(outcome), ElementsAre("test.r0 broken", "test.r1 conforms"));
  EXPECT_EQ(outcome.results[0].reason, "not exact: nobody looked");
  EXPECT_EQ(runs.value(), 6);
  EXPECT_THAT(texts(outcome.results[0].evidence), testing::Contains(HasSubstr("run again 5 times")));
}

TEST_F(RunnerTest, FinishesWhatIsRepeatedAlsoAfterTheFirstFailure) {
  const SharedNumber runs;
  add([&](Case& c) {
    if (++runs.value() == 1) c.may_have_missed("nobody looked");
    c.holds("the other has failed and this has run again", runs.value() == 2);
  });
  add(not_hold);
  EXPECT_THAT(told(run({.jobs = 2, .fail_fast = true})), ElementsAre("test.r0 conforms", "test.r1 deviates"));
}

/// Stops a process for longer than a while, and lets it go on.
void hold_up(pid_t process, std::chrono::milliseconds longer_than) {
  kill(process, SIGSTOP);
  std::this_thread::sleep_for(longer_than);
  kill(process, SIGCONT);
}

TEST_F(RunnerTest, DoesNotCountTheTimeInWhichItWasStopped) {
  constexpr auto kTimeout = 1500ms;
  // The check itself stops its runner for longer than it may take, and takes its time when the runner is back.
  add([=](Case& c) {
    hold_up(getppid(), kTimeout + 500ms);
    std::this_thread::sleep_for(200ms);
    hold(c);
  });
  const pid_t runner = fork();
  if (runner == 0) {
    const auto outcome = Runner({.timeout = kTimeout}, nullptr, {}).run(rules_.checks(), {0});
    _exit(outcome && told(*outcome) == std::vector<std::string>{"test.r0 conforms"} ? 0 : 1);
  }
  ASSERT_GT(runner, 0);
  int status = 0;
  ASSERT_EQ(waitpid(runner, &status, 0), runner);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

TEST_F(RunnerTest, EndsWhatDoesNotEndInTimeAlsoAfterAStop) {
  add([](Case& c) {
    hold_up(getppid(), 100ms);
    hang(c);
  });
  const pid_t runner = fork();
  if (runner == 0) {
    const auto outcome = Runner({.timeout = 500ms}, nullptr, {}).run(rules_.checks(), {0});
    _exit(outcome && told(*outcome) == std::vector<std::string>{"test.r0 timeout"} ? 0 : 1);
  }
  ASSERT_GT(runner, 0);
  int status = 0;
  ASSERT_EQ(waitpid(runner, &status, 0), runner);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

TEST_F(RunnerTest, GivesRacesTheTimeOfASoakBesidesTheLimit) {
  add([](Case& c) {
    const auto limit = c.soak(1ms);
    std::this_thread::sleep_for(limit);
    c.equals("the time of a race", limit.count(), 1200);
  });
  EXPECT_THAT(told(run({.timeout = 1s, .soak = 1200ms})), ElementsAre("test.r0 conforms"));
}

TEST_F(RunnerTest, TellsChecksHowLongTheyMayTake) {
  add([](Case& c) { c.holds("most of limit and soak", c.patience() > 749min && c.patience() <= 750min); });
  EXPECT_THAT(told(run({.timeout = 900min, .soak = 100min})), ElementsAre("test.r0 conforms"));
}

TEST_F(RunnerTest, LeavesChecksLittlePatienceWhereTheyAreNotToHold) {
  const auto is_impatient = [](Case& c) { c.holds("a twelfth of the limit", c.patience() == 60min); };
  Rule later = make_rule("test.later", is_impatient);
  later.since = {.major = 6, .minor = 1};
  Rule known = make_rule("test.known", is_impatient);
  known.known = {{.reason = "a bug", .since = {.major = 5, .minor = 0}}};
  add(later);
  add(known);
  EXPECT_THAT(told(run({.timeout = 720min, .kernel = {.major = 6, .minor = 0}})),
              ElementsAre("test.later backported", "test.known conforms"));
}

TEST_F(RunnerTest, EndsAlsoWhatAHangingCheckHasStarted) {
  add([](Case& c) {
    (void)fork();  // both hold the report's pipe open
    hang(c);
  });
  EXPECT_THAT(told(run({.timeout = 200ms})), ElementsAre("test.r0 timeout"));
}

TEST_F(RunnerTest, BeginsNothingMoreAfterTheFirstFailure) {
  add(hold);
  add(not_hold);
  add(hold);
  const auto outcome = run({.fail_fast = true});
  EXPECT_THAT(told(outcome), ElementsAre("test.r0 conforms", "test.r1 deviates"));
  EXPECT_TRUE(outcome.partial);
}

TEST_F(RunnerTest, FailFastLetsHarmlessVerdictsPass) {
  Rule absent = make_rule("test.absent", not_hold);
  absent.since = {9999, 0};
  add(absent);
  add(hold);
  EXPECT_EQ(run({.fail_fast = true}).results.size(), 2U);
}

TEST_F(RunnerTest, LeavesDangerousChecksUnlessAsked) {
  Rule dangerous = make_rule("test.dangerous");
  dangerous.danger = "allocates 16 GiB";
  add(dangerous);
  add(hold);
  const auto careful = run();
  EXPECT_THAT(told(careful), ElementsAre("test.dangerous unmet", "test.r1 conforms"));
  EXPECT_EQ(careful.results[0].reason, "dangerous: allocates 16 GiB");
  EXPECT_FALSE(careful.partial);
  EXPECT_THAT(told(run({.dangerous = true})), ElementsAre("test.dangerous conforms", "test.r1 conforms"));
}

TEST_F(RunnerTest, JudgesByTheGivenKernelAndList) {
  Rule late = make_rule("test.late", not_hold);
  late.since = {6, 0};
  add(late);
  EXPECT_THAT(told(run({.kernel = {5, 10}})), ElementsAre("test.late absent"));
  EXPECT_THAT(told(run({.kernel = {6, 1}})), ElementsAre("test.late deviates"));
  auto known = KnownIssues::parse(R"({"schema_version": 1, "known": [{"rule": "test.late", "reason": "a bug"}]})", "f");
  ASSERT_EQ(fault(known), "");
  EXPECT_THAT(told(run({.kernel = {6, 1}, .known = *known})), ElementsAre("test.late known"));
}

TEST_F(RunnerTest, KeepsWhatIsThroughWhenItIsInterrupted) {
  add(hold);
  add(hang);
  add(hang);
  for (const int signal : {SIGINT, SIGTERM}) {
    const auto outcome = run({.jobs = 2}, [signal](const Result&, auto, auto) { std::raise(signal); });
    EXPECT_THAT(told(outcome), ElementsAre("test.r0 conforms"));
    EXPECT_TRUE(outcome.partial);
    EXPECT_EQ(outcome.interrupted_by, signal);
  }
}

TEST_F(RunnerTest, NoticesAnInterruptAfterTheLastCheck) {
  add(hold);
  const auto outcome = run({}, [](const Result&, auto, auto) { std::raise(SIGINT); });
  EXPECT_EQ(outcome.interrupted_by, SIGINT);
  EXPECT_EQ(outcome.results.size(), 1U);
  EXPECT_FALSE(outcome.partial);
}

TEST_F(RunnerTest, RestoresTheSignalMask) {
  add(hold);
  (void)run();
  sigset_t mask;
  ASSERT_EQ(sigprocmask(SIG_SETMASK, nullptr, &mask), 0);
  EXPECT_EQ(sigismember(&mask, SIGINT), 0);
}

TEST_F(RunnerTest, RunsPartOfTheChecks) {
  add(hold);
  add(not_hold);
  const auto outcome = run_in({1});
  EXPECT_THAT(told(outcome), ElementsAre("test.r1 deviates"));
  EXPECT_FALSE(outcome.partial);
  EXPECT_TRUE(run_in({}).results.empty());
}

// For every user: without the capability to make namespaces no check can be carried out, and each says why.
TEST(Runner, CallsAllBrokenWhereNoNamespaceCanBeMade) {
  const Rule rule = make_rule("test.a");
  Expected<RunOutcome> outcome;
  ASSERT_EQ(fault(with_capabilities({}, [&] { outcome = Runner({}, nullptr, {}).run({{&rule, {}}}, {0}); })), "");
  ASSERT_EQ(fault(outcome), "");
  ASSERT_EQ(outcome->results.size(), 1U);
  EXPECT_EQ(outcome->results[0].verdict, Verdict::broken);
  EXPECT_THAT(outcome->results[0].reason, testing::StartsWith("unshare: EPERM"));
}

}  // namespace
}  // namespace devmap
