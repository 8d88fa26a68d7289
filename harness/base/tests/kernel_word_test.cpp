#include <harness/base/kernel_word.hpp>

#include <gtest/gtest.h>

namespace devmap {
namespace {

TEST(KernelWord, IsToldByTheMachine) {
  for (const auto* const machine : {"x86_64", "aarch64", "ppc64le", "riscv64", "s390x"}) {
    EXPECT_EQ(pointer_size_on(machine), 8U) << machine;
  }
  for (const auto* const machine : {"i686", "i386", "armv7l", "armv8l"}) EXPECT_EQ(pointer_size_on(machine), 4U);
}

TEST(KernelWord, OfThisKernelIsNoSmallerThanThisPrograms) {
  EXPECT_GE(kernel_pointer_size(), sizeof(void*));
}

}  // namespace
}  // namespace devmap
