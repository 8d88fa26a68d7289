// devmap-vm as a user starts it, with nothing fetched and no QEMU started.
#include <vm/cache.hpp>
#include <vm/commands.hpp>
#include <vm/files.hpp>
#include <vm/process.hpp>
#include <vm/statements.hpp>
#include <vm/tests/fake_qemu.hpp>
#include <vm/tests/packages.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <harness/base/wait.hpp>
#include <harness/record/run_stream.hpp>
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
                                                                     {"fetch", "--set", "quick", "6.1"},
                                                                     {"fetch", "--set", "none-of-these"},
                                                                     {"fetch", "6.1", "--", "--list"},
                                                                     {"matrix", "--set", "none-of-these"},
                                                                     {"matrix", "2.6"},
                                                                     {"matrix", "6.1", "--set", "quick"},
                                                                     {"matrix", "--jobs", "0"},
                                                                     {"bench", "--set", "none-of-these"},
                                                                     {"bench", "2.6"},
                                                                     {"bench", "6.1", "--set", "quick"},
                                                                     {"bench", "--filter"},
                                                                     {"merge"},
                                                                     {"--catalogue", "/nowhere", "kernels"}}) {
    const auto finished = devmap_vm(arguments);
    EXPECT_EQ(finished.exit_code, 64) << testing::PrintToString(arguments);
    EXPECT_THAT(finished.err, StartsWith("devmap-vm: "));
    EXPECT_EQ(std::ranges::count(finished.err, '\n'), 1) << finished.err;
    EXPECT_EQ(finished.out, "");
  }
}

