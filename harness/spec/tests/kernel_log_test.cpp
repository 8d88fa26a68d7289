#include <harness/spec/kernel_log.hpp>

#include <gmock/gmock.h>

namespace devmap {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(LogRecord, IsParsed) {
  const struct {
    const char* record;
    bool from_kernel;
    const char* text;
  } kTable[] = {
      {"6,339,5140900,-;NET: Registered PF_INET\n", true, "NET: Registered PF_INET"},
      {"4,340,5140901,-,caller=T12;WARNING: x; y\n", true, "WARNING: x; y"},
      {"0,1,0,-;panic\n", true, "panic"},
      {"12,400,6000000,-;said by a process\n", false, "said by a process"},
      {"30,401,6000001,-;said by a daemon", false, "said by a daemon"},
      {"6,342,5140903,-;a device appeared\n SUBSYSTEM=net\n DEVICE=n3\n", true, "a device appeared"},
      {"6,343,5140904,c;\n", true, ""},
  };
  for (const auto& row : kTable) {
    const auto record = LogRecord::parse(row.record);
    ASSERT_TRUE(record.has_value()) << row.record;
    EXPECT_EQ(record->from_kernel, row.from_kernel) << row.record;
    EXPECT_EQ(record->text, row.text);
  }
}

TEST(LogRecord, IsNotParsedOfGarbage) {
  for (const char* garbage : {"", "text without a header", "6,1,2,-", ";text", "x,1,2,-;text", "-1,1,2,-;text"}) {
    EXPECT_EQ(LogRecord::parse(garbage).has_value(), false) << garbage;
  }
}

struct Found {
  std::string first_line, task_name;
  std::int64_t task_id;
  std::size_t lines;
  friend bool operator==(const Found&, const Found&) = default;
  friend void PrintTo(const Found& found, std::ostream* out) {
    *out << found.first_line << " by " << found.task_name << "/" << found.task_id << ", " << found.lines << " lines";
  }
};

std::vector<Found> found_in(std::initializer_list<const char*> log) {
  WarningFinder finder;
  std::vector<Found> found;
  const auto add = [&found](const std::optional<KernelWarning>& warning) {
    if (warning) {
      found.push_back({warning->lines.front(), warning->task_name, warning->task_id, warning->lines.size()});
    }
  };
  for (const char* line : log) add(finder.feed({.text = line}));
  add(finder.flush());
  return found;
}

TEST(WarningFinder, FindsNothingInEverydayLines) {
  EXPECT_THAT(found_in({"eth7: Link is Up - 10Gbps/Full", "audit: type=1400 WARNING: in the middle",
                        "systemd[1]: Started something.", "check-1: page allocation took long",
                        "---[ end trace 0000000000000000 ]---", ""}),
              IsEmpty());
}

TEST(WarningFinder, TakesTheTaskOfAWarningUpToLinux618) {
  EXPECT_THAT(found_in({"eth7: renamed", "------------[ cut here ]------------",
                        "WARNING: CPU: 1 PID: 4711 at kernel/bpf/invented.c:77 invented_function+0x1b/0x40",
                        "Modules linked in: veth", "CPU: 1 UID: 0 PID: 4711 Comm: check-17 Not tainted 6.12.0-test #1",
                        "RIP: 0010:invented_function+0x1b/0x40", "Call Trace:", " <TASK>", " another_function+0x5/0x20",
                        " </TASK>", "---[ end trace 0000000000000000 ]---", "eth7: renamed again"}),
              ElementsAre(Found{"WARNING: CPU: 1 PID: 4711 at kernel/bpf/invented.c:77 invented_function+0x1b/0x40",
                                "check-17", 4711, 9}));
}

TEST(WarningFinder, TakesTheTaskOfAWarningOfLaterKernels) {
  EXPECT_THAT(found_in({"WARNING: kernel/bpf/invented.c:77 at invented_function+0x1b/0x40, CPU#0: check-3/812",
                        "---[ end trace 0000000000000000 ]---"}),
              ElementsAre(Found{"WARNING: kernel/bpf/invented.c:77 at invented_function+0x1b/0x40, CPU#0: check-3/812",
                                "check-3", 812, 2}));
}

TEST(WarningFinder, TakesTasksWithSlashesInTheirNames) {
  EXPECT_EQ(found_in({"WARNING: net/core/invented.c:9 at f+0x1/0x2, CPU#3: kworker/3:1/55"}).front().task_name,
            "kworker/3:1");
  EXPECT_EQ(found_in({"WARNING: CPU: 3 PID: 55 Comm: kworker/u8:2 Tainted: G W"}).front().task_name, "kworker/u8:2");
}

TEST(WarningFinder, TakesTheNumberAloneWhereTheNameNeverComes) {
  EXPECT_THAT(found_in({"WARNING: CPU: 0 PID: 99 at net/core/invented.c:9 f+0x1/0x2"}),
              ElementsAre(Found{"WARNING: CPU: 0 PID: 99 at net/core/invented.c:9 f+0x1/0x2", "", 99, 1}));
}

TEST(WarningFinder, KeepsABugAndItsOopsTogether) {
  const auto found = found_in({"BUG: kernel NULL pointer dereference, address: 0000000000000010",
                               "#PF: supervisor read access in kernel mode", "Oops: Oops: 0000 [#1] PREEMPT SMP NOPTI",
                               "CPU: 0 UID: 0 PID: 31 Comm: check-5 Not tainted 6.18.0 #1", "RIP: 0010:f+0x10/0x20",
                               "---[ end trace 0000000000000000 ]---"});
  EXPECT_THAT(found,
              ElementsAre(Found{"BUG: kernel NULL pointer dereference, address: 0000000000000010", "check-5", 31, 6}));
}

TEST(WarningFinder, SeparatesTracesWithoutAnEnd) {
  const auto found =
      found_in({"BUG: sleeping function called from invalid context at mm/invented.c:3",
                "CPU: 0 PID: 31 Comm: check-5 Not tainted 6.18.0 #1",
                "Call Trace:", "WARNING: CPU: 1 PID: 32 at net/core/invented.c:9 f+0x1/0x2",
                "CPU: 1 PID: 32 Comm: check-6 Not tainted 6.18.0 #1", "---[ end trace 0000000000000000 ]---"});
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].task_name, "check-5");
  EXPECT_EQ(found[0].lines, 3U);
  EXPECT_EQ(found[1].task_name, "check-6");
}

