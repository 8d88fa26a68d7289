#include <vm/machine.hpp>

#include <vm/files.hpp>
#include <vm/tests/fake_qemu.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <harness/base/unique_fd.hpp>
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
      {.kernel = "k", .root_image = "r", .console = "c,d", .cpus = 3, .memory_mib = 300, .command_line = "quiet=no"},
      {.messages = 7, .stream = 8});
  EXPECT_THAT(arguments, Contains("tcg,thread=single"));
  EXPECT_THAT(arguments, Contains("socket,id=messages,fd=7"));
  EXPECT_THAT(arguments, Contains("socket,id=stream,fd=8"));
  EXPECT_THAT(arguments, Contains("file,id=console,path=c,,d,append=on"));
  EXPECT_THAT(arguments, Contains("300"));
  EXPECT_THAT(arguments.back(), HasSubstr(" quiet=no"));
  EXPECT_THAT(arguments, testing::Not(Contains(HasSubstr("kvm"))));
}

TEST(QemuArguments, OfACountingMachineLeaveNothingToChance) {
  const auto arguments =
      qemu_arguments({.kernel = "k", .cpus = 1, .counts_instructions = true}, {.messages = 7, .stream = 8});
  EXPECT_THAT(arguments, Contains("shift=0,sleep=off"));
  EXPECT_THAT(arguments, Contains("base=2024-01-01,clock=vm"));
  EXPECT_THAT(arguments, Contains("qemu64"));
  EXPECT_THAT(arguments, Contains("virtio-serial-pci,ioeventfd=off"));
  EXPECT_THAT(arguments, Contains(HasSubstr("nokaslr norandmaps")));
  EXPECT_THAT(arguments, testing::Not(Contains(HasSubstr("mitigations=off"))));
  EXPECT_THAT(qemu_arguments({}, {}), testing::Not(Contains("-icount")));
}

TEST(QemuArguments, CountWithOneThreadWhateverTheArchitectureTakes) {
  for (const auto* const name : {"armhf", "riscv64"}) {
    const auto* const it = architecture_named(name);
    EXPECT_THAT(qemu_arguments({.architecture = it}, {}), Contains("tcg,thread=multi")) << name;
    EXPECT_THAT(qemu_arguments({.architecture = it, .counts_instructions = true}, {}), Contains("tcg,thread=single"))
        << name;
  }
}

TEST(QemuArguments, LetNoKernelCallATaskHungBeforeItsCheckIsLate) {
  for (const auto& architecture : architectures()) {
    const bool is_slow = architecture.check_limit_s > 60;
    const auto kernel = qemu_arguments({.architecture = &architecture}, {}).back();
    const auto setting = fmt::format("hung_task_timeout_secs={}", 2 * architecture.check_limit_s);
    EXPECT_EQ(kernel.contains(setting), is_slow) << architecture.name;
  }
  EXPECT_THAT(qemu_arguments({.architecture = architecture_named("armhf")}, {}).back(),
              HasSubstr(" sysctl.kernel.hung_task_timeout_secs=600"));
}

/// The word after an option.
std::string value_of(const std::vector<std::string>& arguments, const std::string& option) {
  const auto found = std::ranges::find(arguments, option);
  return found == arguments.end() || found + 1 == arguments.end() ? std::string() : *(found + 1);
}

