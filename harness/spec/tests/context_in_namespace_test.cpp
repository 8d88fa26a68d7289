#include <harness/base/tests/support.hpp>
#include <harness/bpf/features.hpp>
#include <harness/net/netns.hpp>
#include <harness/spec/context.hpp>
#include <harness/spec/preflight.hpp>

namespace devmap {
namespace {

using testing_support::fault;

TEST(RunContext, KnowsOfTheCompilerWhereItsSettingsAreNotSeen) {
  if (const Fact fact = preflight(); fact.presence != Presence::present) GTEST_SKIP() << fact.text;
  const bool is_compiled = features::jit().probe().presence == Presence::present;
  const auto elsewhere = NetNs::create();
  ASSERT_EQ(fault(elsewhere), "");
  RunContext context;
  ASSERT_EQ(fault(elsewhere->run([&] { context = context_of_this_machine(); })), "");
  EXPECT_NE(context.jit, "unknown");
  EXPECT_EQ(context.jit != "off", is_compiled) << context.jit;
}

}  // namespace
}  // namespace devmap
