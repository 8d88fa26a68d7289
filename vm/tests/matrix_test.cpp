// A matrix whose kernels are run by the tests themselves.
#include <vm/files.hpp>
#include <vm/matrix.hpp>
#include <vm/tests/packages.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <latch>
#include <map>
#include <mutex>

namespace devmap::vm {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Kind = MatrixResult::Kind;

std::string record_of(const std::string& label, const std::string& verdict, bool partial = false) {
  return std::string(R"({"schema_version": 1, "context": {"release": "6.1", "duration_ms": 1000, "kernel_label": ")") +
         label + R"(", "partial": )" + (partial ? "true" : "false") +
         R"(}, "results": [{"rule": "a.b", "variant": "once", "verdict": ")" + verdict + R"("}]})";
}

KernelRun conforming(const std::string& label) {
  return {.ending = Ending::ended, .exit_code = 0, .record = record_of(label, "conforms")};
}

class AMatrix : public testing::Test {
 protected:
  std::vector<MatrixResult> run(const RunKernelAt& run_at, const MatrixRules& rules = {}) {
    return run_matrix(kernels_, records_, rules, run_at, [this] { return is_over_; }, table_);
  }

  /// Each kernel conforms, and is noted.
  RunKernelAt all_conform() {
    return [this](std::size_t at, const auto& on_progress) -> Expected<KernelRun> {
      const std::lock_guard alone(mutex_);
      begun_.push_back(kernels_[at].label);
      on_progress({.phase = KernelProgress::Phase::running, .through = 1, .all = 2});
      on_progress({.phase = KernelProgress::Phase::ended, .through = 2, .all = 2});
      return conforming(kernels_[at].label);
    };
  }

  /// The kernel of this label comes to this, the others conform.
  RunKernelAt with(const std::string& label, Expected<KernelRun> what) {
    return [this, label, what = std::move(what)](std::size_t at, const auto&) -> Expected<KernelRun> {
      return kernels_[at].label == label ? what : conforming(kernels_[at].label);
    };
  }

  [[nodiscard]] std::string kept(const std::string& label) const {
    return test::content_of(directory_.path() / (label + ".json"));
  }

  static RunIdentity identity(const std::string& kernel) {
    return {.build_id = "b1d", .arguments = {}, .kernel = kernel};
  }

  TemporaryDirectory directory_ = TemporaryDirectory::create(testing::TempDir()).value();
  KeptRecords records_ = KeptRecords::in(directory_.path()).value();
  std::vector<MatrixKernel> kernels_ = {{.label = "short", .identity = identity("1"), .seconds = 10},
                                        {.label = "long", .identity = identity("2"), .seconds = 90},
                                        {.label = "usual", .identity = identity("3"), .seconds = 50}};
  LiveTable table_{{"short", "long", "usual"}, false};
  bool is_over_ = false;
  std::mutex mutex_;
  std::vector<std::string> begun_;
};

TEST_F(AMatrix, RunsTheLongestFirstAndKeepsEachRecord) {
  const auto results = run(all_conform());
  EXPECT_THAT(begun_, ElementsAre("long", "usual", "short"));
  ASSERT_EQ(results.size(), 3U);
  for (std::size_t at = 0; at < results.size(); ++at) {
    EXPECT_EQ(results[at].label, kernels_[at].label) << "results are in the order of the kernels";
    EXPECT_EQ(results[at].kind, Kind::ran);
    EXPECT_EQ(kept(results[at].label), record_of(results[at].label, "conforms"));
  }
  EXPECT_EQ(exit_code(results), 0);
  EXPECT_EQ(summary(results), "3 kernels: 3 conforms");
}

TEST_F(AMatrix, KeepsARecordAsSoonAsItsKernelEnds) {
  std::string seen;
  const auto results = run([&](std::size_t at, const auto&) -> Expected<KernelRun> {
    if (kernels_[at].label == "usual") seen = kept("long");
    return conforming(kernels_[at].label);
  });
  EXPECT_EQ(seen, record_of("long", "conforms"));
}

TEST_F(AMatrix, RunsSeveralAtATime) {
  std::latch all(3);
  const auto results = run(
      [&](std::size_t at, const auto&) -> Expected<KernelRun> {
        all.arrive_and_wait();
        return conforming(kernels_[at].label);
      },
      {.at_a_time = 3});
  EXPECT_EQ(exit_code(results), 0);
}

TEST_F(AMatrix, ResumesAfterWhatIsComplete) {
  ASSERT_TRUE(records_.keep("long", record_of("long", "deviates"), identity("2"), 1));
  ASSERT_TRUE(records_.keep("usual", record_of("usual", "conforms", true), identity("3"), 0));
  ASSERT_TRUE(records_.keep("short", record_of("short", "conforms"), identity("of another kernel"), 0));
  const auto results = run(all_conform(), {.resume = true});
  EXPECT_THAT(begun_, ElementsAre("usual", "short")) << "one is partial, and one is of another kernel";
  EXPECT_EQ(results[1].kind, Kind::resumed);
  ASSERT_TRUE(results[1].run);
  EXPECT_EQ(results[1].run->results.at(0).verdict, Verdict::deviates);
  EXPECT_EQ(exit_code(results), 1) << "what was found before still counts";
}

