#include <harness/spec/isolation.hpp>

#include <cerrno>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <harness/base/file.hpp>
#include <harness/base/wait.hpp>
#include <harness/spec/preflight.hpp>
#include <harness/spec/tests/support.hpp>

#include <array>
#include <csignal>

namespace devmap {
namespace {

/// A child that is at the rule's only check.
Expected<IsolatedCheck> started(const Rule& rule, const std::string& tag) {
  const Check check{.rule = &rule};
  auto child = IsolatedCheck::prepare({&check, 1}, {});
  if (!child) return child;
  if (auto begun = child->begin({.index = 0, .tag = tag}); !begun) return std::unexpected(begun.error());
  return child;
}

using testing::HasSubstr;
using testing_support::fault;
using testing_support::hold;
using testing_support::make_rule;
using testing_support::not_hold;

ino_t own_namespace() {
  struct stat facts{};
  return stat("/proc/self/ns/net", &facts) == 0 ? facts.st_ino : 0;
}

class IsolationTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const Fact fact = preflight(); fact.presence != Presence::present) GTEST_SKIP() << fact.text;
  }

  /// Runs a check in a child of its own to its end.
  static ChildReport report_of(const Rule& rule, const char* tag = "check-0") {
    auto child = started(rule, tag);
    EXPECT_EQ(fault(child), "");
    return child ? child->finish() : ChildReport{};
  }
  static ChildReport report_of(std::function<void(Case&)> check) {
    return report_of(make_rule("a.b", std::move(check)));
  }
};

TEST_F(IsolationTest, ReportsEvidenceAndOutcome) {
  const auto fine = report_of(hold);
  ASSERT_TRUE(fine.outcome.has_value());
  EXPECT_TRUE(fine.outcome->as_stated);
  EXPECT_EQ(fine.evidence.size(), 1U);
  EXPECT_EQ(fine.exit_code, 0);
  EXPECT_EQ(fine.signal, 0);
  const auto wrong = report_of(not_hold);
  EXPECT_FALSE(wrong.outcome->as_stated);
  EXPECT_EQ(wrong.evidence.front().observed, "2");
}

TEST_F(IsolationTest, FindsErrnosThatRuleAndCheckDoNotAgreeOn) {
  const auto of = [](std::vector<int> declared) {
    Rule rule = make_rule("a.b", [](Case& c) { c.ends_in("err", -EINVAL, EINVAL); });
    rule.refuses = std::move(declared);
    return report_of(rule).outcome.value_or(Case::Outcome{}).broken.value_or("");
  };
  EXPECT_EQ(of({EINVAL}), "");
  EXPECT_EQ(of({}), "the check expects EINVAL, which the rule's .refuses does not name");
  EXPECT_EQ(of({EINVAL, EPERM}), "the rule's .refuses names EPERM, which the check expects nowhere");
}

TEST_F(IsolationTest, GivesACheckItsOwnNamespaceProcessGroupAndName) {
  const auto report = report_of(make_rule("a.b",
                                          [outside = own_namespace()](Case& c) {
                                            std::array<char, 16> name{};
                                            prctl(PR_GET_NAME, name.data());
                                            c.equals("its name", std::string(name.data()), std::string("check-77"));
                                            c.equals("its process group", getpgrp(), getpid());
                                            c.holds("its namespace is its own", own_namespace() != outside);
                                          }),
                                "check-77");
  for (const auto& evidence : report.evidence) EXPECT_TRUE(evidence.as_expected) << evidence.text();
  EXPECT_EQ(report.evidence.size(), 3U);
}

TEST_F(IsolationTest, DoesNotBeginWhatLacksANeed) {
  Rule rule = make_rule("a.b", [](Case&) { std::raise(SIGKILL); });
  rule.needs = {{.name = "there", .remedy = "", .probe = [] { return Fact{Presence::present, "yes"}; }},
                {.name = "not there", .remedy = "get it", .probe = [] { return Fact{Presence::absent, "no"}; }}};
  const auto absent = report_of(rule);
  ASSERT_TRUE(absent.missing.has_value());
  EXPECT_EQ(absent.missing->feature, "not there");
  EXPECT_EQ(absent.missing->fact, "no");
  EXPECT_EQ(absent.missing->remedy, "get it");
  EXPECT_FALSE(absent.outcome.has_value());
  rule.needs = {{.name = "unclear", .remedy = "", .probe = [] { return Fact{Presence::could_not_tell, "hm"}; }}};
  EXPECT_EQ(report_of(rule).missing->fact, "could not tell: hm");
}

TEST_F(IsolationTest, ReportsWhatWasFoundBeforeACrash) {
  const auto report = report_of([](Case& c) {
    hold(c);
    std::raise(SIGKILL);
  });
  EXPECT_EQ(report.signal, SIGKILL);
  EXPECT_FALSE(report.outcome.has_value());
  EXPECT_EQ(report.evidence.size(), 1U);
}

