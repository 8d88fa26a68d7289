// devmap-vm as a user starts it, with nothing fetched and no QEMU started.
#include <vm/files.hpp>
#include <vm/process.hpp>
#include <vm/tests/fake_qemu.hpp>
#include <vm/tests/packages.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>

namespace devmap::vm {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class CommandLine : public testing::Test {
 protected:
  Finished devmap_vm(std::vector<std::string> arguments) {
    return run({.program = DEVMAP_VM_PROGRAM,
                .arguments = std::move(arguments),
                .environment = {{"XDG_CACHE_HOME", directory_.path().string()}, {"PATH", path_}}})
        .value();
  }

  /// Puts a program on the path that does as the script says.
  void put_program(const std::string& name, const std::string& script) {
    test::put_program(directory_.path() / name, script);
    path_ = directory_.path().string() + ":/usr/bin:/bin";
  }

  TemporaryDirectory directory_ = TemporaryDirectory::create(testing::TempDir()).value();
  /// Without any program.
  std::string path_ = directory_.path().string();
};

TEST_F(CommandLine, ThatIsWrongIsOneLine) {
  for (const auto& arguments : std::vector<std::vector<std::string>>{{},
                                                                     {"boot"},
                                                                     {"run"},
                                                                     {"run", "--kernel", "6.1", "--cpus", "0"},
                                                                     {"run", "--kernel", "6.1", "--colour"},
                                                                     {"fetch"},
                                                                     {"fetch", "2.6"},
                                                                     {"fetch", "--all", "6.1"},
                                                                     {"--catalogue", "/nowhere", "kernels"}}) {
    const auto finished = devmap_vm(arguments);
    EXPECT_EQ(finished.exit_code, 64) << testing::PrintToString(arguments);
    EXPECT_THAT(finished.err, StartsWith("devmap-vm: "));
    EXPECT_EQ(std::ranges::count(finished.err, '\n'), 1) << finished.err;
    EXPECT_EQ(finished.out, "");
  }
}

TEST_F(CommandLine, ListsTheKernels) {
  const auto finished = devmap_vm({"kernels"});
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_THAT(finished.out, HasSubstr("6.12"));
  EXPECT_EQ(devmap_vm({"--help"}).exit_code, 0);
  EXPECT_THAT(devmap_vm({"run", "--help"}).out, HasSubstr("124 if it does not end in time"));
}

TEST_F(CommandLine, NamesThePackageWhereQemuIsMissing) {
  const auto finished = devmap_vm({"run", "--kernel", "6.1"});
  EXPECT_EQ(finished.exit_code, 4);
  EXPECT_THAT(finished.err, HasSubstr("qemu-system-x86"));
}

TEST_F(CommandLine, SaysWhereAptIsMissing) {
  const auto finished = devmap_vm({"fetch", "6.1"});
  EXPECT_EQ(finished.exit_code, 4);
  EXPECT_THAT(finished.err, HasSubstr("apt-get is not on this machine"));
}

TEST_F(CommandLine, NamesAKernelThatIsNotThere) {
  put_program("qemu-system-x86_64", "exit 1");
  const auto not_fetched = devmap_vm({"run", "--kernel", "6.1"});
  EXPECT_EQ(not_fetched.exit_code, 4);
  EXPECT_THAT(not_fetched.err, HasSubstr("devmap-vm fetch 6.1"));
  const auto no_file = devmap_vm({"run", "--kernel", "/nowhere/bzImage"});
  EXPECT_EQ(no_file.exit_code, 4);
  EXPECT_THAT(no_file.err, HasSubstr("/nowhere/bzImage"));
  const auto directory = devmap_vm({"run", "--kernel", "/usr"});
  EXPECT_EQ(directory.exit_code, 4);
  const auto deb = directory_.path() / "x.deb";
  ASSERT_TRUE(write_to(deb, "garbage"));
  const auto garbage = devmap_vm({"run", "--kernel", deb.string()});
  EXPECT_EQ(garbage.exit_code, 4);
  EXPECT_THAT(garbage.err, HasSubstr("x.deb"));
}

/// With an apt that offers two kernels, whose packages are files of the test's.
class WithApt : public CommandLine {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists("/etc/debian_version")) GTEST_SKIP() << "this machine knows no Debian mirror";
    put_program("apt-get", "log=" + directory_.path().string() +
                               "/apt-log; echo \"$*\" >> $log\n"
                               "case \"$*\" in\n"
                               "*update*) [ ! -e " +
                               file("no-update") +
                               " ] || { echo 'E: no route' >&2; exit 100; } ;;\n"
                               "*6.1.192*) [ ! -e " +
                               file("no-newest") +
                               " ] || { echo 'E: 404' >&2; exit 100; }\n"
                               "  cp " +
                               file("newest") +
                               " a.deb ;;\n"
                               "*6.1.190*) cp " +
                               file("older") +
                               " a.deb ;;\n"
                               "esac\n");
    put_program("apt-cache",
                "case $1 in\n"
                "search) echo 'linux-image-6.1.0-55-cloud-amd64 - a'; echo 'linux-image-6.1.0-56-cloud-amd64 - b' ;;\n"
                "show) printf 'Package: linux-image-6.1.0-55-cloud-amd64\\nVersion: 6.1.190-1\\nSize: 26000000\\n\\n';"
                " printf 'Package: linux-image-6.1.0-56-cloud-amd64\\nVersion: 6.1.192-2\\nSize: 27000000\\n' ;;\n"
                "esac\n");
    ASSERT_TRUE(write_to(file("newest"), test::deb_of({{"boot/vmlinuz-6.1.0-56-cloud-amd64", "NEWEST"}})));
    ASSERT_TRUE(write_to(file("older"), test::deb_of({{"boot/vmlinuz-6.1.0-55-cloud-amd64", "OLDER"}})));
  }

  [[nodiscard]] std::string file(const std::string& name) const { return (directory_.path() / name).string(); }
  [[nodiscard]] std::string image() const {
    return test::content_of(directory_.path() / "devmap-conformance/kernels/6.1/vmlinuz");
  }
};

