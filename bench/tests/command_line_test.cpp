#include <vm/process.hpp>

#include <unistd.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
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

TEST(CommandLine, RefusesWhatRoundsCannotChoose) {
  EXPECT_EQ(devmap_bench({"rounds", "--filter", "("}).exit_code, 64);
  const auto nothing = devmap_bench({"rounds", "--filter", "^no such$"});
  EXPECT_EQ(nothing.exit_code, 64);
  EXPECT_THAT(nothing.err, HasSubstr("no benchmark fits"));
  EXPECT_EQ(devmap_bench({"rounds", "--processes", "0"}).exit_code, 64);
  EXPECT_EQ(devmap_bench({"worker", "--descriptor", "1", "no such"}).exit_code, 64);
}

/// Two files of records, gone with the test.
class CompareCommand : public testing::Test {
 protected:
  std::string file(const std::string& name, const std::string& text) const {
    const auto path = directory_ / name;
    std::ofstream(path) << text;
    return path;
  }
  static std::string record(double each) {
    return fmt::format(
        R"({{"schema_version": 1, "layer": "time", "context": {{"kernel": "{}"}},
            "benchmarks": [{{"name": "live/path", "status": "reliable",
                             "samples": [{}, {}, {}, {}, {}, {}, {}, {}]}}]}})",
        each, each, each + 0.1, each + 0.2, each + 0.3, each + 0.4, each + 0.5, each + 0.6, each + 0.7);
  }
  void SetUp() override { std::filesystem::create_directories(directory_); }
  void TearDown() override { std::filesystem::remove_all(directory_); }

 private:
  std::filesystem::path directory_ =
      std::filesystem::temp_directory_path() / fmt::format("devmap-bench-compare-{}", getpid());
};

TEST_F(CompareCommand, EndsWithOneOnARegression) {
  const auto before = file("before", record(100));
  const auto slower = file("slower", record(110));
  const auto regression = devmap_bench({"compare", before, slower});
  EXPECT_EQ(regression.exit_code, 1);
  EXPECT_THAT(regression.out, HasSubstr("live/path  SLOWER     1.100 ["));
  EXPECT_THAT(regression.err, HasSubstr("differ in kernel"));
  EXPECT_EQ(devmap_bench({"compare", slower, before}).exit_code, 0);
  EXPECT_EQ(devmap_bench({"compare", before, before}).exit_code, 0);
  EXPECT_EQ(devmap_bench({"compare", before, slower, "--threshold", "15"}).exit_code, 0);
}

std::string counts(double lookup) {
  return fmt::format(
      R"({{"schema_version": 1, "layer": "instructions", "context": {{"kernel": "{0}"}},
          "benchmarks": [{{"name": "lookup/devmap/64", "instructions": {0}, "per": "operation"}}]}})",
      lookup);
}

TEST_F(CompareCommand, TakesRecordsOfInstructions) {
  const auto before = file("before", counts(2000));
  const auto more = file("more", counts(2006));
  const auto regression = devmap_bench({"compare", before, more});
  EXPECT_EQ(regression.exit_code, 1);
  EXPECT_THAT(regression.out, HasSubstr("lookup/devmap/64  MORE       2000 -> 2006  +0.30 %"));
  EXPECT_THAT(regression.out, HasSubstr("1 more, 0 less, 0 the same, 0 undecided"));
  EXPECT_THAT(regression.err, HasSubstr("differ in kernel"));
  EXPECT_EQ(devmap_bench({"compare", more, before}).exit_code, 0);
  EXPECT_EQ(devmap_bench({"compare", before, file("little", counts(2004))}).exit_code, 0);
  EXPECT_EQ(devmap_bench({"compare", before, more, "--threshold", "1"}).exit_code, 0);
  const auto mixed = devmap_bench({"compare", before, file("time", record(100))});
  EXPECT_EQ(mixed.exit_code, 70);
  EXPECT_THAT(mixed.err, HasSubstr("it is none of the instruction layer"));
}

TEST(CommandLine, ListsWhatIsCountedWithoutPrivileges) {
  const auto listed = devmap_bench({"instructions", "--list", "--filter", "^lookup/devmap/"});
  EXPECT_EQ(listed.exit_code, 0);
  EXPECT_EQ(listed.out, "lookup/devmap/1\nlookup/devmap/64\nlookup/devmap/4096\n");
  EXPECT_EQ(devmap_bench({"instructions", "--filter", "("}).exit_code, 64);
  EXPECT_EQ(devmap_bench({"instructions", "--filter", "no such"}).exit_code, 64);
}

TEST_F(CompareCommand, SaysWhatItCannotRead) {
  const auto good = file("good", record(100));
  const auto cut = file("cut", record(100).substr(0, 60));
  const auto unreadable = devmap_bench({"compare", good, cut});
  EXPECT_EQ(unreadable.exit_code, 70);
  EXPECT_THAT(unreadable.err, HasSubstr(cut));
  EXPECT_EQ(devmap_bench({"compare", good, "/no/such/file"}).exit_code, 70);
  EXPECT_EQ(devmap_bench({"compare", good}).exit_code, 64);
  const auto empty = file("empty", R"({"schema_version": 1, "layer": "time", "context": {}, "benchmarks": []})");
  EXPECT_EQ(devmap_bench({"compare", empty, empty}).exit_code, 4);
}

}  // namespace
}  // namespace devmap::bench
