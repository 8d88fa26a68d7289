#include <vm/files.hpp>
#include <vm/matrix_plan.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace devmap::vm {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Catalogue catalogue() {
  return Catalogue::
      parse("[guest]\ntransport = []\nmodules = []\n"
            "[[kernel]]\nname = \"a\"\nseries = \"6.1\"\nflavour = \"f\"\nsuites = [\"s\"]\nlabel = \"first\"\n"
            "[[kernel]]\nname = \"b\"\nseries = \"6.12\"\nflavour = \"f\"\nsuites = [\"s\"]\narchitecture = \"s390x\"\n"
            "[[set]]\nname = \"full\"\nkernels = [\"a\", \"b\"]\n",
            "text")
          .value();
}

class MatrixPlan : public testing::Test {
 protected:
  TemporaryDirectory directory_ = TemporaryDirectory::create(testing::TempDir()).value();
};

TEST_F(MatrixPlan, HasTheKernelsOfASet) {
  const auto plan = plan_matrix(catalogue(), "full", {});
  ASSERT_TRUE(plan) << plan.error().text();
  ASSERT_EQ(plan->size(), 2U);
  EXPECT_EQ(plan->at(0).asked, "a");
  EXPECT_EQ(plan->at(0).label, "first");
  EXPECT_EQ(plan->at(1).entry.architecture, "s390x");
  EXPECT_TRUE(has_all_kernels(catalogue(), *plan));
}

TEST_F(MatrixPlan, HasTheKernelsThatAreNamed) {
  const auto image = directory_.path() / "bzImage";
  ASSERT_TRUE(write_to(image, "kernel"));
  const auto plan = plan_matrix(catalogue(), "full", {"b", image.string(), "b"});
  ASSERT_TRUE(plan) << plan.error().text();
  ASSERT_EQ(plan->size(), 2U);
  EXPECT_EQ(plan->at(0).label, "b");
  EXPECT_TRUE(plan->at(1).is_path);
  EXPECT_THAT(plan->at(1).label, testing::EndsWith("bzImage"));
  EXPECT_THAT(plan->at(1).label, testing::Not(HasSubstr("/")));
  EXPECT_FALSE(has_all_kernels(catalogue(), *plan));
  EXPECT_EQ(plan_matrix(catalogue(), "full", {"host"}).value().front().label, "host");
}

TEST_F(MatrixPlan, HasTheKernelsOfAFile) {
  const auto file = directory_.path() / "set.toml";
  ASSERT_TRUE(write_to(file, "kernels = [\"b\"]\n"));
  const auto plan = plan_matrix(catalogue(), file.string(), {});
  ASSERT_TRUE(plan) << plan.error().text();
  ASSERT_EQ(plan->size(), 1U);
  EXPECT_EQ(plan->front().asked, "b");
}

TEST_F(MatrixPlan, SaysWhatIsWrong) {
  EXPECT_THAT(plan_matrix(catalogue(), "none", {}).error().text(), HasSubstr("neither one of full nor a file"));
  EXPECT_THAT(plan_matrix(catalogue(), "full", {"c"}).error().text(), HasSubstr("kernel c"));
  const auto image = directory_.path() / "first";
  ASSERT_TRUE(write_to(image, "kernel"));
  std::filesystem::current_path(directory_.path());
  EXPECT_THAT(plan_matrix(catalogue(), "full", {"a", "first"}).error().text(), HasSubstr("would be that of a"));
  std::filesystem::current_path("/");
}

TEST_F(MatrixPlan, ExpectsTheSlowToTakeLonger) {
  const PlannedKernel usual{.entry = {.series = "6.12", .flavour = "cloud-amd64"}};
  auto real_time = usual;
  real_time.entry.flavour = "rt-amd64";
  auto without_jit = usual;
  without_jit.entry.jit = "off";
  auto newer = usual;
  newer.entry.series = "7.3";
  const auto seconds = expected_seconds(usual, true);
  EXPECT_LT(expected_seconds(usual, false), seconds);
  for (const auto& slower : {real_time, without_jit, newer}) EXPECT_GT(expected_seconds(slower, true), seconds);
}

TEST_F(MatrixPlan, IsAGitHubMatrix) {
  const auto text = github_matrix(plan_matrix(catalogue(), "full", {}).value());
  EXPECT_EQ(text, R"({"include":[{"kernel":"a","label":"first","series":"6.1","architecture":"amd64"},)"
                  R"({"kernel":"b","label":"b","series":"6.12","architecture":"s390x"}]})");
  EXPECT_TRUE(nlohmann::json::accept(text));
}

}  // namespace
}  // namespace devmap::vm
