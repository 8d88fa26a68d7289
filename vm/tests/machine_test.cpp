#include <vm/machine.hpp>

#include <vm/files.hpp>
#include <vm/process.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <harness/base/wait.hpp>
#include <thread>

namespace devmap::vm {
namespace {

using std::chrono_literals::operator""s;
using std::chrono_literals::operator""ms;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(QemuArguments, NeedNeitherKvmNorNetworkNorRoot) {
  const auto arguments = qemu_arguments(
      {.kernel = "k", .root_image = "r", .console = "c", .cpus = 3, .memory_mib = 300, .command_line = "quiet=no"}, 7);
  EXPECT_THAT(arguments, Contains("tcg,thread=single"));
  EXPECT_THAT(arguments, Contains("socket,id=port,fd=7"));
  EXPECT_THAT(arguments, Contains("file:c"));
  EXPECT_THAT(arguments, Contains("300"));
  EXPECT_THAT(arguments.back(), HasSubstr(" quiet=no"));
  EXPECT_THAT(arguments, testing::Not(Contains(HasSubstr("kvm"))));
}

Observed seen(bool hello, bool started) {
  Observed observed;
  observed.hello = hello;
  observed.suite_started = started;
  return observed;
}

TEST(Outcomes, AreJudgedByWhatWasSeen) {
  auto ended = seen(true, true);
  ended.suite_exit_code = 1;
  EXPECT_EQ(judge(ended).ending, Ending::ended);
  ended.console = "[    9.1] Kernel panic - not syncing: on the way out\n";
  EXPECT_EQ(judge(ended).ending, Ending::ended) << "the suite had said its last word";

  auto panic = seen(true, true);
  panic.console = "[    9.1] Kernel panic - not syncing: sysrq triggered crash\n";
  EXPECT_EQ(judge(panic).ending, Ending::panic);
  EXPECT_EQ(judge(panic).reason, "Kernel panic - not syncing: sysrq triggered crash while the suite ran");

  auto hang = seen(true, true);
  hang.time_was_up = true;
  EXPECT_EQ(judge(hang).ending, Ending::hang);

  auto mute = seen(false, false);
  mute.time_was_up = true;
  EXPECT_EQ(judge(mute).ending, Ending::never_booted);
  EXPECT_THAT(judge(mute).reason, HasSubstr("did not say a word"));

  auto refused = seen(false, false);
  refused.qemu_exit_code = 1;
  refused.qemu_complaint = "qemu: could not load kernel 'k'\nmore\n";
  EXPECT_EQ(judge(refused).ending, Ending::never_booted);
  EXPECT_EQ(judge(refused).reason, "qemu: could not load kernel 'k'");

  auto cut = seen(true, true);
  cut.cut = true;
  cut.suite_exit_code = 0;
  EXPECT_EQ(judge(cut).ending, Ending::killed) << "what came with the end may be garbage";
  EXPECT_THAT(judge(cut).reason, HasSubstr("cut"));

  auto interrupted = seen(true, false);
  interrupted.interrupted_by = SIGTERM;
  EXPECT_EQ(judge(interrupted).ending, Ending::interrupted);
}

/// A program that stands in for QEMU: it finds the descriptor of the port and the console among its arguments, and then
/// does as the script says.
class FakeMachine : public testing::Test {
 protected:
  Observed run(const std::string& script, std::chrono::seconds limit = 30s) {
    const auto qemu = directory_.path() / "qemu";
    EXPECT_TRUE(write_to(qemu,
                         "#!/bin/sh\n"
                         "for word; do case $word in *,fd=*) port=${word##*=} ;; file:*) console=${word#file:} ;;"
                         " esac; done\n"
                         "say() { printf '%s %s\\n%s' \"$1\" \"${#2}\" \"$2\" >&\"$port\"; }\n" +
                             script));
    chmod(qemu.c_str(), 0755);
    auto observed = run_machine(qemu.string(), {.console = directory_.path() / "console"}, limit,
                                [this](std::string_view text) { output_ += text; });
    EXPECT_TRUE(observed) << observed.error().text();
    return observed.value_or(Observed{});
  }