TEST_F(AMatrix, RunsAllAnewUnlessToldToResume) {
  ASSERT_TRUE(records_.keep("long", record_of("long", "deviates"), identity("2"), 1));
  EXPECT_EQ(exit_code(run(all_conform())), 0);
  EXPECT_EQ(begun_.size(), 3U);
}

TEST_F(AMatrix, GoesOnWithoutAKernelThatIsNotThere) {
  kernels_[1].missing = "not fetched yet";
  const auto results = run(all_conform());
  EXPECT_THAT(begun_, ElementsAre("usual", "short"));
  EXPECT_EQ(results[1].kind, Kind::missing);
  EXPECT_THAT(results[1].remarks, ElementsAre("not fetched yet"));
  EXPECT_EQ(exit_code(results), 4);
  EXPECT_EQ(summary(results), "3 kernels: 2 conforms, 1 could not be run");
}

TEST_F(AMatrix, GoesOnAfterAKernelThatCannotBeRun) {
  const auto results = run(with("long", failure("QEMU", 0, "is not on this machine")));
  EXPECT_EQ(results[1].kind, Kind::missing);
  EXPECT_THAT(results[1].remarks, ElementsAre(HasSubstr("is not on this machine")));
  EXPECT_EQ(exit_code(results), 4);
}

TEST_F(AMatrix, TellsOfAGuestThatPanicsAndKeepsWhatItHad) {
  const auto results = run(with("long", KernelRun{.ending = Ending::panic,
                                                  .reason = "Kernel panic - not syncing",
                                                  .exit_code = 1,
                                                  .record = record_of("long", "crash", true),
                                                  .console_tail = {"the last line"}}));
  EXPECT_EQ(kept("long"), record_of("long", "crash", true));
  EXPECT_THAT(results[1].remarks,
              ElementsAre("panic: Kernel panic - not syncing", "the last lines of the console:", "  the last line"));
  EXPECT_EQ(exit_code(results), 1);
}

TEST_F(AMatrix, TellsNothingOfAPanicThatIsKnown) {
  testing::internal::CaptureStderr();
  const auto results = run(with("long", KernelRun{.ending = Ending::panic,
                                                  .reason = "Kernel panic - not syncing",
                                                  .exit_code = 0,
                                                  .record = record_of("long", "known"),
                                                  .console_tail = {"the last line"}}));
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("long: conforms"));
  EXPECT_THAT(results[1].remarks, IsEmpty());
  EXPECT_EQ(exit_code(results), 0);
}

TEST_F(AMatrix, KeepsNoRecordWhereThereIsNone) {
  const auto results =
      run(with("long", KernelRun{.ending = Ending::never_booted, .reason = "silence", .exit_code = 70}));
  EXPECT_FALSE(fs::exists(records_.record_of("long")));
  EXPECT_FALSE(results[1].run);
  EXPECT_EQ(exit_code(results), 70);
}

TEST_F(AMatrix, SaysWhereARecordCannotBeKept) {
  ASSERT_TRUE(make_directories(records_.record_of("long")));
  const auto results = run(all_conform());
  EXPECT_THAT(results[1].remarks, ElementsAre(HasSubstr("its record is lost")));
  EXPECT_TRUE(results[1].run) << "it is compared all the same";
  EXPECT_EQ(exit_code(results), 70);
  EXPECT_EQ(kept("usual"), record_of("usual", "conforms"));
}

TEST_F(AMatrix, KeepsTheConsoleOnlyWhereSomethingIsWrong) {
  for (const auto* const label : {"short", "long"}) ASSERT_TRUE(write_to(records_.console_of(label), "console"));
  (void)run(with("long", KernelRun{.ending = Ending::ended, .exit_code = 1, .record = record_of("long", "deviates")}));
  EXPECT_FALSE(fs::exists(records_.console_of("short")));
  EXPECT_TRUE(fs::exists(records_.console_of("long")));
}

TEST_F(AMatrix, BeginsNothingOnceItIsOver) {
  const auto results = run([&](std::size_t at, const auto&) -> Expected<KernelRun> {
    is_over_ = true;
    return KernelRun{.ending = Ending::interrupted,
                     .reason = "interrupted",
                     .exit_code = 130,
                     .record = record_of(kernels_[at].label, "conforms", true)};
  });
  EXPECT_EQ(results[1].kind, Kind::ran);
  EXPECT_EQ(kept("long"), record_of("long", "conforms", true)) << "what it had is kept";
  EXPECT_EQ(results[0].kind, Kind::left);
  EXPECT_EQ(results[2].kind, Kind::left);
  EXPECT_EQ(summary(results), "3 kernels: 2 not run, 1 ended with 130");
}

TEST(ExitCodeOfAMatrix, IsTheWorst) {
  const auto code_of = [](std::vector<int> codes) {
    std::vector<MatrixResult> results;
    for (const int code : codes) results.push_back({.exit_code = code});
    return exit_code(results);
  };
  EXPECT_EQ(code_of({}), 0);
  EXPECT_EQ(code_of({0, 4, 0}), 4);
  EXPECT_EQ(code_of({4, 64}), 64);
  EXPECT_EQ(code_of({70, 4}), 70);
  EXPECT_EQ(code_of({70, 124}), 124);
  EXPECT_EQ(code_of({124, 1, 70, 4}), 1);
}

}  // namespace
}  // namespace devmap::vm
