#include <harness/spec/known_facts.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace devmap {
namespace {

/// A feature with a probe that counts its calls.
Feature counting(std::string name, Presence presence, int& calls) {
  return {.name = std::move(name), .probe = [presence, &calls] {
            ++calls;
            return Fact{presence, "as probed"};
          }};
}

TEST(KnownFacts, ProbesForAPresentFeatureOnce) {
  const auto facts = KnownFacts::about({"b", "a", "b"}).value();
  int calls = 0;
  const Feature feature = counting("b", Presence::present, calls);
  EXPECT_EQ(facts.find(feature).presence, Presence::present);
  EXPECT_EQ(facts.find(feature).presence, Presence::present);
  EXPECT_EQ(calls, 1);
  int others = 0;
  EXPECT_EQ(facts.find(counting("a", Presence::present, others)).presence, Presence::present);
  EXPECT_EQ(others, 1) << "the fact of one feature is none about another";
}

TEST(KnownFacts, ProbesAgainWhereAFeatureWasNotFound) {
  const auto facts = KnownFacts::about({"a"}).value();
  for (const auto presence : {Presence::absent, Presence::could_not_tell}) {
    int calls = 0;
    const Feature feature = counting("a", presence, calls);
    EXPECT_EQ(facts.find(feature).presence, presence);
    EXPECT_EQ(facts.find(feature).text, "as probed");
    EXPECT_EQ(calls, 2);
  }
}

TEST(KnownFacts, ProbesForWhatItIsNotAbout) {
  const auto facts = KnownFacts::about({}).value();
  int calls = 0;
  const Feature feature = counting("a", Presence::present, calls);
  EXPECT_EQ(facts.find(feature).presence, Presence::present);
  EXPECT_EQ(facts.find(feature).presence, Presence::present);
  EXPECT_EQ(calls, 2);
}

TEST(KnownFacts, AreSharedWithChildren) {
  const auto facts = KnownFacts::about({"a"}).value();
  int calls = 0;
  const Feature feature = counting("a", Presence::present, calls);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) _exit(facts.find(feature).presence == Presence::present && calls == 1 ? 0 : 1);
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0) << "the child probed";
  EXPECT_EQ(facts.find(feature).presence, Presence::present);
  EXPECT_EQ(calls, 0);
}

}  // namespace
}  // namespace devmap