TEST_F(CommandLine, TellsOfAnUnknownOptionWhateverItsValueIsTakenFor) {
  EXPECT_EQ(devmap_vm({"matrix", "--set", "quick", "--records", "here"}).err,
            "devmap-vm: there is no option --records\n");
  EXPECT_EQ(devmap_vm({"run", "--records", "here"}).err, "devmap-vm: there is no option --records\n");
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
                "madison) for s in bookworm bookworm-security; do echo \"linux-image-6.1.0-55-cloud-amd64 | 6.1.190-1 |"
                " http://mirror.example/debian $s/main amd64 Packages\"; done;"
                " echo 'linux-image-6.1.0-56-cloud-amd64 | 6.1.192-2 | http://mirror.example/debian "
                "bookworm-security/main amd64 Packages' ;;\n"
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

TEST_F(WithApt, KeepsWhatIsThereWithoutTheMirror) {
  ASSERT_EQ(devmap_vm({"fetch", "6.1"}).exit_code, 0);
  put_program("apt-get", "echo 'E: no route' >&2; exit 100");
  for (const auto* const apt_cache : {"exit 0", "echo 'E: no lists' >&2; exit 100"}) {
    put_program("apt-cache", apt_cache);
    for (const auto& arguments :
         std::vector<std::vector<std::string>>{{"fetch", "6.1"}, {"fetch", "--missing", "6.1"}}) {
      const auto finished = devmap_vm(arguments);
      EXPECT_EQ(finished.exit_code, 0) << finished.err;
    }
  }
  EXPECT_EQ(image(), "NEWEST");
}

TEST_F(WithApt, PassesOverWhatIsNoLongerServed) {
  const auto catalogue = file("catalogue.toml");
  const std::string text =
      "[guest]\ntransport = []\nmodules = []\n[[kernel]]\nname = \"6.1.7\"\nseries = \"6.1\"\n"
      "flavour = \"cloud-amd64\"\nsuites = [\"bookworm-security\"]\nversion = \"6.1.7\"\n";
  ASSERT_TRUE(write_to(catalogue, text + "while_served = true\n"));
  const auto passed = devmap_vm({"--catalogue", catalogue, "fetch", "--all"});
  EXPECT_EQ(passed.exit_code, 0) << passed.err;
  EXPECT_THAT(passed.err,
              HasSubstr("no 6.1.7 of the flavour cloud-amd64 is offered in bookworm-security; passed over"));
  ASSERT_TRUE(write_to(catalogue, text));
  EXPECT_EQ(devmap_vm({"--catalogue", catalogue, "fetch", "--all"}).exit_code, 4);
}

TEST_F(WithApt, IsAskedByMatrixAndBenchWhereTheyAreToFetch) {
  if (!DEVMAP_CONFORMANCE_IS_STATIC) GTEST_SKIP() << "a guest takes a static suite only";
  put_program("qemu-system-x86_64", "echo 'QEMU emulator version 7.2.1'; exit 1");
  const auto kernel = directory_.path() / "devmap-conformance/kernels/6.1";
  for (const auto& arguments :
       std::vector<std::vector<std::string>>{{"matrix", "--suite", DEVMAP_CONFORMANCE_PROGRAM, "6.1"},
                                             {"bench", "--benchmarks", DEVMAP_CONFORMANCE_PROGRAM, "6.1"}}) {
    auto all = arguments;
    all.insert(all.end(), {"--directory", file("records")});
    EXPECT_NE(devmap_vm(all).exit_code, 0);
    EXPECT_FALSE(std::filesystem::exists(kernel)) << arguments.front();
    all.emplace_back("--fetch");
    EXPECT_NE(devmap_vm(all).exit_code, 0);
    EXPECT_EQ(image(), "NEWEST") << arguments.front();
    std::filesystem::remove_all(kernel);
  }
}

TEST_F(WithApt, IsAskedForTheNewestOfAllKernelsByARunThatIsToFetchIt) {
  if (!DEVMAP_CONFORMANCE_IS_STATIC) GTEST_SKIP() << "a guest takes a static suite only";
  put_program("qemu-system-x86_64", "echo 'QEMU emulator version 7.2.1'; exit 1");
  std::vector<std::string> arguments = {"run", "--kernel", "newest", "--suite", DEVMAP_CONFORMANCE_PROGRAM};
  EXPECT_EQ(devmap_vm(arguments).exit_code, 4);
  arguments.emplace_back("--fetch");
  const auto finished = devmap_vm(arguments);
  EXPECT_THAT(finished.err, HasSubstr("27 MB to download for 1 kernel"));
  EXPECT_THAT(finished.err, HasSubstr("is no kernel image")) << "it is what the run takes";
  EXPECT_EQ(image(), "NEWEST");
  EXPECT_FALSE(std::filesystem::exists(directory_.path() / "devmap-conformance/kernels/6.1.190")) << "offered as well";
}

TEST_F(WithApt, HasNoNewestKernelWhereNoneIsOffered) {
  put_program("qemu-system-x86_64", "echo 'QEMU emulator version 7.2.1'; exit 1");
  put_program("apt-cache", "exit 0");
  const auto finished = devmap_vm({"run", "--kernel", "newest", "--fetch"});
  EXPECT_EQ(finished.exit_code, 4);
  EXPECT_THAT(finished.err, HasSubstr("is offered in"));
}

TEST_F(WithApt, TakesOnlyWhatTheSuitesOfTheEntryOffer) {
  const auto catalogue = file("catalogue.toml");
  ASSERT_TRUE(write_to(catalogue,
                       "[guest]\ntransport = []\nmodules = []\n[[kernel]]\nname = \"6.1\"\nseries = \"6.1\"\n"
                       "flavour = \"cloud-amd64\"\nsuites = [\"bookworm\"]\n[[set]]\nname = \"s\"\n"));
  const auto finished = devmap_vm({"--catalogue", catalogue, "fetch", "--set", "s"});
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_EQ(image(), "OLDER") << "the newest is in bookworm-security alone";
}

TEST_F(WithApt, GoesOnWithWhatWasDownloaded) {
  // A kernel of two packages, of which the second cannot be had at first.
  const std::string image = test::deb_of({{"usr/lib/modules/7.3.4/vmlinuz", "KERNEL"}});
  const std::string modules = test::deb_of({{"usr/lib/modules/7.3.4/veth.ko", test::module_needing("")}});
  // An image of so few bytes would pass for an empty package.
  const std::string padding(1'000'001 - std::min<std::size_t>(1'000'000, image.size()), '\n');
  ASSERT_TRUE(write_to(file("binary"), image + padding));
  ASSERT_TRUE(write_to(file("modules"), modules));
  put_program("apt-get", "echo \"$*\" >> " + file("apt-log") +
                             "\ncase \"$*\" in\n"
                             "*linux-binary*) cp " +
                             file("binary") +
                             " a.deb ;;\n"
                             "*linux-modules*) [ -e " +
                             file("modules-are-there") +
                             " ] || exit 100\n"
                             "  cp " +
                             file("modules") + " a.deb ;;\nesac\n");
  const auto about = [](const std::string& role, std::size_t bytes) {
    return "printf 'Package: linux-" + role + "-7.3.4-cloud-amd64\\nVersion: 7.3.4-1\\nSize: " + std::to_string(bytes) +
           "\\n\\n'\n";
  };
  put_program(
      "apt-cache",
      "case $1 in\nsearch) echo linux-binary-7.3.4-cloud-amd64; echo linux-modules-7.3.4-cloud-amd64 ;;\nshow) " +
          about("binary", image.size() + padding.size()) + about("modules", modules.size()) +
          ";;\nmadison) for p in binary modules; do echo \"linux-$p-7.3.4-cloud-amd64 | 7.3.4-1 | "
          "http://mirror.example/debian trixie-backports/main amd64 Packages\"; done ;;\nesac\n");
  EXPECT_EQ(devmap_vm({"fetch", "7.3"}).exit_code, 4);
  ASSERT_TRUE(write_to(file("modules-are-there"), ""));
  const auto finished = devmap_vm({"fetch", "7.3"});
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  const auto log = test::content_of(file("apt-log"));
  const auto first = log.find("linux-binary");
  ASSERT_NE(first, std::string::npos);
  EXPECT_EQ(log.find("linux-binary", first + 1), std::string::npos) << log;
  const auto downloads = directory_.path() / "devmap-conformance/downloads";
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(downloads), {}), 0);
}

