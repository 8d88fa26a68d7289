#include <harness/spec/gtest_bridge.hpp>

#include <gtest/gtest.h>

#include <fmt/format.h>
#include <algorithm>
#include <harness/record/record.hpp>

namespace devmap {
namespace {

/// What came of the tests so far.
struct Progress {
  std::vector<Result> results = {};
  /// The signal that cut the run short; 0 where none did.
  int interrupted_by = 0;
};

/// One check as a test: it runs apart like any other and then tells GoogleTest what came of it.
class CheckTest : public testing::Test {
 public:
  CheckTest(const Check& check, const Runner::Options& options, KernelLog* log, Progress& progress)
      : check_(check), options_(options), log_(log), progress_(progress) {}

  void TestBody() override {
    if (progress_.interrupted_by != 0) GTEST_SKIP() << "not run: interrupted";
    const auto outcome = Runner(options_, log_, {}).run({check_}, {0});
    ASSERT_TRUE(outcome.has_value()) << outcome.error().text();
    progress_.interrupted_by = outcome->interrupted_by;
    if (outcome->results.empty()) GTEST_SKIP() << "not completed: interrupted";
    const Result& result = outcome->results.front();
    progress_.results.push_back(result);
    RecordProperty("check", check_.name());
    RecordProperty("verdict", std::string(name_of(result.verdict)));
    if (result.verdict == Verdict::unmet) GTEST_SKIP() << result.reason;
    if (!fails(result.verdict)) return;
    std::string text = fmt::format("{} {}: {}\n", name_of(result.verdict), check_.name(), check_.rule->states);
    if (!result.reason.empty()) text += result.reason + "\n";
    for (const auto& evidence : result.evidence) text += evidence.text() + "\n";
    ADD_FAILURE() << text << result.advice;
  }

 private:
  Check check_;
  const Runner::Options& options_;
  KernelLog* log_;
  Progress& progress_;
};

}  // namespace

bool is_google_test_flag(std::string_view argument) {
  return argument.starts_with("--gtest_");
}

bool is_google_test_listing(std::span<char* const> flags) {
  return std::ranges::any_of(flags, [](std::string_view flag) {
    return flag == "--gtest_list_tests" || flag == "--gtest_list_tests=1" || flag == "--gtest_list_tests=true";
  });
}

int run_as_google_tests(const std::vector<Check>& checks, const Runner::Options& options, KernelLog* log, int argc,
                        char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (argc > 1) {  // GoogleTest takes out what it understands
    fmt::print(stderr, "GoogleTest knows no flag {}\n", argv[1]);
    return kExitUsage;
  }
  Progress progress;
  for (const auto& check : checks) {
    const std::string chapter(check.rule->chapter());
    std::string name = check.name().substr(chapter.size() + 1);
    std::ranges::replace(name, '-', '_');  // in a filter of GoogleTest '-' begins what to leave out
    testing::RegisterTest(chapter.c_str(), name.c_str(), nullptr, nullptr, __FILE__, __LINE__,
                          [&, check]() -> testing::Test* { return new CheckTest(check, options, log, progress); });
  }
  const int failed = RUN_ALL_TESTS();
  if (GTEST_FLAG_GET(list_tests)) return failed;
  if (testing::UnitTest::GetInstance()->test_to_run_count() == 0) {
    fmt::print(stderr, "no check matches --gtest_filter={}\n", GTEST_FLAG_GET(filter));
    return kExitUsage;
  }
  if (progress.interrupted_by != 0) return 128 + progress.interrupted_by;
  const int code = exit_code({.results = std::move(progress.results)});
  return failed != 0 && code == kExitConforms ? kExitBroken : code;
}

}  // namespace devmap
