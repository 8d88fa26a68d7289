#include <bench/tests/child_process.hpp>
#include <harness/bpf/tests/kernel_fixture.hpp>
#include <vm/process.hpp>

#include <gmock/gmock.h>
#include <csignal>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

namespace devmap::bench {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using RoundsRun = devmap::testing_support::BpfTest;

vm::Invocation rounds(const std::string& processes) {
  return {.program = DEVMAP_BENCH_PROGRAM,
          .arguments = {"rounds", "--despite-obstacles", "--patience", "0", "--filter", "^lookup/devmap/64$",
                        "--processes", processes, "--rounds", "1", "-o", "-"}};
}

TEST_F(RoundsRun, GivesARecordOfWhatWasChosenAndItsBaselines) {
  const auto finished = vm::run(rounds("2"));
  ASSERT_TRUE(finished.has_value());
  ASSERT_EQ(finished->exit_code, 0) << finished->err;
  const auto record = json::parse(finished->out);
  std::set<std::string> names;
  for (const auto& figure : record.at("benchmarks")) {
    names.insert(figure.at("name"));
    EXPECT_EQ(figure.at("taken"), 4);
  }
  EXPECT_EQ(names, (std::set<std::string>{"lookup/array/64", "lookup/devmap/64"}));
  for (const auto* const fact :
       {"kernel", "configuration", "jit", "mitigations", "cpu", "clock", "suite_commit", "seed"}) {
    EXPECT_TRUE(record.at("context").contains(fact)) << fact;
  }
}

TEST_F(RoundsRun, KeepsWhatItHasWhenItIsInterrupted) {
  auto process = vm::Process::start(rounds("1000"));
  ASSERT_TRUE(process.has_value());
  // The process that measures is the sign that it takes signals.
  ASSERT_TRUE(testing_support::await_child(*process, "worker"));
  process->send(SIGINT);
  const auto finished = process->wait();
  EXPECT_EQ(finished.exit_code, 128 + SIGINT) << finished.err;
  EXPECT_EQ(json::parse(finished.out).at("context").at("partial"), "true");
}

}  // namespace
}  // namespace devmap::bench