TEST_F(WithApt, KeepsNothingOfADamagedPackage) {
  ASSERT_TRUE(write_to(file("newest"), "garbage"));
  const auto finished = devmap_vm({"fetch", "6.1"});
  EXPECT_EQ(finished.exit_code, 4);
  for (const auto* const below : {"kernels", "downloads"}) {
    const auto path = directory_.path() / "devmap-conformance" / below;
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(path), {}), 0) << below;
  }
}

TEST_F(WithApt, TouchesNoStateOfTheSystem) {
  ASSERT_EQ(devmap_vm({"fetch", "6.1"}).exit_code, 0);
  const auto configuration = test::content_of(directory_.path() / "devmap-conformance/apt/apt.conf");
  for (const auto* const key : {"Dir::State", "Dir::Cache", "Dir::State::status", "Dir::Etc::sourcelist"}) {
    EXPECT_THAT(configuration, HasSubstr(std::string(key) + " \"" + directory_.path().string())) << key;
  }
}

/// With the cache on a disk that is full or cannot be written to, which root may not write to either.
class WithBadDisk : public WithApt {
 protected:
  void SetUp() override {
    WithApt::SetUp();
    if (IsSkipped()) return;
    std::filesystem::create_directories(cache_);
    if (const auto tried = mounted("true", {"true"}); tried.exit_code != 0) {
      GTEST_SKIP() << "no mount namespace can be had here: " << tried.err;
    }
  }

  /// Runs a command in a mount namespace in which the shell has mounted something at $1 before.
  Finished mounted(const std::string& mount, const std::vector<std::string>& command) {
    std::vector<std::string> arguments = {
        "--user", "--map-root-user", "--mount", "sh", "-c", mount + " && shift && exec \"$@\"", "sh", cache_.string()};
    arguments.insert(arguments.end(), command.begin(), command.end());
    return run({.program = "/usr/bin/unshare",
                .arguments = std::move(arguments),
                .environment = {{"XDG_CACHE_HOME", directory_.path().string()}, {"PATH", path_}}})
        .value();
  }

  const std::filesystem::path cache_ = directory_.path() / "devmap-conformance";
};

