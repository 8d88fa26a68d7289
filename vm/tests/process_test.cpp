#include <vm/process.hpp>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <harness/base/wait.hpp>

namespace devmap::vm {
namespace {

using std::chrono_literals::operator""s;
using testing::HasSubstr;

Invocation shell(const std::string& script) {
  return {.program = "/bin/sh", .arguments = {"-c", script}};
}

TEST(Processes, SayWhatCameOfThem) {
  const auto finished = run(shell("echo out; echo err >&2; exit 3"));
  ASSERT_TRUE(finished) << finished.error().text();
  EXPECT_EQ(finished->exit_code, 3);
  EXPECT_EQ(finished->out, "out\n");
  EXPECT_EQ(finished->err, "err\n");
  EXPECT_EQ(run(shell("kill -TERM $$")).value().exit_code, 128 + SIGTERM);
}

TEST(Processes, SayWhatTheyTook) {
  const auto idle = run(shell("exec sleep 0.05")).value().cpu_time;
  const auto busy = run(shell("i=0; while [ $i -lt 200000 ]; do i=$((i + 1)); done")).value().cpu_time;
  EXPECT_GT(idle.count(), 0);
  EXPECT_GT(busy, idle);
  // Of what it started and waited for too.
  const auto both = run(shell("(i=0; while [ $i -lt 200000 ]; do i=$((i + 1)); done); exit 0")).value().cpu_time;
  EXPECT_GT(both, idle);
}

TEST(Processes, GetTheirArgumentsVariablesAndDirectory) {
  auto invocation = shell("echo \"$DEVMAP_VM_TEST $HOME_OF_NOBODY$PWD\"");
  invocation.environment = {{"DEVMAP_VM_TEST", "a b"}};
  invocation.directory = "/usr";
  EXPECT_EQ(run(invocation).value().out, "a b /usr\n");
  const auto echoed = run({.program = "/bin/echo", .arguments = {"a b", "*", "\"", "$HOME", ""}});
  EXPECT_EQ(echoed.value().out, "a b * \" $HOME \n");
}

TEST(Processes, ThatCannotBeStartedAreNamed) {
  const auto finished = run({.program = "/nowhere/program"});
  ASSERT_FALSE(finished);
  EXPECT_THAT(finished.error().text(), HasSubstr("/nowhere/program"));
  EXPECT_EQ(finished.error().code, ENOENT);
}

TEST(Processes, KeepTheDescriptorTheyAreGiven) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  auto invocation = shell("echo kept >&" + std::to_string(ends[1]));
  EXPECT_NE(run(invocation).value().exit_code, 0) << "it has what it is not given";
  invocation.kept_descriptors = {ends[1]};
  EXPECT_EQ(run(invocation).value().exit_code, 0);
  char text[8] = {};
  EXPECT_EQ(read(ends[0], text, sizeof text), 5);
  EXPECT_STREQ(text, "kept\n");
  close(ends[0]);
  close(ends[1]);
}

TEST(Processes, EndWithTheirObject) {
  int pid = 0;
  {
    const auto started = Process::start(shell("exec sleep 60"));
    ASSERT_TRUE(started);
    pid = started->pid();
    EXPECT_EQ(kill(pid, 0), 0);
  }
  EXPECT_EQ(kill(pid, 0), -1);
}

TEST(Processes, EndWithTheirParent) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const pid_t parent = fork();
  if (parent == 0) {
    const auto started = Process::start(shell("exec sleep 60"));
    const int pid = started ? started->pid() : 0;
    (void)!write(ends[1], &pid, sizeof pid);
    _exit(0);
  }
  int orphan = 0;
  ASSERT_EQ(read(ends[0], &orphan, sizeof orphan), static_cast<ssize_t>(sizeof orphan));
  ASSERT_NE(orphan, 0);
  waitpid(parent, nullptr, 0);
  // Nobody may reap it here: a zombie has no command line.
  EXPECT_TRUE(wait_until(
      [orphan] {
        if (kill(orphan, 0) != 0) return true;
        return run(shell("! grep -q sleep /proc/" + std::to_string(orphan) + "/cmdline")).value().exit_code == 0;
      },
      10s));
  close(ends[0]);
  close(ends[1]);
}

TEST(Programs, AreFoundOnThePath) {
  EXPECT_TRUE(find_program("sh"));
  EXPECT_EQ(find_program("/bin/sh"), "/bin/sh");
  EXPECT_EQ(find_program("no-such-program-of-ours"), std::nullopt);
  EXPECT_EQ(find_program("/etc/passwd"), std::nullopt) << "it cannot be executed";
}

}  // namespace
}  // namespace devmap::vm
