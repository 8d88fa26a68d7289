#include <harness/base/guarded_page.hpp>

#include <fcntl.h>
#include <unistd.h>
#include <harness/base/tests/support.hpp>
#include <harness/base/unique_fd.hpp>

#include <algorithm>
#include <array>
#include <cerrno>

namespace devmap {
namespace {

using testing_support::fault;

class GuardedPageTest : public testing::Test {
 protected:
  void SetUp() override {
    std::array<int, 2> ends{};
    ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
    reading_.reset(ends[0]);
    writing_.reset(ends[1]);
  }
  /// What the kernel says when it reads this memory: 0 or an errno.
  [[nodiscard]] int read_by_kernel(const std::byte* from, std::size_t bytes) const {
    return write(writing_.get(), from, bytes) == static_cast<ssize_t>(bytes) ? 0 : errno;
  }
  UniqueFd reading_, writing_;
};

TEST_F(GuardedPageTest, CanBeUsedToItsLastByte) {
  const auto page = GuardedPage::create();
  ASSERT_EQ(fault(page), "");
  const auto last = page->last(8);
  ASSERT_EQ(last.size(), 8U);
  EXPECT_EQ(last.data() + 8, page->end());
  std::ranges::fill(last, std::byte{7});
  EXPECT_EQ(read_by_kernel(last.data(), 8), 0);
}

TEST_F(GuardedPageTest, CannotBeUsedBeyond) {
  const auto page = GuardedPage::create();
  ASSERT_EQ(fault(page), "");
  EXPECT_EQ(read_by_kernel(page->end(), 1), EFAULT);
}

TEST_F(GuardedPageTest, Moves) {
  auto page = GuardedPage::create();
  ASSERT_EQ(fault(page), "");
  const auto* const end = page->end();
  const GuardedPage moved(std::move(*page));
  EXPECT_EQ(moved.end(), end);
  EXPECT_EQ(read_by_kernel(moved.last(1).data(), 1), 0);
}

}  // namespace
}  // namespace devmap