TEST(WarningFinder, KnowsHowTheKernelBeginsWhatMatters) {
  for (const char* line :
       {"WARNING: suspicious RCU usage", "BUG: KASAN: slab-use-after-free in f+0x1/0x2", "Oops: 0002 [#1] SMP",
        "general protection fault, probably for non-canonical address 0x1: 0000",
        "kernel BUG at net/core/invented.c:1!", "UBSAN: array-index-out-of-bounds in net/invented.c:1:2",
        "refcount_t: underflow; use-after-free.", "INFO: rcu_sched self-detected stall on CPU",
        "INFO: task check-1:12 blocked for more than 120 seconds.", "INFO: possible recursive locking detected",
        "rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:",
        "watchdog: BUG: soft lockup - CPU#1 stuck for 26s! [check-1:12]", "Kernel panic - not syncing: Fatal exception",
        "unregister_netdevice: waiting for v0 to become free. Usage count = 2",
        "list_add corruption. prev->next should be next", "list_del corruption, 1234->next is LIST_POISON1",
        "Unable to handle kernel NULL pointer dereference at virtual address 10",
        "Internal error: Oops: 96000004 [#1] SMP"}) {
    EXPECT_EQ(found_in({line}).size(), 1U) << line;
  }
}

TEST(WarningFinder, DoesNotCollectForever) {
  WarningFinder finder;
  EXPECT_FALSE(finder.feed({.text = "WARNING: at f"}).has_value());
  std::optional<KernelWarning> warning;
  int lines = 1;
  while (!warning && lines < 1000) {
    warning = finder.feed({.text = "a line"});
    ++lines;
  }
  ASSERT_TRUE(warning.has_value());
  EXPECT_EQ(warning->lines.size(), static_cast<std::size_t>(lines));
  EXPECT_FALSE(finder.feed({.text = "a line"}).has_value());
  EXPECT_FALSE(finder.flush().has_value());
}

TEST(KernelWarning, IsSummedUpByItsFirstLineAndItsPlace) {
  EXPECT_EQ(KernelWarning{}.summary(), "");
  EXPECT_EQ((KernelWarning{.lines = {"WARNING: here", "and there"}}).summary(), "WARNING: here");
  EXPECT_EQ((KernelWarning{.lines = {"WARNING: here", "RIP: 0010:f+0x1/0x2", "RIP: 0033:0x1234"}}).summary(),
            "WARNING: here; RIP: 0010:f+0x1/0x2");
}

}  // namespace
}  // namespace devmap
