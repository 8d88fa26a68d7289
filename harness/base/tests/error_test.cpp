#include <harness/base/error.hpp>

#include <gtest/gtest.h>

#include <cerrno>

namespace devmap {
namespace {

TEST(Errno, HasItsSymbolicName) {
  EXPECT_EQ(errno_name(EINVAL), "EINVAL");
  EXPECT_EQ(errno_name(EOPNOTSUPP), "EOPNOTSUPP");
  EXPECT_EQ(errno_name(524), "ENOTSUPP");
  EXPECT_EQ(errno_name(525), "errno 525");
  EXPECT_EQ(errno_name(-1), "errno -1");
}

TEST(Errno, IsFoundByItsName) {
  EXPECT_EQ(errno_from_name("EINVAL"), EINVAL);
  EXPECT_EQ(errno_from_name("EOPNOTSUPP"), EOPNOTSUPP);
  EXPECT_EQ(errno_from_name("ENOTSUPP"), 524);
  for (const char* none : {"", "einval", "EINVAL ", "ENOSUCHERROR", "0"}) EXPECT_EQ(errno_from_name(none), 0) << none;
}

TEST(Errno, SurvivesItsNameWhereverItHasOne) {
  for (int code = 1; code <= EHWPOISON; ++code) EXPECT_EQ(errno_from_name(errno_name(code)), code);
}

TEST(Errno, IsDescribed) {
  EXPECT_EQ(errno_description(EINVAL), "Invalid argument");
  EXPECT_EQ(errno_description(524), "524, internal to the kernel");
  EXPECT_EQ(errno_description(525), "no description");
}

TEST(Error, SaysCallErrnoAndContext) {
  const struct {
    Error error;
    const char* text;
  } kTable[] = {
      {{"socket", EMFILE, ""}, "socket: EMFILE (Too many open files)"},
      {{"open", ENOENT, "/x"}, "open: ENOENT (No such file or directory): /x"},
      {{"parse", 0, "no number"}, "parse: no number"},
      {{"update", 524, "a"}, "update: ENOTSUPP (524, internal to the kernel): a"},
      {{"ioctl", 999, ""}, "ioctl: errno 999 (no description)"},
  };
  for (const auto& row : kTable) EXPECT_EQ(row.error.text(), row.text);
}

TEST(Error, IsMadeOfTheCurrentErrno) {
  errno = EBUSY;
  const Expected<int> failed = last_error("mount", "somewhere");
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(failed.error().text(), "mount: EBUSY (Device or resource busy): somewhere");
}

TEST(Error, IsMadeOfAGivenErrno) {
  errno = EBUSY;
  const Expected<void> failed = failure("read", EIO);
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(failed.error().code, EIO);
}

}  // namespace
}  // namespace devmap
