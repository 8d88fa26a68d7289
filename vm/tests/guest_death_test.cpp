// Guests that die, on a real kernel in QEMU: needs both, and is skipped where one is not here.
#include <vm/kernel_run.hpp>

#include <vm/guest_programs.hpp>
#include <vm/kernel_source.hpp>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <harness/base/file.hpp>
#include <harness/base/unique_fd.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

namespace devmap::vm {
namespace {

using nlohmann::json;
using std::chrono_literals::operator""s;
using testing::HasSubstr;

/// The programs that this thread has started.
std::vector<pid_t> children() {
  const auto text = read_file("/proc/thread-self/children");
  std::istringstream words(text.value_or(""));
  std::vector<pid_t> pids;
  for (pid_t pid = 0; words >> pid;) pids.push_back(pid);
  return pids;
}

class GuestDeath : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto qemu = find_qemu(usual_architecture()); !qemu) GTEST_SKIP() << qemu.error().text();
    const auto catalogue = Catalogue::built_in().value();
    auto kernel = find_kernel(catalogue, "6.1", unpacked_);
    if (!kernel) kernel = find_kernel(catalogue, "newest", unpacked_);
    if (!kernel) GTEST_SKIP() << kernel.error().text();
    kernel_ = *kernel;
    auto programs = read_guest_programs(usual_architecture(), usual_architecture(), DEVMAP_VM_TRIAL_SUITE);
    if (!programs) GTEST_SKIP() << programs.error().text();
    programs_ = std::move(*programs);
    options_ = {.init = programs_.init,
                .suite = programs_.suite,
                .modules = catalogue.guest,
                .memory_mib = 256,
                .silence = 15s};
  }

  /// Runs these rules of the trial suite.
  KernelRun run(const std::vector<std::string>& rules,
                const std::function<void(const KernelProgress&)>& on_progress = {}) {
    for (const auto& rule : rules) options_.arguments.insert(options_.arguments.end(), {"--filter", rule});
    auto run = run_kernel(kernel_, options_, on_progress);
    EXPECT_TRUE(run) << run.error().text();
    return run.value_or(KernelRun{});
  }

  static json result_of(const KernelRun& run, const std::string& rule) {
    const auto record = json::parse(run.record);
    for (const auto& result : record.at("results")) {
      if (result.at("rule") == rule) return result;
    }
    return {};
  }

  std::optional<TemporaryDirectory> unpacked_ = {};
  Kernel kernel_ = {};
  GuestPrograms programs_ = {};
  KernelRunOptions options_ = {};
};

TEST_F(GuestDeath, ByADangerousRuleCostsThatRule) {
  const auto run = GuestDeath::run({"trial.conforms*", "trial.panics"});
  EXPECT_EQ(run.ending, Ending::ended) << run.reason;
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_EQ(run.counts, (std::map<std::string, std::size_t>{{"conforms", 5}, {"crash", 1}, {"unmet", 3}}))
      << run.record;
  const auto crash = result_of(run, "trial.panics");
  EXPECT_THAT(crash["reason"].get<std::string>(), HasSubstr("Kernel panic - not syncing: sysrq triggered crash"));
  EXPECT_THAT(crash["evidence"].dump(), HasSubstr("Call Trace"));
}

TEST_F(GuestDeath, AmongOthersIsTracedToTheOneThatDidIt) {
  // Where the host is so busy that the others are through first, it is the last, and no further boot is needed.
  const auto run = GuestDeath::run({"trial.waits", "trial.panics-among-others"});
  EXPECT_EQ(run.exit_code, 1) << run.reason;
  EXPECT_EQ(run.counts, (std::map<std::string, std::size_t>{{"conforms", 4}, {"crash", 1}})) << run.record;
  EXPECT_EQ(result_of(run, "trial.panics-among-others")["verdict"], "crash");
}

TEST_F(GuestDeath, ByHangingIsATimeout) {
  options_.arguments = {"--timeout", "10"};
  const auto run = GuestDeath::run({"trial.conforms", "trial.hangs"});
  EXPECT_EQ(run.exit_code, 124);
  EXPECT_EQ(run.counts, (std::map<std::string, std::size_t>{{"conforms", 4}, {"timeout", 1}})) << run.record;
  EXPECT_EQ(result_of(run, "trial.hangs")["verdict"], "timeout");
}

TEST_F(GuestDeath, OfTheSuiteForWantOfMemoryCostsOneCheck) {
  const auto run = GuestDeath::run({"trial.conforms", "trial.exhausts-memory"});
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_EQ(run.counts, (std::map<std::string, std::size_t>{{"conforms", 4}, {"crash", 1}})) << run.record;
  EXPECT_THAT(result_of(run, "trial.exhausts-memory")["reason"].get<std::string>(), HasSubstr("Out of memory"));
}

TEST_F(GuestDeath, WithItsQemuKeepsWhatWasFound) {
  const auto run = GuestDeath::run({"trial.conforms", "trial.lasts"}, [](const KernelProgress& now) {
    if (now.through < 4 || now.phase != KernelProgress::Phase::running) return;
    for (const pid_t pid : children()) kill(pid, SIGKILL);
  });
  EXPECT_EQ(run.ending, Ending::killed) << run.reason;
  EXPECT_EQ(run.exit_code, 70);
  EXPECT_EQ(run.counts, (std::map<std::string, std::size_t>{{"conforms", 4}})) << run.record;
  EXPECT_EQ(json::parse(run.record)["context"]["partial"], true);
}

TEST_F(GuestDeath, OnRequestLeavesNoQemuBehind) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const UniqueFd reading(ends[0]);
  const UniqueFd writing(ends[1]);
  options_.interrupt = reading.get();
  pid_t qemu = 0;
  const auto run = GuestDeath::run({"trial.conforms", "trial.lasts"}, [&](const KernelProgress& now) {
    if (now.through < 4 || qemu != 0) return;
    ASSERT_EQ(children().size(), 1U);
    qemu = children().front();
    ASSERT_EQ(write(writing.get(), "x", 1), 1);
  });
  EXPECT_EQ(run.ending, Ending::interrupted) << run.reason;
  EXPECT_EQ(run.counts, (std::map<std::string, std::size_t>{{"conforms", 4}})) << run.record;
  ASSERT_NE(qemu, 0);
  EXPECT_EQ(kill(qemu, 0), -1);
}

TEST_F(GuestDeath, ForWantOfModulesIsSaid) {
  kernel_.modules.clear();
  const auto run = GuestDeath::run({"trial.conforms"});
  // Whether the port's driver is built in depends on the kernel; either way the outcome is said.
  if (run.ending == Ending::ended) {
    EXPECT_EQ(run.exit_code, 0);
  } else {
    EXPECT_EQ(run.ending, Ending::never_booted);
    EXPECT_THAT(run.reason, HasSubstr("no port to the host"));
  }
}

TEST_F(GuestDeath, OfAKernelThatIsCutShortIsSaid) {
  const auto directory = TemporaryDirectory::create(testing::TempDir()).value();
  const auto whole = read_file(kernel_.image.string()).value();
  kernel_.image = directory.path() / "bzImage";
  ASSERT_TRUE(write_to(kernel_.image, whole.substr(0, whole.size() / 4)));
  options_.limit = 20s;
  const auto run = GuestDeath::run({"trial.conforms"});
  EXPECT_EQ(run.ending, Ending::never_booted);
  EXPECT_EQ(run.exit_code, 70);
  EXPECT_EQ(run.record, "");
}

}  // namespace
}  // namespace devmap::vm