TEST(QemuArguments, AreThoseOfTheArchitecture) {
  const struct {
    const char* architecture;
    const char* machine;
    const char* cpu;
    const char* memory;
    const char* processors;
    const char* port;
    const char* console;
  } kTable[] = {
      {"amd64", "q35", "max,-erms,-fsrm,-la57,-smap,-pku", "512", "2", "virtio-serial-pci", "console=ttyS0 "},
      {"arm64", "virt", "max,pauth=off,sve=off,sme=off", "512", "2", "virtio-serial-pci", "console=ttyAMA0 "},
      {"armhf", "virt,highmem=off", "max", "512", "1", "virtio-serial-pci", "console=ttyAMA0 "},
      {"i386", "q35", "max,-erms,-fsrm,-la57,-smap,-pku", "512", "2", "virtio-serial-pci", "console=ttyS0 "},
      {"ppc64el", "pseries,x-vof=on,cap-cfpc=broken,cap-sbbc=broken,cap-ibs=broken,cap-ccf-assist=off", "power9",
       "1024", "2", "virtio-serial-pci", "console=hvc0 "},
      {"riscv64", "virt", "rv64", "1024", "2", "virtio-serial-pci", "console=ttyS0 "},
      {"s390x", "s390-ccw-virtio", "max", "512", "2", "virtio-serial-ccw", "console=ttyS1 "},
  };
  EXPECT_EQ(std::size(kTable), architectures().size());
  for (const auto& row : kTable) {
    const auto* const architecture = architecture_named(row.architecture);
    ASSERT_NE(architecture, nullptr) << row.architecture;
    const auto arguments = qemu_arguments(
        {.architecture = architecture, .kernel = "k", .root_image = "r", .console = "c"}, {.messages = 3, .stream = 4});
    EXPECT_EQ(value_of(arguments, "-machine"), row.machine) << row.architecture;
    EXPECT_EQ(value_of(arguments, "-cpu"), row.cpu) << row.architecture;
    EXPECT_EQ(value_of(arguments, "-m"), row.memory) << row.architecture;
    EXPECT_EQ(value_of(arguments, "-smp"), row.processors) << row.architecture;
    EXPECT_THAT(arguments, Contains(row.port)) << row.architecture;
    EXPECT_THAT(arguments.back(), testing::StartsWith(row.console)) << row.architecture;
  }
}

TEST(QemuArguments, GiveAPersonTheConsoleAndADebuggerTheKernel) {
  const auto shell = qemu_arguments({.kernel = "k", .interactive = true}, {});
  EXPECT_THAT(shell, Contains("stdio,id=console,signal=off"));
  EXPECT_THAT(shell, Contains("null,id=messages"));
  EXPECT_THAT(shell, testing::Not(Contains("-S")));
  const auto halted = qemu_arguments({.kernel = "k", .gdb = true}, {.messages = 3, .stream = 4});
  EXPECT_THAT(halted, Contains("tcp:127.0.0.1:1234"));
  EXPECT_THAT(halted, Contains("-S"));
  EXPECT_THAT(halted, Contains(HasSubstr("nokaslr")));
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

  auto portless = seen(false, false);
  portless.console = "devmap-vm: /dev/vport0p1: No such file or directory\n";
  EXPECT_EQ(judge(portless).ending, Ending::never_booted);
  EXPECT_THAT(judge(portless).reason, HasSubstr("virtio_console"));

  auto cut = seen(true, true);
  cut.cut = true;
  cut.suite_exit_code = 0;
  EXPECT_EQ(judge(cut).ending, Ending::killed) << "what came with the end may be garbage";
  EXPECT_THAT(judge(cut).reason, HasSubstr("cut"));

  auto interrupted = seen(true, false);
  interrupted.interrupted = true;
  EXPECT_EQ(judge(interrupted).ending, Ending::interrupted);
}

class FakeMachine : public testing::Test {
 protected:
  Observed run(const std::string& script, std::chrono::seconds limit = 30s, int interrupt = -1) {
    const auto qemu = directory_.path() / "qemu";
    test::put_program(qemu, std::string(test::kFakeQemu) + script);
    auto observed =
        run_machine(qemu.string(), {.console = directory_.path() / "console", .silence = silence_}, limit, interrupt,
                    {.output = [this](std::string_view text) { output_ += text; },
                     .stream = [this](std::string_view text) { stream_ += text; },
                     .has_whole_stream = [this] { return stream_.ends_with("end\n"); }});
    EXPECT_TRUE(observed) << observed.error().text();
    return observed.value_or(Observed{});
  }

  TemporaryDirectory directory_ = TemporaryDirectory::create(testing::TempDir()).value();
  std::string output_ = {};
  std::string stream_ = {};
  std::chrono::seconds silence_{30};
};

