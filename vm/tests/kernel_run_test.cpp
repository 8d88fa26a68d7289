// Runs on a guest that a script stands in for: which boots there are, and what is made of what they say.
#include <vm/kernel_run.hpp>

#include <vm/files.hpp>
#include <vm/tests/fake_qemu.hpp>
#include <vm/tests/packages.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <harness/record/run_stream.hpp>
#include <nlohmann/json.hpp>
#include <thread>

namespace devmap::vm {
namespace {

using nlohmann::json;
using std::chrono_literals::operator""s;
using test::told;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::string run_of(const std::vector<std::string>& checks, unsigned repeat = 1) {
  RunRecord record{.suite = {.version = "1.2.3", .commit = "0123"}};
  record.context.release = "6.1.0-x";
  return told(run_line(record, checks, repeat));
}
std::string begun(const char* rule, const char* variant = "once") {
  return told(begun_line(rule, variant, 1));
}
std::string conforms(const char* rule, const char* variant = "once") {
  return told(result_line({.rule = rule, .variant = variant, .verdict = Verdict::conforms}));
}
std::string end() {
  return told(end_line({})) + "say ended 0\n";
}

constexpr const char* kPanic =
    "printf '[    1.0] BUG: a bug\\r\\n[    1.1] Kernel panic - not syncing: Fatal\\r\\n' >> \"$console\"; exit 0\n";
const std::vector<std::string> kChecks = {"a.one/once", "a.two/v4", "a.two/v8", "a.three/once"};

class KernelRuns : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(setenv("PATH", (directory_.path().string() + ":/usr/bin:/bin").c_str(), 1), 0); }

  /// What the guest does in each of its boots; the last script is for all boots that follow.
  KernelRun run(const std::vector<std::string>& boots, KernelRunOptions options = {}) {
    std::string script = std::string(test::kFakeQemu) +
                         "here=${0%/*}; boot=$(($(cat \"$here/boots\" 2>/dev/null || echo 0) + 1))\n"
                         "echo $boot > \"$here/boots\"; cp \"$root\" \"$here/root.$boot\"\n"
                         "say hello 6.1.0-x; say started ''\ncase $boot in\n";
    for (std::size_t i = 0; i < boots.size(); ++i) {
      script += (i + 1 < boots.size() ? std::to_string(i + 1) : "*") + ")\n" + boots.at(i) + ";;\n";
    }
    test::put_program(directory_.path() / "qemu-system-x86_64", script + "esac\n");
    options.suite = "SUITE";
    auto run = run_kernel({.name = "k"}, options, [this](const KernelProgress& now) { progress_.push_back(now); });
    EXPECT_TRUE(run) << run.error().text();
    return run.value_or(KernelRun{});
  }

  /// What the guest's root file system held in a boot.
  [[nodiscard]] std::string root_of(int boot) const {
    return test::content_of(directory_.path() / ("root." + std::to_string(boot)));
  }

  static json result_of(const KernelRun& run, const std::string& rule, const std::string& variant = "once") {
    const auto record = json::parse(run.record);
    for (const auto& result : record.at("results")) {
      if (result.at("rule") == rule && result.at("variant") == variant) return result;
    }
    return {};
  }

  TemporaryDirectory directory_ = TemporaryDirectory::create(testing::TempDir()).value();
  std::vector<KernelProgress> progress_ = {};
};

TEST_F(KernelRuns, EndAsTheSuiteEnds) {
  const auto run = KernelRuns::run({run_of({"a.one/once"}) + begun("a.one") + conforms("a.one") + end()});
  EXPECT_EQ(run.ending, Ending::ended) << run.reason;
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_EQ(run.boots, 1U);
  EXPECT_EQ(run.release, "6.1.0-x");
  EXPECT_EQ(json::parse(run.record)["context"]["partial"], false);
  EXPECT_EQ(progress_.front().phase, KernelProgress::Phase::booting);
  EXPECT_EQ(progress_.back().phase, KernelProgress::Phase::ended);
  EXPECT_EQ(progress_.back().through, 1U);
  EXPECT_EQ(progress_.back().all, 1U);
  EXPECT_THAT(root_of(1), HasSubstr("--dangerous"));
}

