#include <harness/spec/context.hpp>

#include <gmock/gmock.h>
#include <sys/utsname.h>

#include <bit>

namespace devmap {
namespace {

TEST(RunContext, DescribesThisMachine) {
  const auto context = context_of_this_machine();
  utsname names{};
  ASSERT_EQ(uname(&names), 0);
  EXPECT_EQ(context.release, names.release);
  EXPECT_EQ(context.kernel_label, names.release);
  EXPECT_EQ(context.machine, names.machine);
  EXPECT_THAT(context.jit, testing::AnyOf("on", "off", "hardened", "unknown"));
  EXPECT_GT(context.cpus, 0U);
  EXPECT_TRUE(std::has_single_bit(static_cast<unsigned long>(context.page_size)));
  EXPECT_THAT(context.started, testing::MatchesRegex("....-..-..T..:..:..Z"));
  EXPECT_FALSE(context.partial);
}

TEST(SuiteIdentity, IsThatOfTheBuild) {
  const auto suite = suite_of_this_build();
  EXPECT_THAT(suite.version, testing::MatchesRegex("[0-9]+\\.[0-9]+\\.[0-9]+"));
  EXPECT_FALSE(suite.commit.empty());
}

}  // namespace
}  // namespace devmap
