#include <vm/recorded_run.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace devmap::vm {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

std::string record(const std::string& verdict, const std::string& version = "#1 SMP Debian 6.1.192-2 (2026-11-20)") {
  return R"({"schema_version": 1, "suite": {"version": "0.1.0", "commit": "c"}, "context": {"release":
    "6.1.0-56-cloud-amd64", "kernel_label": "6.1", "version": ")" +
         version + R"(", "duration_ms": 54000.5, "partial": false}, "summary": {},
    "results": [{"rule": "a.b", "variant": "devmap/v4", "verdict": ")" +
         verdict + R"(", "expected": "x", "observed": "y", "reason": "z"},
                {"rule": "a.b", "variant": "devmap/v8", "verdict": "conforms"}]})";
}

TEST(RecordedRun, HasWhatTheRecordSays) {
  const auto run = RecordedRun::parse(record("deviates"), "6.1.json");
  ASSERT_TRUE(run) << run.error().text();
  EXPECT_EQ(run->label, "6.1");
  EXPECT_EQ(run->release, "6.1.0-56-cloud-amd64");
  EXPECT_DOUBLE_EQ(run->duration_ms, 54000.5);
  EXPECT_FALSE(run->partial);
  ASSERT_EQ(run->results.size(), 2U);
  EXPECT_EQ(run->results[0].rule, "a.b");
  EXPECT_EQ(run->results[0].variant, "devmap/v4");
  EXPECT_EQ(run->results[0].expected, "x");
  EXPECT_EQ(run->results[0].observed, "y");
  EXPECT_EQ(run->results[0].reason, "z");
  EXPECT_THAT(run->counts(), ElementsAre(Pair(Verdict::conforms, 1), Pair(Verdict::deviates, 1)));
}

TEST(RecordedRun, KnowsTheKernelsNumber) {
  EXPECT_EQ(RecordedRun::parse(record("absent"), "x")->kernel_version(), (KernelVersion{6, 1, 192}));
  EXPECT_EQ(RecordedRun::parse(record("absent", "#1 SMP Debian 7.3~rc7-1~exp1 (x)"), "x")->kernel_version(),
            (KernelVersion{7, 3, 0}));
  EXPECT_EQ(RecordedRun::parse(record("absent", "#7 SMP of my own"), "x")->kernel_version(), (KernelVersion{6, 1, 0}));
}

TEST(RecordedRun, ThatCannotBeReadIsNamed) {
  for (const auto& text : {std::string(), std::string("[]"), record("deviates").substr(0, 300), record("delights"),
                           std::string(R"({"schema_version": 2})")}) {
    const auto run = RecordedRun::parse(text, "6.1.json");
    ASSERT_FALSE(run) << text;
    EXPECT_THAT(run.error().text(), HasSubstr("6.1.json"));
  }
}

}  // namespace
}  // namespace devmap::vm