TEST_F(KernelRuns, LoseOneRuleToAPanic) {
  const auto run =
      KernelRuns::run({run_of(kChecks) + begun("a.one") + conforms("a.one") + begun("a.two", "v4") + kPanic,
                       run_of({"a.three/once"}) + begun("a.three") + conforms("a.three") + end()});
  EXPECT_EQ(run.ending, Ending::ended) << run.reason;
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_EQ(run.boots, 2U);
  const auto crash = result_of(run, "a.two", "v4");
  EXPECT_EQ(crash["verdict"], "crash");
  EXPECT_THAT(crash["reason"].get<std::string>(), HasSubstr("BUG: a bug; Kernel panic - not syncing: Fatal"));
  EXPECT_THAT(crash["evidence"].dump(), HasSubstr("Kernel panic"));
  EXPECT_EQ(result_of(run, "a.two", "v8")["verdict"], "unmet") << "the rule has cost a boot already";
  EXPECT_EQ(result_of(run, "a.three")["verdict"], "conforms");
  const auto record = json::parse(run.record);
  EXPECT_EQ(record["context"]["partial"], false);
  EXPECT_EQ(record["context"]["boots"], 2);
  EXPECT_THAT(root_of(2), HasSubstr("a.one/once\na.two/v4\na.two/v8\n")) << "these are skipped";
  EXPECT_THAT(root_of(2), Not(HasSubstr("--alone")));
}

TEST_F(KernelRuns, KnowOfPanicsThatAreListed) {
  const auto listed = [](const char* rule) {
    return json{{"schema_version", 1}, {"known", {{{"rule", rule}, {"reason", "It was to be expected."}}}}}.dump();
  };
  for (const auto& [rule, verdict] : {std::pair{"a.two", "known"}, std::pair{"a.three", "crash"}}) {
    const auto run =
        KernelRuns::run({run_of({"a.two/v4"}) + begun("a.two", "v4") + kPanic}, {.known_issues = listed(rule)});
    const auto result = result_of(run, "a.two", "v4");
    EXPECT_EQ(result["verdict"], verdict);
    EXPECT_THAT(result["reason"].get<std::string>(), HasSubstr("Kernel panic")) << verdict;
    EXPECT_EQ(run.exit_code, verdict == std::string_view("known") ? 0 : 1);
    EXPECT_EQ(json::parse(run.record)["context"]["partial"], false) << "everything has its verdict";
  }
}

TEST_F(KernelRuns, FindTheOneOfSeveralThatTakesTheGuestDown) {
  const auto run =
      KernelRuns::run({run_of(kChecks) + begun("a.one") + begun("a.two", "v4") + begun("a.three") + kPanic,
                       run_of(kChecks) + begun("a.one") + conforms("a.one") + begun("a.two", "v4") + kPanic,
                       run_of({"a.three/once"}) + begun("a.three") + conforms("a.three") + end()});
  EXPECT_EQ(run.boots, 3U);
  EXPECT_EQ(result_of(run, "a.one")["verdict"], "conforms");
  EXPECT_EQ(result_of(run, "a.two", "v4")["verdict"], "crash");
  EXPECT_EQ(result_of(run, "a.three")["verdict"], "conforms");
  EXPECT_THAT(root_of(1), Not(HasSubstr("--alone")));
  EXPECT_THAT(root_of(2), HasSubstr("--alone"));
  EXPECT_THAT(root_of(2), HasSubstr("a.one/once\na.two/v4\na.three/once\n"));
}

