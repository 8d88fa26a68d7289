// Nothing is left behind, however a run ends: no process, no network namespace, no mount, no BPF object.

#include <bpf/bpf.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <cases/tests/suite.hpp>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <cerrno>
#include <filesystem>
#include <harness/base/wait.hpp>
#include <set>

namespace devmap::test {
namespace {

using testing::IsEmpty;

// Other runs on this machine come and go meanwhile, so no numbers are compared: whatever is there after a run that was
// not there before must be gone some time later. Numbers of BPF objects are not used again for long; those of
// namespaces are, and so each only has to be seen gone once.
constexpr auto kPatience = std::chrono::seconds(20);

void add_bpf_objects(std::set<std::string>& found, const char* kind, int (*next)(__u32, __u32*)) {
  for (__u32 id = 0; next(id, &id) == 0;) found.insert(fmt::format("{} {}", kind, id));
}

/// What the kernel holds that outlives a process, in words.
std::set<std::string> kernel_objects() {
  std::set<std::string> found;
  add_bpf_objects(found, "BPF map", bpf_map_get_next_id);
  add_bpf_objects(found, "BPF program", bpf_prog_get_next_id);
  add_bpf_objects(found, "BPF link", bpf_link_get_next_id);
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", ignored)) {
    const auto target = std::filesystem::read_symlink(entry.path() / "ns/net", ignored);
    if (!ignored) found.insert("network namespace " + target.string());
  }
  for (const auto& line : lines_of(content_of("/proc/self/mountinfo"))) found.insert("mount " + line);
  for (const char* directory : {"/sys/fs/bpf", "/run/netns"}) {
    for (const auto& entry : std::filesystem::directory_iterator(directory, ignored)) {
      found.insert("file " + entry.path().string());
    }
  }
  return found;
}

class Leftovers : public testing::Test {
 protected:
  void SetUp() override {
    NEED_PRIVILEGE();
    // Whatever processes a run leaves behind become children of this one.
    ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    before_ = kernel_objects();
  }

  void expect_nothing_left() {
    const bool all_ended = wait_until(
        [] {
          while (waitpid(-1, nullptr, WNOHANG) > 0) {
          }
          return errno == ECHILD;
        },
        kPatience);
    std::string names;
    for (const auto& [name, pid] : children_of(getpid())) {
      names += name + " ";
      kill(pid, SIGKILL);
    }
    EXPECT_TRUE(all_ended) << "processes left behind: " << names;

    std::set<std::string> left;
    std::ranges::set_difference(kernel_objects(), before_, std::inserter(left, left.end()));
    (void)wait_until(
        [&left] {
          const auto now = kernel_objects();
          std::erase_if(left, [&now](const std::string& object) { return !now.contains(object); });
          return left.empty();
        },
        kPatience);
    EXPECT_THAT(left, IsEmpty());
  }

 private:
  std::set<std::string> before_;
};

TEST_F(Leftovers, NoneAfterARun) {
  ASSERT_EQ(run(suite({"--chapter=retval"})).exit_code, 0);
  expect_nothing_left();
}

TEST_F(Leftovers, NoneAfterEveryWayOfFailing) {
  ASSERT_EQ(run(calibration({}, {"--timeout=1"})).exit_code, 1);
  expect_nothing_left();
}

TEST_F(Leftovers, NoneAfterTheSuiteIsKilled) {
  Spawned running(suite({"--chapter=retval", "--repeat=100000", "--jobs=8"}));
  ASSERT_TRUE(wait_until([&] { return children_of(running.pid()).size() > 3; }, kPatience));
  running.send(SIGKILL);
  EXPECT_EQ(running.wait().exit_code, 128 + SIGKILL);
  expect_nothing_left();
}

TEST_F(Leftovers, NoneAfterTheSuiteIsKilledWithACheckThatHangs) {
  Spawned running(calibration({"hangs"}, {"--timeout=600"}));
  const int check = await_check(running, 0);
  ASSERT_NE(check, 0);
  running.send(SIGKILL);
  EXPECT_EQ(running.wait().exit_code, 128 + SIGKILL);
  expect_nothing_left();
}

TEST_F(Leftovers, NoneAfterACheckIsKilled) {
  Spawned running(calibration({"hangs"}, {"--timeout=600"}));
  const int check = await_check(running, 0);
  ASSERT_NE(check, 0);
  kill(check, SIGKILL);
  EXPECT_EQ(running.wait().exit_code, 1);
  expect_nothing_left();
}

}  // namespace
}  // namespace devmap::test
