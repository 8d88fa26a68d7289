#include <harness/base/huge_pages.hpp>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <harness/base/tests/support.hpp>
#include <harness/base/unique_fd.hpp>

#include <algorithm>
#include <stdexcept>
#include <vector>

namespace devmap {
namespace {

using testing_support::fault;

/// A file's content, mapped for reading: two whole huge pages at least, whatever their alignment.
class MappedFile {
 public:
  explicit MappedFile(std::size_t bytes) : content_(bytes) {
    for (std::size_t i = 0; i < bytes; ++i) content_[i] = static_cast<std::byte>(i / 4096 + i % 251);
    const UniqueFd file(memfd_create("mapped", MFD_CLOEXEC));
    if (write(file.get(), content_.data(), bytes) != static_cast<ssize_t>(bytes)) return;
    void* const at = mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, file.get(), 0);
    if (at != MAP_FAILED) memory_ = {static_cast<const std::byte*>(at), bytes};
  }
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile() { munmap(const_cast<std::byte*>(memory_.data()), memory_.size()); }

  [[nodiscard]] std::span<const std::byte> memory() const { return memory_; }
  [[nodiscard]] bool is_unchanged() const { return std::ranges::equal(memory_, content_); }

 private:
  std::vector<std::byte> content_;
  std::span<const std::byte> memory_;
};

long faults() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_minflt;
}

/// How many page faults a child has that reads all of the memory.
long faults_of_child_reading(std::span<const std::byte> memory) {
  int ends[2];
  if (pipe(ends) != 0) return -1;
  const pid_t child = fork();
  if (child == 0) {
    const long before = faults();
    std::byte all{};
    for (std::size_t i = 0; i < memory.size(); i += 4096) all |= static_cast<const volatile std::byte&>(memory[i]);
    const long count = faults() - before;
    _exit(write(ends[1], &count, sizeof count) == sizeof count && all != std::byte{0} ? 0 : 1);
  }
  long count = -1;
  if (read(ends[0], &count, sizeof count) != sizeof count) count = -1;
  waitpid(child, nullptr, 0);
  close(ends[0]);
  close(ends[1]);
  return count;
}

class HugePages : public testing::Test {
 protected:
  void SetUp() override {
    if (huge_page_size() == 0) GTEST_SKIP() << "this kernel gives no huge pages";
  }
};

TEST_F(HugePages, HoldWhatWasMappedFromAFileAtTheSamePlace) {
  const MappedFile file(3 * huge_page_size());
  ASSERT_FALSE(file.memory().empty());
  const auto moved = move_to_huge_pages(file.memory(), PROT_READ);
  ASSERT_EQ(fault(moved), "");
  EXPECT_GE(*moved, 2 * huge_page_size());
  EXPECT_EQ(*moved % huge_page_size(), 0U);
  EXPECT_TRUE(file.is_unchanged());
}

TEST_F(HugePages, SpareAChildItsPageFaults) {
  const MappedFile file(4 * huge_page_size());
  ASSERT_FALSE(file.memory().empty());
  const long before = faults_of_child_reading(file.memory());
  ASSERT_EQ(fault(move_to_huge_pages(file.memory(), PROT_READ)), "");
  // Three of four are whole, if not all; the kernel may have had small pages only, and those are mapped as well.
  EXPECT_LT(faults_of_child_reading(file.memory()), before / 2);
}

TEST_F(HugePages, AreNotUsedForLess) {
  const MappedFile file(huge_page_size() - 4096);
  ASSERT_FALSE(file.memory().empty());
  const auto moved = move_to_huge_pages(file.memory(), PROT_READ);
  ASSERT_EQ(fault(moved), "");
  EXPECT_EQ(*moved, 0U);
  EXPECT_TRUE(file.is_unchanged());
}

TEST(ProgramOnHugePages, StillRunsAndCatchesWhatItThrows) {
  const auto use = [] {
    const auto moved = move_program_to_huge_pages();
    if (!moved || (*moved > 0 && huge_page_size() == 0)) _exit(1);
    try {
      throw std::runtime_error("thrown");
    } catch (const std::runtime_error& caught) {
      _exit(caught.what() == std::string("thrown") ? 0 : 2);
    }
  };
  EXPECT_EXIT(use(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace devmap