TEST_F(KernelRuns, TakeAGuestThatFallsSilentForHung) {
  const auto run = KernelRuns::run({run_of({"a.one/once", "a.two/v4"}) + begun("a.one") + "exec sleep 60\n",
                                    run_of({"a.two/v4"}) + begun("a.two", "v4") + conforms("a.two", "v4") + end()},
                                   {.silence = 1s});
  EXPECT_EQ(run.ending, Ending::ended) << run.reason;
  EXPECT_EQ(run.exit_code, 124);
  EXPECT_EQ(result_of(run, "a.one")["verdict"], "timeout");
  EXPECT_LT(run.total, 40s);
}

TEST_F(KernelRuns, GoOnAfterASuiteThatDied) {
  const auto run =
      KernelRuns::run({run_of({"a.one/once", "a.two/v4"}) + begun("a.one") +
                           "echo '[    1.0] Out of memory: Killed process 7 (suite)' >> \"$console\"; say ended 137\n",
                       run_of({"a.two/v4"}) + begun("a.two", "v4") + conforms("a.two", "v4") + end()});
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_THAT(result_of(run, "a.one")["reason"].get<std::string>(), HasSubstr("137 while it ran: Out of memory"));
}

TEST_F(KernelRuns, AreDoneWhereTheLastCheckTakesTheGuestDown) {
  const auto run = KernelRuns::run({run_of({"a.one/once"}) + begun("a.one") + kPanic});
  EXPECT_EQ(run.boots, 1U);
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_EQ(run.counts, (std::map<std::string, std::size_t>{{"crash", 1}}));
}

TEST_F(KernelRuns, KeepWhatWasFoundWhereQemuIsKilled) {
  const auto run =
      KernelRuns::run({run_of(kChecks) + begun("a.one") + conforms("a.one") + begun("a.three") + "kill -KILL $$\n"});
  EXPECT_EQ(run.ending, Ending::killed);
  EXPECT_EQ(run.exit_code, 70);
  EXPECT_EQ(run.boots, 1U) << "no check is to blame";
  const auto record = json::parse(run.record);
  EXPECT_EQ(record["context"]["partial"], true);
  EXPECT_EQ(record["results"].size(), 1U);
}

TEST_F(KernelRuns, KeepWhatWasFoundWhereTheTransportIsCut) {
  const auto run = KernelRuns::run({run_of(kChecks) + begun("a.one") + conforms("a.one") +
                                    "printf '{\"result\": {\"rule\": \"a.thr' >&\"$stream\"\n"
                                    "printf 'output 100\\ncut' >&\"$port\"; exit 0\n"});
  EXPECT_EQ(run.ending, Ending::killed);
  EXPECT_THAT(run.reason, HasSubstr("cut"));
  EXPECT_EQ(json::parse(run.record)["results"].size(), 1U);
}

TEST_F(KernelRuns, BlameTheEmulationOnceForItsKnownFault) {
  const std::string fault =
      "printf '[    1.0] Oops: int3: 0000 [#1]\\n[    1.1] Kernel panic - not syncing: Fatal\\n' "
      ">> \"$console\"; exit 0\n";
  const auto healed = KernelRuns::run({run_of({"a.one/once"}) + begun("a.one") + fault,
                                       run_of({"a.one/once"}) + begun("a.one") + conforms("a.one") + end()});
  EXPECT_EQ(healed.exit_code, 0);
  EXPECT_EQ(healed.counts, (std::map<std::string, std::size_t>{{"conforms", 1}}));
  EXPECT_THAT(healed.notes, Contains(HasSubstr("Oops: int3")));
}

TEST_F(KernelRuns, GiveUpWhereNothingMoreIsFound) {
  const auto run = KernelRuns::run({run_of(kChecks) + begun("a.one") + conforms("a.one") + kPanic,
                                    run_of({"a.two/v4", "a.two/v8", "a.three/once"}) + kPanic});
  EXPECT_EQ(run.ending, Ending::panic);
  EXPECT_EQ(run.boots, 2U);
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_THAT(run.notes, Contains(HasSubstr("3 checks left")));
  EXPECT_THAT(run.console_tail, Contains(HasSubstr("Kernel panic")));
}