TEST_F(WithBadDisk, ThatIsFullSaysSoAndKeepsNoHalfOfAKernel) {
  // 8 MiB that take no room in their package.
  ASSERT_TRUE(
      write_to(file("newest"), test::deb_of({{"boot/vmlinuz-6.1.0-56-cloud-amd64", std::string(8U << 20U, 'N')}})));
  ASSERT_TRUE(write_to(file("older"), test::content_of(file("newest"))));
  const auto finished = mounted(
      "mount -t tmpfs -o size=1m none \"$1\"",
      {"sh", "-c", "\"$0\" fetch 6.1; code=$?; ls \"$1/kernels\"; exit $code", DEVMAP_VM_PROGRAM, cache_.string()});
  EXPECT_EQ(finished.exit_code, 4) << finished.err;
  EXPECT_THAT(finished.err, HasSubstr("No space left on device"));
  EXPECT_EQ(finished.out, "");
}

TEST_F(WithBadDisk, ThatIsReadOnlyStillGivesTheKernelsOnIt) {
  ASSERT_EQ(devmap_vm({"fetch", "6.1"}).exit_code, 0);
  const std::string read_only = "mount --bind \"$1\" \"$1\" && mount -o remount,bind,ro \"$1\"";
  const auto listed = mounted(read_only, {DEVMAP_VM_PROGRAM, "kernels"});
  EXPECT_EQ(listed.exit_code, 0) << listed.err;
  EXPECT_THAT(listed.out, HasSubstr("6.1.192-2"));
  const auto missing = mounted(read_only, {DEVMAP_VM_PROGRAM, "fetch", "--missing", "6.1"});
  EXPECT_EQ(missing.exit_code, 0) << missing.err;
  const auto refused = mounted(read_only, {DEVMAP_VM_PROGRAM, "fetch", "6.1"});
  EXPECT_EQ(refused.exit_code, 4) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("Read-only file system"));
  EXPECT_EQ(std::ranges::count(refused.err, '\n'), 1) << refused.err;
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

/// What a suite of one check tells of its run, and that it has ended.
std::string whole_run(const std::string& rule, Verdict verdict, int code) {
  return test::told_run_of(rule, verdict) + test::told(end_line({})) + "say ended " + std::to_string(code) + "\n";
}

TEST_F(WithSuite, EndsAsTheSuiteEnds) {
  put_program("qemu-system-x86_64", kGuest + "say output 'a line\n'\n" + whole_run("a.b", Verdict::deviates, 1));
  const auto record = directory_.path() / "record.json";
  const auto finished = run_kernel({"--record", record.string(), "--", "--chapter", "update"});
  EXPECT_EQ(finished.exit_code, 1) << finished.err;
  EXPECT_EQ(finished.out, "a line\n");
  EXPECT_THAT(test::content_of(record), HasSubstr("\"deviates\": 1,"));
  EXPECT_THAT(test::content_of(record), HasSubstr("\"partial\": false"));
}

TEST_F(WithSuite, PrintsWhatSeveralGuestsFoundWithTheSentenceOfTheRule) {
  const std::string rule = "update.noexist-on-array-is-eexist";
  put_program("qemu-system-x86_64", kGuest + "if grep -aq 1/2 \"$root\"; then\n" +
                                        whole_run("constants.devmap-is-14", Verdict::conforms, 0) + "else\n" +
                                        whole_run(rule, Verdict::deviates, 1) + "fi\n");
  const auto finished = run_kernel({"--machines", "2"});
  EXPECT_EQ(finished.exit_code, 1) << finished.err;
  EXPECT_THAT(finished.out, HasSubstr("deviates " + rule + " [once]\n  " + published_statements().at(rule)));
  EXPECT_THAT(finished.out, HasSubstr("1 conforms, 1 deviates"));
  const auto quiet = run_kernel({"--machines", "2", "--", "-q"});
  EXPECT_EQ(std::ranges::count(quiet.out, '\n'), 1) << quiet.out;
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
  EXPECT_THAT(finished.err, HasSubstr("is no executable"));
}