TEST_F(WithApt, FetchesTheNewestAndSaysHowMuchThatIs) {
  const auto finished = devmap_vm({"fetch", "6.1"});
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_THAT(finished.err, HasSubstr("27 MB to download"));
  EXPECT_EQ(image(), "NEWEST");
  EXPECT_THAT(devmap_vm({"kernels"}).out, HasSubstr("6.1.192-2"));
}

TEST_F(WithApt, FetchesNothingTwice) {
  ASSERT_EQ(devmap_vm({"fetch", "6.1"}).exit_code, 0);
  ASSERT_TRUE(write_to(file("no-newest"), ""));
  const auto finished = devmap_vm({"fetch", "6.1"});
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_THAT(finished.err, HasSubstr("6.1.192-2 is there"));
}

TEST_F(WithApt, TakesTheNextWhereTheNewestIsGone) {
  ASSERT_TRUE(write_to(file("no-newest"), ""));
  const auto finished = devmap_vm({"fetch", "6.1"});
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_THAT(finished.err, HasSubstr("6.1.192-2 cannot be had"));
  EXPECT_EQ(image(), "OLDER");
}

TEST_F(WithApt, GoesOnWithoutTheMirror) {
  ASSERT_TRUE(write_to(file("no-update"), ""));
  const auto finished = devmap_vm({"fetch", "6.1"});
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_THAT(finished.err, HasSubstr("E: no route"));
}

TEST_F(WithApt, KeepsNothingOfADamagedPackage) {
  ASSERT_TRUE(write_to(file("newest"), "garbage"));
  const auto finished = devmap_vm({"fetch", "6.1"});
  EXPECT_EQ(finished.exit_code, 4);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory_.path() / "devmap-conformance/kernels"), {}),
            0);
}

TEST_F(WithApt, TouchesNoStateOfTheSystem) {
  ASSERT_EQ(devmap_vm({"fetch", "6.1"}).exit_code, 0);
  const auto configuration = test::content_of(directory_.path() / "devmap-conformance/apt/apt.conf");
  for (const auto* const key : {"Dir::State", "Dir::Cache", "Dir::State::status", "Dir::Etc::sourcelist"}) {
    EXPECT_THAT(configuration, HasSubstr(std::string(key) + " \"" + directory_.path().string())) << key;
  }
}