TEST_F(KernelRuns, AreBootedNoMoreThanAsked) {
  const auto run = KernelRuns::run({run_of(kChecks) + begun("a.one") + kPanic,
                                    run_of({"a.two/v4", "a.two/v8", "a.three/once"}) + begun("a.two", "v4") + kPanic},
                                   {.most_boots = 2});
  EXPECT_EQ(run.boots, 2U);
  EXPECT_THAT(run.notes, Contains(HasSubstr("given up after 2 boots with 1 checks left")));
}

TEST_F(KernelRuns, ThatRepeatTheirChecksEndWithTheGuest) {
  const auto run = KernelRuns::run({run_of({"a.one/once", "a.two/v4"}, 2) + begun("a.one") + kPanic});
  EXPECT_EQ(run.boots, 1U);
  EXPECT_THAT(run.notes, Contains(HasSubstr("repeats")));
  EXPECT_EQ(json::parse(run.record)["context"]["partial"], true);
}

TEST_F(KernelRuns, HandTheGuestWhatTheyAreAsked) {
  (void)KernelRuns::run({end()}, {.arguments = {"--chapter", "update"},
                                  .jit = Jit::off,
                                  .label = "mine",
                                  .dangerous = false,
                                  .known_issues = "KNOWN"});
  for (const auto* const part : {"--chapter", "bpf_jit_enable", "--label", "mine", "--known", "KNOWN"}) {
    EXPECT_THAT(root_of(1), HasSubstr(part));
  }
  EXPECT_THAT(root_of(1), Not(HasSubstr("--dangerous")));
  (void)KernelRuns::run({end()}, {.arguments = {"--gtest_filter=*"}});
  EXPECT_THAT(root_of(2), Not(HasSubstr("stream:"))) << "GoogleTest has outputs of its own";
}

TEST(GuestParts, SayHowLongACheckMayTakeUnlessThatIsGiven) {
  const auto limits = [](const char* architecture, std::vector<std::string> given) {
    return guest_parts(*architecture_named(architecture), {.arguments = std::move(given), .dangerous = false})
        .arguments;
  };
  EXPECT_THAT(limits("amd64", {}), ElementsAre("--timeout", "60"));
  EXPECT_THAT(limits("armhf", {}), ElementsAre("--timeout", "300"));
  EXPECT_THAT(limits("armhf", {"--timeout=5"}), ElementsAre("--timeout=5"));
}

TEST_F(KernelRuns, CanGoOnAtOnce) {
  (void)KernelRuns::run({end()});  // which makes the program
  test::put_program(directory_.path() / "qemu-system-x86_64",
                    std::string(test::kFakeQemu) + "say hello x; say started ''\n" + run_of({"a.one/once"}) +
                        begun("a.one") + conforms("a.one") + end());
  std::vector<std::thread> threads;
  std::vector<KernelRun> runs(6);
  for (auto& run : runs) {
    threads.emplace_back([&run] {
      if (auto done = run_kernel({.name = "k"}, {.suite = "SUITE"}, {})) run = std::move(*done);
    });
  }
  for (auto& thread : threads) thread.join();
  for (const auto& run : runs) {
    EXPECT_EQ(run.ending, Ending::ended) << run.reason;
    EXPECT_EQ(run.counts, (std::map<std::string, std::size_t>{{"conforms", 1}}));
  }
}

TEST(Jits, HaveNames) {
  EXPECT_EQ(jit_named("on"), Jit::on);
  EXPECT_EQ(jit_named("off"), Jit::off);
  EXPECT_EQ(jit_named("harden"), Jit::harden);
  EXPECT_EQ(jit_named("fast"), std::nullopt);
}

}  // namespace
}  // namespace devmap::vm