TEST(UsualMachines, AreOneAProcessorForTheWholeSuiteAndOneForLess) {
  EXPECT_EQ(usual_machines({}, 2), 2U);
  EXPECT_EQ(usual_machines({.arguments = {"-q"}}, 3), 3U);
  EXPECT_EQ(usual_machines({}, 1), 1U);
  EXPECT_EQ(usual_machines({}, 0), 1U);  // not known
  EXPECT_EQ(usual_machines({}, 64), 4U);
  EXPECT_EQ(usual_machines({.arguments = {"--quiet", "--chapter", "update"}}, 2), 1U);
  EXPECT_EQ(usual_machines({.shell = true}, 2), 1U);
  EXPECT_EQ(usual_machines({.gdb = true}, 2), 1U);
}

TEST_F(CommandLine, PrintsASetForGitHub) {
  const auto finished = devmap_vm({"matrix", "--set", "quick", "--github"});
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_THAT(finished.out, StartsWith("{\"include\":[{\"kernel\":\"5.10\",\"label\":\"5.10\",\"series\":\"5.10\""));
  EXPECT_EQ(std::ranges::count(finished.out, '\n'), 1);
}

TEST_F(CommandLine, SaysThatNoKernelOfAMatrixIsHere) {
  EXPECT_THAT(devmap_vm({"matrix"}).err, HasSubstr("qemu-system-x86"));
  EXPECT_THAT(devmap_vm({"bench"}).err, HasSubstr("qemu-system-x86"));
  put_program("qemu-system-x86_64", "exit 1");
  if (!DEVMAP_CONFORMANCE_IS_STATIC) GTEST_SKIP() << "a guest takes a static suite only";
  const auto directory = directory_.path() / "records";
  const auto finished = devmap_vm({"matrix", "--directory", directory.string(), "--suite", DEVMAP_CONFORMANCE_PROGRAM});
  EXPECT_EQ(finished.exit_code, 4);
  EXPECT_THAT(finished.err, HasSubstr("devmap-vm fetch 5.10"));
  EXPECT_THAT(finished.err, HasSubstr("4 kernels: 4 could not be run"));
}

TEST_F(CommandLine, PassesOverKernelsThatAreServedNoMore) {
  if (!DEVMAP_CONFORMANCE_IS_STATIC) GTEST_SKIP() << "a guest takes a static suite only";
  put_program("qemu-system-x86_64", "echo 'QEMU emulator version 7.2.1'; exit 1");
  const auto catalogue = (directory_.path() / "catalogue.toml").string();
  const auto kernel = [](const std::string& name, const std::string& more) {
    return "[[kernel]]\nname = \"" + name + "\"\nseries = \"6.1\"\nflavour = \"cloud-amd64\"\n" +
           "suites = [\"bookworm\"]\nversion = \"" + name + "\"\n" + more;
  };
  const std::string guest = "[guest]\ntransport = []\nmodules = []\n";
  const auto unserved = kernel("6.1.7", "while_served = true\n");
  for (const auto& arguments : std::vector<std::vector<std::string>>{
           {"matrix", "--suite", DEVMAP_CONFORMANCE_PROGRAM}, {"bench", "--benchmarks", DEVMAP_CONFORMANCE_PROGRAM}}) {
    std::vector<std::string> all = {"--catalogue", catalogue};
    all.insert(all.end(), arguments.begin(), arguments.end());
    all.insert(all.end(), {"--set", "full", "--directory", (directory_.path() / "records").string()});
    ASSERT_TRUE(write_to(catalogue, guest + unserved + "[[set]]\nname = \"full\"\n"));
    const auto none = devmap_vm(all);
    EXPECT_EQ(none.exit_code, 4);
    EXPECT_THAT(none.err, HasSubstr("6.1.7"));
    EXPECT_THAT(none.err, HasSubstr("passed over, for it may be served no more"));
    EXPECT_THAT(none.err, HasSubstr("none of these kernels is here; run: devmap-vm fetch"));
    ASSERT_TRUE(write_to(catalogue, guest + unserved + kernel("6.1.8", "") + "[[set]]\nname = \"full\"\n"));
    const auto missing = devmap_vm(all);
    EXPECT_EQ(missing.exit_code, 4);
    EXPECT_THAT(missing.err, HasSubstr("passed over"));
    EXPECT_THAT(missing.err, HasSubstr("devmap-vm fetch 6.1.8")) << "what is not passed over is missing";
  }
}

