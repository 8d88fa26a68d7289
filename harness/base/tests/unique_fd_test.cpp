#include <harness/base/unique_fd.hpp>

#include <fcntl.h>
#include <gtest/gtest.h>

#include <type_traits>

namespace devmap {
namespace {

static_assert(!std::is_copy_constructible_v<UniqueFd> && !std::is_copy_assignable_v<UniqueFd>);
static_assert(std::is_nothrow_move_constructible_v<UniqueFd> && std::is_nothrow_move_assignable_v<UniqueFd>);

int open_null() {
  return open("/dev/null", O_RDONLY | O_CLOEXEC);
}
bool is_open(int fd) {
  return fcntl(fd, F_GETFD) != -1;
}

TEST(UniqueFd, HoldsNothingByDefault) {
  const UniqueFd none;
  EXPECT_FALSE(none);
  EXPECT_EQ(none.get(), -1);
  EXPECT_FALSE(UniqueFd(-1));
}

TEST(UniqueFd, ClosesWhatItHolds) {
  const int fd = open_null();
  {
    const UniqueFd owner(fd);
    EXPECT_TRUE(owner);
    EXPECT_TRUE(is_open(fd));
  }
  EXPECT_FALSE(is_open(fd));
}

TEST(UniqueFd, TakesDescriptorZeroForOne) {
  // Not closed here: it is the test program's own standard input.
  UniqueFd zero(0);
  EXPECT_TRUE(zero);
  EXPECT_EQ(zero.release(), 0);
}

TEST(UniqueFd, MovesWithoutClosing) {
  const int fd = open_null();
  UniqueFd first(fd);
  const UniqueFd second(std::move(first));
  EXPECT_EQ(first.get(), -1);  // NOLINT(bugprone-use-after-move): what is left is the point
  EXPECT_EQ(second.get(), fd);
  EXPECT_TRUE(is_open(fd));
}

TEST(UniqueFd, ClosesWhatAMoveReplaces) {
  const int replaced = open_null();
  const int kept = open_null();
  UniqueFd target(replaced);
  target = UniqueFd(kept);
  EXPECT_FALSE(is_open(replaced));
  EXPECT_EQ(target.get(), kept);
  EXPECT_TRUE(is_open(kept));
}

TEST(UniqueFd, SurvivesBeingMovedToItself) {
  UniqueFd owner(open_null());
  UniqueFd& itself = owner;
  owner = std::move(itself);
  EXPECT_TRUE(is_open(owner.get()));
}

TEST(UniqueFd, GivesUpWhatItReleases) {
  UniqueFd owner(open_null());
  const UniqueFd again(owner.release());
  EXPECT_FALSE(owner);
  EXPECT_TRUE(is_open(again.get()));
}

TEST(UniqueFd, ResetClosesAndMayTakeAnother) {
  const int first = open_null();
  const int second = open_null();
  UniqueFd owner(first);
  owner.reset(second);
  EXPECT_FALSE(is_open(first));
  EXPECT_EQ(owner.get(), second);
  owner.reset();
  EXPECT_FALSE(is_open(second));
  EXPECT_FALSE(owner);
}

}  // namespace
}  // namespace devmap