  TemporaryDirectory directory_ = TemporaryDirectory::create(testing::TempDir()).value();
  std::string output_ = {};
};

TEST_F(FakeMachine, GivesAllThatTheGuestSaid) {
  const auto observed =
      run("say hello 6.1.0-x; say note 'module veth: no'; say started ''; say output 'one '; say output two\n"
          "say record '{}'; say ended 3\n");
  EXPECT_EQ(judge(observed).ending, Ending::ended);
  EXPECT_EQ(observed.suite_exit_code, 3);
  EXPECT_EQ(observed.release, "6.1.0-x");
  EXPECT_THAT(observed.notes, ElementsAre("module veth: no"));
  EXPECT_EQ(observed.record, "{}");
  EXPECT_EQ(output_, "one two");
}

TEST_F(FakeMachine, IsNotWaitedForAfterItsLastWord) {
  const auto observed = run("say hello x; say started ''; say ended 0; exec sleep 60\n");
  EXPECT_EQ(judge(observed).ending, Ending::ended);
  EXPECT_LT(observed.total, 30s);
}

TEST_F(FakeMachine, ThatPanicsKeepsWhatItHadSaid) {
  const auto observed =
      run("say hello x; say started ''; say output some\n"
          "printf '[    1.0] BUG: a bug\\r\\n[    1.1] Kernel panic - not syncing: Fatal\\r\\n' > \"$console\"\n");
  EXPECT_EQ(judge(observed).ending, Ending::panic);
  EXPECT_EQ(judge(observed).reason, "BUG: a bug; Kernel panic - not syncing: Fatal while the suite ran");
  EXPECT_EQ(output_, "some");
}

TEST_F(FakeMachine, ThatHangsIsEndedInTime) {
  const auto observed = run("say hello x; say started ''; exec sleep 60\n", 1s);
  EXPECT_EQ(judge(observed).ending, Ending::hang);
  EXPECT_LT(observed.total, 30s);
}

TEST_F(FakeMachine, WhoseSuiteWasStoppedKeepsItsRecord) {
  const auto observed = run("say hello x; say started ''; say stopped ''; say record '{}'; say ended 143\n");
  EXPECT_EQ(judge(observed).ending, Ending::hang);
  EXPECT_THAT(judge(observed).reason, HasSubstr("its record has what was through"));
  EXPECT_EQ(observed.record, "{}");
}

TEST_F(FakeMachine, ThatSaysNothingNeverBooted) {
  EXPECT_EQ(judge(run("exec sleep 60\n", 1s)).ending, Ending::never_booted);
  const auto refused = run("echo 'qemu: no such machine' >&2; exit 1\n");
  EXPECT_EQ(judge(refused).ending, Ending::never_booted);
  EXPECT_EQ(judge(refused).reason, "qemu: no such machine");
}

TEST_F(FakeMachine, ThatIsKilledSaysSo) {
  const auto observed = run("say hello x; say started ''; kill -KILL $$\n");
  EXPECT_EQ(judge(observed).ending, Ending::killed);
  EXPECT_THAT(judge(observed).reason, HasSubstr("137"));
}

TEST_F(FakeMachine, WhoseRecordIsCutHasNone) {
  const auto observed = run("say hello x; say started ''; printf 'record 1000\\n{\"schema' >&\"$port\"\n");
  EXPECT_EQ(judge(observed).ending, Ending::killed);
  EXPECT_THAT(judge(observed).reason, HasSubstr("cut"));
  EXPECT_EQ(observed.record, std::nullopt);
}

TEST_F(FakeMachine, ThatTalksNonsenseIsEnded) {
  const auto observed = run("say hello x; echo nonsense of some length >&\"$port\"; exec sleep 60\n");
  EXPECT_EQ(judge(observed).ending, Ending::killed);
  EXPECT_LT(observed.total, 30s);
}

TEST_F(FakeMachine, EndsWithAnInterruption) {
  const auto told = directory_.path() / "told";
  std::thread user([&] {
    // The signal is for the thread that runs the machine.
    sigset_t held;
    sigemptyset(&held);
    sigaddset(&held, SIGINT);
    pthread_sigmask(SIG_BLOCK, &held, nullptr);
    (void)wait_until([&] { return std::filesystem::exists(told); }, 20s);
    kill(getpid(), SIGINT);
  });
  const auto observed = run("say hello x; say started ''; sleep 0.2; : > '" + told.string() + "'; exec sleep 60\n");
  user.join();
  EXPECT_EQ(judge(observed).ending, Ending::interrupted);
  EXPECT_EQ(observed.interrupted_by, SIGINT);
  EXPECT_LT(observed.total, 30s);
}

TEST(Machine, WithoutQemuIsAnError) {
  const auto observed = run_machine("/nowhere/qemu", {}, 1s, [](std::string_view) {});
  ASSERT_FALSE(observed);
  EXPECT_THAT(observed.error().text(), HasSubstr("/nowhere/qemu"));
}

}  // namespace
}  // namespace devmap::vm