/// What begins as a kernel does, a compressed one.
constexpr const char* kKernel = "\x1f\x8b and so on";

/// A matrix of two kernels that are files, named "good" and "bad".
class WithMatrix : public WithSuite {
 protected:
  void SetUp() override {
    WithSuite::SetUp();
    for (const auto* const name : {"good", "bad"}) ASSERT_TRUE(write_to(directory_.path() / name, kKernel));
  }

  [[nodiscard]] std::vector<std::string> arguments(std::vector<std::string> more = {}) const {
    std::vector<std::string> all = {
        "matrix",  path_of("good"),           path_of("bad"), "--directory", path_of("records"),
        "--suite", DEVMAP_CONFORMANCE_PROGRAM};
    std::ranges::move(more, std::back_inserter(all));
    return all;
  }

  [[nodiscard]] std::string path_of(const std::string& name) const { return (directory_.path() / name).string(); }

  /// The records, by the ends of their names.
  [[nodiscard]] std::string record_of(const std::string& name) const {
    for (const auto& entry : std::filesystem::directory_iterator(directory_.path() / "records")) {
      if (entry.path().filename().string().ends_with("-" + name + ".json")) return test::content_of(entry.path());
    }
    return {};
  }

  /// A QEMU on whose kernels a rule conforms, but for the bad one.
  void put_qemu() {
    put_program("qemu-system-x86_64",
                kGuest +
                    "verdict=conforms code=0\n"
                    "case \"$*\" in *'-kernel " +
                    path_of("bad") +
                    " '*) verdict=deviates code=1 ;; esac\n"
                    "tell '{\"run\": {\"schema_version\": 1, \"suite\": {}, \"context\": {\"release\": \"6.1\", "
                    "\"kernel_label\": \"'$verdict'\"}, \"checks\": [\"a.b/once\"], \"repeat\": 1}}'\n"
                    "tell '{\"result\": {\"rule\": \"a.b\", \"variant\": \"once\", \"verdict\": \"'$verdict'\"}}'\n"
                    "tell '{\"end\": {\"duration_ms\": 2, \"partial\": false, \"foreign_warnings\": []}}'\n"
                    "say ended $code");
  }
};

TEST_F(WithMatrix, KeepsARecordOfEachKernelAndComparesThem) {
  put_qemu();
  const auto finished = devmap_vm(arguments({"--jobs", "2", "--", "--chapter", "update"}));
  EXPECT_EQ(finished.exit_code, 1) << finished.err;
  EXPECT_THAT(record_of("good"), HasSubstr("\"conforms\": 1,"));
  EXPECT_THAT(record_of("bad"), HasSubstr("\"deviates\": 1,"));
  EXPECT_THAT(finished.out, HasSubstr("a.b . D\n"));
  EXPECT_THAT(finished.out, HasSubstr("deviates a.b [once] on deviates\n"));
  EXPECT_THAT(finished.err, HasSubstr("2 kernels: 1 conforms, 1 deviates"));
}

TEST_F(WithMatrix, ResumesWithoutBootingAnything) {
  put_qemu();
  ASSERT_EQ(devmap_vm(arguments()).exit_code, 1);
  put_program("qemu-system-x86_64", "exit 3");
  const auto finished = devmap_vm(arguments({"--resume"}));
  EXPECT_EQ(finished.exit_code, 1) << finished.err;
  EXPECT_THAT(finished.out, HasSubstr("a.b . D\n"));
  const auto anew = devmap_vm(arguments({"--resume", "--", "--chapter", "life"}));
  EXPECT_EQ(anew.exit_code, 70) << "other arguments make another record";
}