class WithSuite : public CommandLine {
 protected:
  void SetUp() override {
    if (!DEVMAP_CONFORMANCE_IS_STATIC) GTEST_SKIP() << "a guest takes a static suite only";
    ASSERT_TRUE(write_to(directory_.path() / "bzImage", std::string(0x202, '\0') + "HdrS"));
  }

  Finished run_kernel(std::vector<std::string> arguments) {
    std::vector<std::string> all = {"run", "--kernel", (directory_.path() / "bzImage").string(), "--suite",
                                    DEVMAP_CONFORMANCE_PROGRAM};
    std::ranges::move(arguments, std::back_inserter(all));
    return devmap_vm(std::move(all));
  }
};

TEST_F(WithSuite, PrintsTheCommandOfADryRun) {
  put_program("qemu-system-x86_64", "echo started; exit 1");
  const auto finished = run_kernel({"--dry-run", "--memory", "777"});
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_THAT(finished.out, HasSubstr("-m 777"));
  EXPECT_THAT(finished.out, testing::Not(HasSubstr("started")));
}

const std::string kGuest = std::string(test::kFakeQemu) + "say hello 6.1; say started ''\n";

/// What a suite of one check tells of its run.
constexpr const char* kStream =
    "tell '{\"run\": {\"schema_version\": 1, \"suite\": {}, \"context\": {\"release\": \"6.1\"},"
    " \"checks\": [\"a.b/once\"], \"repeat\": 1}}'\n"
    "tell '{\"begun\": {\"rule\": \"a.b\", \"variant\": \"once\"}}'\n"
    "tell '{\"result\": {\"rule\": \"a.b\", \"variant\": \"once\", \"verdict\": \"deviates\"}}'\n"
    "tell '{\"end\": {\"duration_ms\": 2, \"partial\": false, \"foreign_warnings\": []}}'\n";

TEST_F(WithSuite, EndsAsTheSuiteEnds) {
  put_program("qemu-system-x86_64", kGuest + "say output 'a line\n'\n" + kStream + "say ended 1");
  const auto record = directory_.path() / "record.json";
  const auto finished = run_kernel({"--record", record.string(), "--", "--chapter", "update"});
  EXPECT_EQ(finished.exit_code, 1) << finished.err;
  EXPECT_EQ(finished.out, "a line\n");
  EXPECT_THAT(test::content_of(record), HasSubstr("\"deviates\": 1,"));
  EXPECT_THAT(test::content_of(record), HasSubstr("\"partial\": false"));
}

TEST_F(WithSuite, ShowsTheConsoleOfAGuestThatPanics) {
  put_program("qemu-system-x86_64",
              kGuest + "printf '[    1.0] Kernel panic - not syncing: sysrq\\r\\n' >> \"$console\"");
  const auto console = directory_.path() / "console.log";
  const auto finished = run_kernel({"--console", console.string()});
  EXPECT_EQ(finished.exit_code, 1);
  EXPECT_THAT(finished.err, HasSubstr("panic: Kernel panic - not syncing: sysrq while the suite ran"));
  EXPECT_THAT(finished.err, HasSubstr("the last lines of the console"));
  EXPECT_THAT(test::content_of(console), HasSubstr("sysrq"));
}

TEST_F(WithSuite, EndsInTimeWhereTheGuestDoesNot) {
  put_program("qemu-system-x86_64", kGuest + "exec sleep 60");
  const auto finished = run_kernel({"--timeout", "1"});
  EXPECT_EQ(finished.exit_code, 124);
  EXPECT_THAT(finished.err, HasSubstr("hang: no end after"));
}

TEST_F(WithSuite, DoesNotTakeAScriptForASuite) {
  put_program("qemu-system-x86_64", "exit 1");
  const auto finished = devmap_vm({"run", "--kernel", (directory_.path() / "bzImage").string(), "--suite",
                                   (directory_.path() / "qemu-system-x86_64").string()});
  EXPECT_EQ(finished.exit_code, 4);
  EXPECT_THAT(finished.err, HasSubstr("is no 64-bit executable"));
}

}  // namespace
}  // namespace devmap::vm
