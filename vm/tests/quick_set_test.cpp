// The suite on the kernels of the quick set, in virtual machines, as a user runs it.
#include <vm/files.hpp>
#include <vm/process.hpp>

#include <gtest/gtest.h>

#include <string>

namespace devmap::vm {
namespace {

TEST(QuickSet, Conforms) {
  if (!DEVMAP_CONFORMANCE_IS_STATIC) GTEST_SKIP() << "a guest takes a static suite only";
  if (!find_program("qemu-system-x86_64")) GTEST_SKIP() << "QEMU is not on this machine; run: scripts/setup vm";
  const auto fetched = run({.program = DEVMAP_VM_PROGRAM, .arguments = {"fetch", "--missing", "--set", "quick"}});
  ASSERT_TRUE(fetched) << fetched.error().text();
  if (fetched->exit_code != 0) GTEST_SKIP() << "kernels are neither here nor to be had:\n" << fetched->err;

  const auto records = TemporaryDirectory::create(testing::TempDir());
  ASSERT_TRUE(records) << records.error().text();
  const auto finished = run({.program = DEVMAP_VM_PROGRAM,
                             .arguments = {"matrix", "--set", "quick", "--directory", records->path().string(),
                                           "--suite", DEVMAP_CONFORMANCE_PROGRAM}});
  ASSERT_TRUE(finished) << finished.error().text();
  EXPECT_EQ(finished->exit_code, 0) << finished->out << finished->err;
}

}  // namespace
}  // namespace devmap::vm