TEST_F(WithMatrix, EndsAllGuestsWhenItIsInterrupted) {
  // Not a child of the shell: the guest is gone when it is.
  put_program("qemu-system-x86_64", kGuest + "echo $$ > " + path_of("pid-") + "$$; exec sleep 600");
  auto started = Process::start({.program = DEVMAP_VM_PROGRAM,
                                 .arguments = arguments({"--jobs", "2"}),
                                 .environment = {{"XDG_CACHE_HOME", directory_.path().string()}, {"PATH", path_}}});
  ASSERT_TRUE(started) << started.error().text();
  std::vector<pid_t> guests;
  const auto both_run = [&] {
    guests.clear();
    for (const auto& entry : std::filesystem::directory_iterator(directory_.path())) {
      if (!entry.path().filename().string().starts_with("pid-")) continue;
      const auto text = test::content_of(entry.path());
      if (!text.empty()) guests.push_back(std::stoi(text));
    }
    return guests.size() == 2;
  };
  ASSERT_TRUE(wait_until(both_run, std::chrono::minutes(1)));
  started->send(SIGINT);
  const auto finished = started->wait();
  EXPECT_EQ(finished.exit_code, 128 + SIGINT) << finished.err;
  for (const auto guest : guests) EXPECT_EQ(kill(guest, 0), -1) << "QEMU is left behind";
  EXPECT_THAT(finished.err, HasSubstr("records in"));
}

TEST_F(WithMatrix, RunsTwiceAtOnceOnOneCache) {
  put_qemu();
  const auto deb = directory_.path() / "a.deb";
  ASSERT_TRUE(write_to(deb, test::deb_of({{"boot/vmlinuz-6.1.0-56-cloud-amd64", std::string(kKernel)}})));
  const Cache cache(directory_.path() / "devmap-conformance");
  ASSERT_TRUE(cache.place("6.1", "6.1.192-2", {deb}, {}, [] {}));
  const auto start = [&](const std::string& directory) {
    return Process::start(
        {.program = DEVMAP_VM_PROGRAM,
         .arguments = {"matrix", "6.1", "--directory", path_of(directory), "--suite", DEVMAP_CONFORMANCE_PROGRAM},
         .environment = {{"XDG_CACHE_HOME", directory_.path().string()}, {"PATH", path_}}});
  };
  auto one = start("one");
  auto other = start("other");
  ASSERT_TRUE(one && other);
  EXPECT_EQ(one->wait().exit_code, 0);
  EXPECT_EQ(other->wait().exit_code, 0);
  for (const auto* const name : {"one/6.1.json", "other/6.1.json"}) {
    EXPECT_THAT(test::content_of(directory_.path() / name), HasSubstr("\"conforms\": 1,")) << name;
  }
}

TEST_F(WithMatrix, SaysWhereRecordsCannotGo) {
  put_qemu();
  ASSERT_TRUE(write_to(directory_.path() / "records", "a file"));
  const auto finished = devmap_vm(arguments());
  EXPECT_EQ(finished.exit_code, 70);
  EXPECT_THAT(finished.err, HasSubstr(path_of("records")));
}

TEST_F(WithMatrix, RefusesAListOfKnownDeviationsThatIsNone) {
  put_qemu();
  ASSERT_TRUE(write_to(directory_.path() / "known.json", "{"));
  const auto finished = devmap_vm(arguments({"--known", path_of("known.json")}));
  EXPECT_EQ(finished.exit_code, 64);
  EXPECT_THAT(finished.err, HasSubstr("known.json"));
}

TEST_F(WithMatrix, ComparesRecordsOfEarlierRuns) {
  put_qemu();
  ASSERT_EQ(devmap_vm(arguments()).exit_code, 1);
  std::vector<std::string> all = {"merge"};
  for (const auto& entry : std::filesystem::directory_iterator(directory_.path() / "records")) {
    if (entry.path().extension() == ".json") all.push_back(entry.path().string());
  }
  ASSERT_EQ(all.size(), 3U);
  const auto finished = devmap_vm(all);
  EXPECT_EQ(finished.exit_code, 1) << finished.err;
  EXPECT_THAT(finished.out, HasSubstr("deviates a.b [once] on deviates\n"));
  EXPECT_EQ(devmap_vm({"merge", "/nowhere.json"}).exit_code, 64);
}

}  // namespace
}  // namespace devmap::vm
