#include <harness/spec/gtest_bridge.hpp>

#include <gtest/gtest.h>

#include <fmt/format.h>
#include <harness/spec/record.hpp>

namespace devmap {
namespace {

/// One check as a test: it runs apart like any other and then tells GoogleTest what came of it.
class CheckTest : public testing::Test {
 public:
  CheckTest(Check check, const Runner::Options& options, KernelLog* log, std::vector<Result>& results)
      : check_(std::move(check)), options_(options), log_(log), results_(results) {}

  void TestBody() override {
    const auto outcome = Runner(options_, log_, {}).run({check_}, {0});
    ASSERT_TRUE(outcome.has_value()) << outcome.error().text();
    ASSERT_EQ(outcome->results.size(), 1U) << "interrupted";
    const Result& result = outcome->results.front();
    results_.push_back(result);
    RecordProperty("verdict", std::string(name_of(result.verdict)));
    if (result.verdict == Verdict::unmet) GTEST_SKIP() << result.reason;
    if (!fails(result.verdict)) return;
    std::string text = fmt::format("{}: {}\n", name_of(result.verdict), check_.rule->states);
    if (!result.reason.empty()) text += result.reason + "\n";
    for (const auto& evidence : result.evidence) text += evidence.text() + "\n";
    ADD_FAILURE() << text << result.advice;
  }

 private:
  Check check_;
  const Runner::Options& options_;
  KernelLog* log_;
  std::vector<Result>& results_;
};

}  // namespace

bool is_google_test_flag(std::string_view argument) {
  return argument.starts_with("--gtest_");
}

int run_as_google_tests(const std::vector<Check>& checks, const Runner::Options& options, KernelLog* log, int argc,
                        char** argv) {
  testing::InitGoogleTest(&argc, argv);
  RunRecord record;
  for (const auto& check : checks) {
    const std::string chapter(check.rule->chapter());
    const std::string name = check.name().substr(chapter.size() + 1);
    testing::RegisterTest(
        chapter.c_str(), name.c_str(), nullptr, nullptr, __FILE__, __LINE__,
        [&, check]() -> testing::Test* { return new CheckTest(check, options, log, record.results); });
  }
  const int failed = RUN_ALL_TESTS();
  if (GTEST_FLAG_GET(list_tests)) return failed;
  if (testing::UnitTest::GetInstance()->test_to_run_count() == 0) {
    fmt::print(stderr, "no check matches --gtest_filter={}\n", GTEST_FLAG_GET(filter));
    return kExitUsage;
  }
  const int code = exit_code(record);
  return failed != 0 && code == kExitConforms ? kExitBroken : code;
}

}  // namespace devmap
