#include <vm/files.hpp>
#include <vm/kept_records.hpp>
#include <vm/tests/packages.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace devmap::vm {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

std::string record(bool partial) {
  return std::string(
             R"({"schema_version": 1, "context": {"release": "6.1", "kernel_label": "6.1", "duration_ms": 54000,)") +
         R"("partial": )" + (partial ? "true" : "false") + R"(}, "results": []})";
}

class RecordsOfAMatrix : public testing::Test {
 protected:
  TemporaryDirectory directory_ = TemporaryDirectory::create(testing::TempDir()).value();
  KeptRecords records_ = KeptRecords::in(directory_.path() / "records").value();
  RunIdentity identity_ = {.build_id = "b1d", .arguments = {"--chapter", "update"}, .kernel = "6.1.192-2"};
};

TEST_F(RecordsOfAMatrix, AreKeptAndFoundAgain) {
  EXPECT_FALSE(records_.complete("6.1", identity_));
  EXPECT_FALSE(records_.seconds_of("6.1"));
  ASSERT_TRUE(records_.keep("6.1", record(false), identity_, 1));
  EXPECT_EQ(test::content_of(directory_.path() / "records/6.1.json"), record(false));
  const auto complete = records_.complete("6.1", identity_);
  ASSERT_TRUE(complete);
  EXPECT_EQ(complete->run.label, "6.1");
  EXPECT_EQ(complete->exit_code, 1);
  EXPECT_EQ(records_.seconds_of("6.1"), 54.0);
}

TEST_F(RecordsOfAMatrix, OfAnotherRunAreNotTaken) {
  ASSERT_TRUE(records_.keep("6.1", record(false), identity_, 0));
  auto other_suite = identity_;
  other_suite.build_id = "other";
  auto other_arguments = identity_;
  other_arguments.arguments = {};
  auto other_kernel = identity_;
  other_kernel.kernel = "6.1.193-1";
  for (const auto& other : {other_suite, other_arguments, other_kernel}) EXPECT_FALSE(records_.complete("6.1", other));
  EXPECT_FALSE(records_.complete("6.12", identity_));
}

TEST_F(RecordsOfAMatrix, AreNotTakenWhereTheyAreNotWhole) {
  ASSERT_TRUE(records_.keep("6.1", record(true), identity_, 0));
  EXPECT_FALSE(records_.complete("6.1", identity_)) << "checks are missing";
  ASSERT_TRUE(records_.keep("6.1", record(false).substr(0, 50), identity_, 0));
  EXPECT_FALSE(records_.complete("6.1", identity_)) << "the record is cut";
  ASSERT_TRUE(records_.keep("6.1", record(false), identity_, 0));
  for (const auto* const state : {"", "[]", "{}"}) {
    ASSERT_TRUE(write_to(directory_.path() / "records/.state/6.1.json", state));
    EXPECT_FALSE(records_.complete("6.1", identity_)) << state;
  }
}

TEST_F(RecordsOfAMatrix, OfASuiteWithoutABuildIdAreNotTaken) {
  identity_.build_id.clear();
  ASSERT_TRUE(records_.keep("6.1", record(false), identity_, 0));
  EXPECT_FALSE(records_.complete("6.1", identity_));
}

TEST_F(RecordsOfAMatrix, NeedADirectory) {
  ASSERT_TRUE(write_to(directory_.path() / "file", ""));
  const auto records = KeptRecords::in(directory_.path() / "file");
  ASSERT_FALSE(records);
  EXPECT_THAT(records.error().text(), HasSubstr((directory_.path() / "file").string()));
}

TEST(BuildId, IsThatOfAnExecutable) {
  const auto id = build_id_of(test::content_of("/proc/self/exe"));
  EXPECT_EQ(id.size(), 40U) << id;
  EXPECT_EQ(build_id_of(""), "");
  EXPECT_EQ(build_id_of("#!/bin/sh\n"), "");
}

}  // namespace
}  // namespace devmap::vm
