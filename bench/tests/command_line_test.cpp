#include <vm/process.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace devmap::bench {
namespace {

using testing::HasSubstr;

vm::Finished devmap_bench(std::vector<std::string> arguments) {
  auto finished = vm::run({.program = DEVMAP_BENCH_PROGRAM, .arguments = std::move(arguments)});
  EXPECT_TRUE(finished.has_value());
  return finished.value_or(vm::Finished{});
}

TEST(CommandLine, ListsWithoutPrivileges) {
  const auto listed = devmap_bench({"--benchmark_list_tests"});
  EXPECT_EQ(listed.exit_code, 0);
  EXPECT_THAT(listed.out, HasSubstr("lookup/devmap_hash/65536/manual_time\n"));
  EXPECT_EQ(listed.err, "");
}

TEST(CommandLine, HelpsWithItsOwnFlagsAndThoseOfGoogleBenchmark) {
  const auto helped = devmap_bench({"--help"});
  EXPECT_EQ(helped.exit_code, 0);
  EXPECT_THAT(helped.out, HasSubstr("--despite-obstacles"));
  EXPECT_THAT(helped.out, HasSubstr("--benchmark_out"));
}

TEST(CommandLine, RefusesWordsItDoesNotKnow) {
  const auto refused = devmap_bench({"--no-such-flag"});
  EXPECT_EQ(refused.exit_code, 64);
  EXPECT_THAT(refused.err, HasSubstr("--no-such-flag"));
}

}  // namespace
}  // namespace devmap::bench