TEST_F(IsolationTest, ReportsAnEarlyExit) {
  const auto report = report_of([](Case&) { _exit(3); });
  EXPECT_EQ(report.exit_code, 3);
  EXPECT_EQ(report.signal, 0);
  EXPECT_FALSE(report.outcome.has_value());
}

TEST_F(IsolationTest, FindsADescriptorLeftOpen) {
  const auto report = report_of([](Case& c) {
    hold(c);
    (void)!open("/dev/null", O_RDONLY | O_CLOEXEC);
  });
  EXPECT_THAT(report.outcome->broken.value_or(""),
              testing::MatchesRegex("left descriptor [0-9]+ open \\(/dev/null\\)"));
}

TEST_F(IsolationTest, FindsAChildLeftBehindAndEndsIt) {
  pid_t left = 0;
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
  const UniqueFd reading(ends[0]);
  const UniqueFd writing(ends[1]);
  const auto report = report_of([&](Case& c) {
    hold(c);
    const pid_t child = fork();
    if (child == 0) {
      pause();
      _exit(0);
    }
    c.must(write_all(writing.get(), {reinterpret_cast<const char*>(&child), sizeof child}));  // NOLINT
  });
  EXPECT_EQ(report.outcome->broken, "left a child process behind");
  ASSERT_EQ(read(reading.get(), &left, sizeof left), static_cast<ssize_t>(sizeof left));
  // Gone, or a zombie that waits for whoever has adopted it.
  EXPECT_TRUE(wait_until(
      [&] {
        const auto state = read_file("/proc/" + std::to_string(left) + "/stat");
        return !state || state->find(") Z") != std::string::npos;
      },
      std::chrono::seconds(5)));
}

TEST_F(IsolationTest, TakesMoreThanAPipeHolds) {
  constexpr int kLines = 3000;
  const Rule rule = make_rule("a.b", [](Case& c) {
    for (int i = 0; i < kLines; ++i) c.holds("a line of a good many characters, so that they add up", true);
  });
  auto child = started(rule, "check-0");
  ASSERT_EQ(fault(child), "");
  pollfd waited[] = {{child->ended_fd(), POLLIN, 0}, {child->report_fd(), POLLIN, 0}};
  while ((waited[0].revents & POLLIN) == 0) {
    ASSERT_GT(poll(waited, std::size(waited), 10'000), 0) << "the child is stuck";
    child->collect();
  }
  const auto report = child->finish();
  EXPECT_EQ(report.evidence.size(), static_cast<std::size_t>(kLines));
  EXPECT_TRUE(report.outcome.has_value());
}

TEST_F(IsolationTest, IsKilled) {
  const Rule rule = make_rule("a.b", [](Case&) {
    for (;;) pause();
  });
  auto child = started(rule, "check-0");
  ASSERT_EQ(fault(child), "");
  child->kill();
  EXPECT_EQ(child->finish().signal, SIGKILL);
}

TEST_F(IsolationTest, EndsWithItsObject) {
  const Rule rule = make_rule("a.b", [](Case&) {
    for (;;) pause();
  });
  pid_t pid = 0;
  {
    const auto child = started(rule, "check-0");
    ASSERT_EQ(fault(child), "");
    pid = child->pid();
    EXPECT_EQ(kill(pid, 0), 0);
  }
  EXPECT_EQ(kill(pid, 0), -1);
}

TEST_F(IsolationTest, IsAbandonedWithWhatItHasSaid) {
  const Rule rule = make_rule("a.b", [](Case& c) {
    hold(c);
    for (;;) pause();
  });
  auto child = started(rule, "check-0");
  ASSERT_EQ(fault(child), "");
  const pid_t pid = child->pid();
  pollfd report{child->report_fd(), POLLIN, 0};
  ASSERT_EQ(poll(&report, 1, 10'000), 1);
  const auto abandoned = child->abandon();
  EXPECT_EQ(abandoned.evidence.size(), 1U);
  EXPECT_FALSE(abandoned.outcome.has_value());
  EXPECT_EQ(kill(pid, SIGKILL), 0) << "nobody waited for it";
  EXPECT_EQ(waitpid(pid, nullptr, 0), pid);
}

TEST_F(IsolationTest, HandsNoBlockedSignalsDown) {
  sigset_t blocked;
  sigset_t before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  ASSERT_EQ(sigprocmask(SIG_BLOCK, &blocked, &before), 0);
  const auto report = report_of([](Case&) { std::raise(SIGTERM); });
  ASSERT_EQ(sigprocmask(SIG_SETMASK, &before, nullptr), 0);
  EXPECT_EQ(report.signal, SIGTERM);
}

}  // namespace
}  // namespace devmap
