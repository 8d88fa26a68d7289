#include <harness/bpf/syscall.hpp>

#include <gtest/gtest.h>
#include <unistd.h>
#include <harness/bpf/tests/kernel_fixture.hpp>

#include <cerrno>

namespace devmap {
namespace {

TEST(SysBpf, GivesTheErrnoAsANegativeNumber) {
  bpf_attr attr{};
  attr.map_type = BPF_MAP_TYPE_UNSPEC;
  const long result = sys_bpf(BPF_MAP_CREATE, attr);
  // A kernel that keeps BPF from this user does not get as far as the type.
  EXPECT_TRUE(result == -EINVAL || result == -EPERM) << result;
}

using SysBpfTest = testing_support::BpfTest;

TEST_F(SysBpfTest, GivesTheResultOfACallThatWorks) {
  bpf_attr attr{};
  attr.map_type = BPF_MAP_TYPE_ARRAY;
  attr.key_size = attr.value_size = 4;
  attr.max_entries = 1;
  const long fd = sys_bpf(BPF_MAP_CREATE, attr);
  EXPECT_GE(fd, 0);
  EXPECT_EQ(close(static_cast<int>(fd)), 0);
}

TEST(PointerWord, IsTheAddress) {
  const int anything = 0;
  EXPECT_EQ(pointer_word(&anything), reinterpret_cast<std::uintptr_t>(&anything));  // NOLINT(*-reinterpret-cast)
  EXPECT_EQ(pointer_word(nullptr), 0U);
}

}  // namespace
}  // namespace devmap