TEST_F(FakeMachine, GivesAllThatTheGuestSaid) {
  const auto observed =
      run("say hello 6.1.0-x; say note 'module veth: no'; say started ''; say output 'one '; say output two\n"
          "tell begun; say ended 3; tell end\n");
  EXPECT_EQ(judge(observed).ending, Ending::ended);
  EXPECT_EQ(observed.suite_exit_code, 3);
  EXPECT_EQ(observed.release, "6.1.0-x");
  EXPECT_THAT(observed.notes, ElementsAre("module veth: no"));
  EXPECT_EQ(stream_, "begun\nend\n");
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
          "printf '[    1.0] BUG: a bug\\r\\n[    1.1] Kernel panic - not syncing: Fatal\\r\\n' >> \"$console\"\n");
  EXPECT_EQ(judge(observed).ending, Ending::panic);
  EXPECT_EQ(judge(observed).reason, "BUG: a bug; Kernel panic - not syncing: Fatal while the suite ran");
  EXPECT_EQ(output_, "some");
}

TEST_F(FakeMachine, ThatHangsIsEndedInTime) {
  const auto observed = run("say hello x; say started ''; exec sleep 60\n", 1s);
  EXPECT_EQ(judge(observed).ending, Ending::hang);
  EXPECT_LT(observed.total, 30s);
}

TEST_F(FakeMachine, ThatFallsSilentHangs) {
  silence_ = 1s;
  const auto observed = run("say hello x; say started ''; tell begun; say alive ''; exec sleep 60\n");
  EXPECT_EQ(judge(observed).ending, Ending::hang);
  EXPECT_EQ(judge(observed).reason, "the guest fell silent while the suite ran");
  EXPECT_TRUE(observed.fell_silent);
}

TEST_F(FakeMachine, WhoseSuiteWasStoppedSaysSo) {
  const auto observed = run("say hello x; say started ''; say stopped ''; tell end; say ended 143\n");
  EXPECT_EQ(judge(observed).ending, Ending::hang);
  EXPECT_THAT(judge(observed).reason, HasSubstr("was told to"));
  EXPECT_EQ(observed.suite_exit_code, 143);
}

TEST_F(FakeMachine, IsWaitedForUntilItHasSaidAll) {
  (void)run("say hello x; say started ''; say ended 0; sleep 0.2; tell end\n");
  EXPECT_EQ(stream_, "end\n");
}

TEST_F(FakeMachine, KeepsItsConsoleApartFromThatOfAnEarlierBoot) {
  ASSERT_TRUE(write_to(directory_.path() / "console", "[    1.0] Kernel panic - not syncing: earlier\n"));
  const auto observed = run("say hello x; say started ''; echo later >> \"$console\"\n");
  EXPECT_EQ(observed.console, "later\n");
  EXPECT_EQ(judge(observed).ending, Ending::killed);
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

TEST_F(FakeMachine, WhoseWordsAreCutSaysSo) {
  const auto observed = run("say hello x; say started ''; printf 'output 1000\\n{\"schema' >&\"$port\"\n");
  EXPECT_EQ(judge(observed).ending, Ending::killed);
  EXPECT_THAT(judge(observed).reason, HasSubstr("cut"));
  EXPECT_EQ(output_, "");
}

TEST_F(FakeMachine, ThatTalksNonsenseIsEnded) {
  const auto observed = run("say hello x; echo nonsense of some length >&\"$port\"; exec sleep 60\n");
  EXPECT_EQ(judge(observed).ending, Ending::killed);
  EXPECT_LT(observed.total, 30s);
}

TEST_F(FakeMachine, EndsWithAnInterruption) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const UniqueFd reading(ends[0]);
  const UniqueFd writing(ends[1]);
  const auto told = directory_.path() / "told";
  std::thread user([&] {
    (void)wait_until([&] { return std::filesystem::exists(told); }, 20s);
    EXPECT_EQ(write(writing.get(), "x", 1), 1);
  });
  const auto observed =
      run("say hello x; say started ''; : > '" + told.string() + "'; exec sleep 60\n", 30s, reading.get());
  user.join();
  EXPECT_EQ(judge(observed).ending, Ending::interrupted);
  EXPECT_LT(observed.total, 30s);
}

TEST(Machine, WithoutQemuIsAnError) {
  const auto observed = run_machine("/nowhere/qemu", {}, 1s, -1, {});
  ASSERT_FALSE(observed);
  EXPECT_THAT(observed.error().text(), HasSubstr("/nowhere/qemu"));
}

}  // namespace
}  // namespace devmap::vm
