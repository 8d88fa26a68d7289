#include <harness/spec/preflight.hpp>

#include <sys/stat.h>
#include <harness/base/capabilities.hpp>
#include <harness/base/tests/support.hpp>

namespace devmap {
namespace {

using testing_support::fault;

ino_t namespace_of_this_thread() {
  struct stat facts{};
  return stat("/proc/thread-self/ns/net", &facts) == 0 ? facts.st_ino : 0;
}

TEST(Preflight, ChangesNothingHere) {
  const auto before = namespace_of_this_thread();
  const Fact fact = preflight();
  EXPECT_EQ(namespace_of_this_thread(), before);
  EXPECT_NE(fact.presence, Presence::could_not_tell) << fact.text;
  EXPECT_FALSE(fact.text.empty());
}

TEST(Preflight, PassesForWhoMayDoAll) {
  const Fact fact = preflight();
  if (fact.presence != Presence::present) GTEST_SKIP() << fact.text;
  EXPECT_EQ(fact.text, "a network namespace and a device map can be made");
}

TEST(Preflight, NamesTheFirstThingThatIsMissing) {
  Fact fact;
  ASSERT_EQ(fault(with_capabilities({}, [&] { fact = preflight(); })), "");
  EXPECT_EQ(fact.presence, Presence::absent);
  EXPECT_THAT(fact.text, testing::StartsWith("no network namespace can be made: unshare(CLONE_NEWNET): EPERM"));
}

}  // namespace
}  // namespace devmap
