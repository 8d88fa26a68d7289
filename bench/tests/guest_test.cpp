// The instructions of one kernel, as a user counts them.
#include <vm/files.hpp>
#include <vm/process.hpp>

#include <gtest/gtest.h>

#include <harness/base/file.hpp>
#include <harness/base/tests/json_schema.hpp>
#include <nlohmann/json.hpp>
#include <string>

namespace devmap::vm {
namespace {

TEST(Bench, CountsTheSameInBothRuns) {
  if (!DEVMAP_BENCH_IS_STATIC) GTEST_SKIP() << "a guest takes static benchmarks only: scripts/fetch-google-benchmark";
  if (!find_program("qemu-system-x86_64")) GTEST_SKIP() << "QEMU is not on this machine; run: scripts/setup vm";
  const auto fetched = run({.program = DEVMAP_VM_PROGRAM, .arguments = {"fetch", "--missing", "6.1"}});
  ASSERT_TRUE(fetched) << fetched.error().text();
  if (fetched->exit_code != 0) GTEST_SKIP() << "the kernel is neither here nor to be had:\n" << fetched->err;

  const auto records = TemporaryDirectory::create(testing::TempDir());
  ASSERT_TRUE(records) << records.error().text();
  const auto finished =
      run({.program = DEVMAP_VM_PROGRAM,
           .arguments = {"bench", "6.1", "--filter", "^(lookup/devmap/64|harness/lookup|helper/redirect|live/drop)$",
                         "--directory", records->path().string(), "--benchmarks", DEVMAP_BENCH_PROGRAM}});
  ASSERT_TRUE(finished) << finished.error().text();
  EXPECT_EQ(finished->exit_code, 0) << finished->out << finished->err;
  const auto text = read_file((records->path() / "bench-instructions-6.1.json").string());
  ASSERT_TRUE(text) << text.error().text();
  const auto record = nlohmann::json::parse(*text);
  testing_support::JsonSchema schema(DEVMAP_INSTRUCTION_RECORD_SCHEMA);
  EXPECT_EQ(schema.complaints(record), "");
  ASSERT_EQ(record["benchmarks"].size(), 5U);
  for (const auto& one : record["benchmarks"]) EXPECT_TRUE(one.contains("instructions")) << one;
}

}  // namespace
}  // namespace devmap::vm
