#include <fcntl.h>
#include <unistd.h>
#include <harness/base/file.hpp>
#include <harness/spec/kernel_log.hpp>
#include <harness/spec/preflight.hpp>
#include <harness/spec/runner.hpp>
#include <harness/spec/tests/support.hpp>

#include <fmt/format.h>
#include <algorithm>

// The real kernel log, into which these tests write what the kernel would. Others may write there too, so what is
// judged is what bears this test's mark.
namespace devmap {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing_support::fault;
using testing_support::hold;
using testing_support::make_rule;

Expected<void> write_to_log(const std::string& line) {
  const UniqueFd log(open("/dev/kmsg", O_WRONLY | O_CLOEXEC));
  if (!log) return last_error("open", "/dev/kmsg");
  return write_all(log.get(), "<4>" + line + "\n");
}

class KernelLogTest : public testing::Test {
 protected:
  void SetUp() override {
    const UniqueFd log(open("/dev/kmsg", O_RDWR | O_CLOEXEC));
    if (!log) GTEST_SKIP() << "may not use the kernel log: " << last_error("open", "/dev/kmsg").error().text();
    // What others write into it meanwhile does not carry this.
    mark_ = fmt::format("test-{}", getpid());
  }

  [[nodiscard]] std::vector<std::string> own(const std::vector<std::string>& texts) const {
    std::vector<std::string> found;
    std::ranges::copy_if(texts, std::back_inserter(found),
                         [&](const auto& text) { return text.find(mark_) != std::string::npos; });
    return found;
  }
  [[nodiscard]] std::vector<std::string> own(const std::vector<KernelWarning>& warnings) const {
    std::vector<std::string> texts;
    for (const auto& warning : warnings) texts.push_back(warning.lines.front());
    return own(texts);
  }
  std::string mark_;
};

TEST_F(KernelLogTest, GivesTheWarningsSinceItWasAskedLast) {
  ASSERT_EQ(fault(write_to_log("WARNING: before anybody watched " + mark_)), "");
  auto log = KernelLog::watch(KernelLog::Writers::anybody);
  ASSERT_EQ(fault(log), "");
  EXPECT_THAT(own(log->drain()), ElementsAre());
  ASSERT_EQ(fault(write_to_log("nothing special " + mark_)), "");
  ASSERT_EQ(fault(write_to_log("WARNING: one " + mark_)), "");
  ASSERT_EQ(fault(write_to_log("WARNING: two " + mark_)), "");
  EXPECT_THAT(own(log->drain()), ElementsAre("WARNING: one " + mark_, "WARNING: two " + mark_));
  EXPECT_THAT(own(log->drain()), ElementsAre());
}

TEST_F(KernelLogTest, BelievesTheKernelAloneWhereAskedTo) {
  auto log = KernelLog::watch(KernelLog::Writers::kernel);
  ASSERT_EQ(fault(log), "");
  ASSERT_EQ(fault(write_to_log("WARNING: not from the kernel " + mark_)), "");
  EXPECT_THAT(own(log->drain()), ElementsAre());
}

/// How the runner hands warnings out.
class KernelLogRunnerTest : public KernelLogTest {
 protected:
  void SetUp() override {
    if (const Fact fact = preflight(); fact.presence != Presence::present) GTEST_SKIP() << fact.text;
    KernelLogTest::SetUp();
  }

  /// A check that logs a warning in the name of a task.
  [[nodiscard]] std::function<void(Case&)> warns_as(const std::string& name, pid_t task = 0) const {
    return [=, mark = mark_](Case& c) {
      c.must(write_to_log(
          fmt::format("WARNING: CPU: 0 PID: {} at {} Comm: {} Not tainted", task != 0 ? task : getpid(), mark, name)));
      hold(c);
    };
  }

  RunOutcome run(const std::vector<std::function<void(Case&)>>& bodies) {
    auto log = KernelLog::watch(KernelLog::Writers::anybody);
    EXPECT_EQ(fault(log), "");
    std::vector<Rule> rules;
    for (const auto& body : bodies) rules.push_back(make_rule(fmt::format("log.r{}", rules.size()), body));
    std::vector<Check> checks;
    std::vector<std::size_t> order;
    for (const auto& rule : rules) {
      order.push_back(checks.size());
      checks.push_back({.rule = &rule});
    }
    return Runner({}, &*log, {}).run(checks, order).value();
  }
};

TEST_F(KernelLogRunnerTest, BlamesTheCheckThatAWarningNames) {
  const auto by_number = run({warns_as("some-name"), hold});
  ASSERT_EQ(by_number.results.size(), 2U);
  EXPECT_EQ(by_number.results[0].verdict, Verdict::splat);
  EXPECT_THAT(by_number.results[0].reason, HasSubstr(mark_));
  EXPECT_THAT(by_number.results[1].reason, Not(HasSubstr(mark_)));
  EXPECT_EQ(run({warns_as(fmt::format("dm{}-0", getpid()), 1)}).results[0].verdict, Verdict::splat) << "by its name";
}

TEST_F(KernelLogRunnerTest, BlamesWhatRunsForAWarningOfTheKernelsOwnThreads) {
  EXPECT_EQ(run({warns_as("kworker/0:1", 1)}).results[0].verdict, Verdict::splat);
}

TEST_F(KernelLogRunnerTest, BlamesNobodyForAWarningOfAnotherTask) {
  const auto outcome = run({warns_as("another-program", 1)});
  EXPECT_THAT(outcome.results[0].reason, Not(HasSubstr(mark_)));
  EXPECT_EQ(own(outcome.foreign_warnings).size(), 1U);
}

}  // namespace
}  // namespace devmap
