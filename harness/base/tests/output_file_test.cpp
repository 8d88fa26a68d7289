#include <harness/base/output_file.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <harness/base/capabilities.hpp>
#include <harness/base/file.hpp>
#include <harness/base/tests/support.hpp>
#include <harness/base/unique_fd.hpp>

#include <cerrno>
#include <thread>

namespace devmap {
namespace {

using testing_support::FailsWith;
using testing_support::fault;
using testing_support::TemporaryDirectory;

class OutputFileTest : public testing::Test {
 protected:
  static void put(const std::string& file, std::string_view text) {
    const UniqueFd made(open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    ASSERT_EQ(fault(write_all(made.get(), text)), "");
  }
  static std::string content(const std::string& file) { return read_file(file).value_or("cannot be read"); }
  [[nodiscard]] std::size_t files() const {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator(directory_.path()), std::filesystem::directory_iterator()));
  }
  /// As a user whom permissions bind, as they do not bind root.
  static void bound_by_permissions(const std::function<void()>& part) {
    ASSERT_EQ(fault(with_capabilities({}, part)), "");
  }

  TemporaryDirectory directory_;
  std::string file_ = directory_.file("out");
};

TEST_F(OutputFileTest, IsMade) {
  EXPECT_EQ(fault(check_writable(file_)), "");
  EXPECT_EQ(files(), 0U) << "asking must not make it";
  EXPECT_EQ(fault(write_file(file_, "text")), "");
  EXPECT_EQ(content(file_), "text");
  EXPECT_EQ(files(), 1U);
}

TEST_F(OutputFileTest, IsReplacedInOneStep) {
  put(file_, "something longer than what comes");
  const UniqueFd reader(open(file_.c_str(), O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(fault(check_writable(file_)), "");
  EXPECT_EQ(content(file_), "something longer than what comes");
  EXPECT_EQ(fault(write_file(file_, "text")), "");
  EXPECT_EQ(content(file_), "text");
  EXPECT_EQ(files(), 1U);
  // Who had it open still reads the old one whole.
  struct stat old{};
  ASSERT_EQ(fstat(reader.get(), &old), 0);
  EXPECT_EQ(old.st_size, 32);
}

TEST_F(OutputFileTest, ReportsAFullDeviceAndLeavesIt) {
  EXPECT_EQ(fault(check_writable("/dev/full")), "");
  const auto written = write_file("/dev/full", "text");
  EXPECT_THAT(written, FailsWith(ENOSPC));
  EXPECT_EQ(written.error().context, "/dev/full");
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/full"));
}

TEST_F(OutputFileTest, MayBeADevice) {
  EXPECT_EQ(fault(write_file("/dev/null", "text")), "");
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
}

TEST_F(OutputFileTest, MayBeANamedPipe) {
  ASSERT_EQ(mkfifo(file_.c_str(), 0600), 0);
  std::string got;
  std::thread reader([&] { got = content(file_); });
  const auto written = write_file(file_, "text");
  reader.join();
  EXPECT_EQ(fault(written), "");
  EXPECT_EQ(got, "text");
  EXPECT_TRUE(std::filesystem::is_fifo(file_));
}

TEST_F(OutputFileTest, IsWrittenThroughASymbolicLink) {
  const auto target = directory_.file("target");
  put(target, "something longer than what comes");
  std::filesystem::create_symlink(target, file_);
  EXPECT_EQ(fault(write_file(file_, "text")), "");
  EXPECT_TRUE(std::filesystem::is_symlink(file_));
  EXPECT_EQ(content(target), "text");
}

TEST_F(OutputFileTest, IsNoDirectory) {
  EXPECT_THAT(check_writable(directory_.path()), FailsWith(EISDIR));
  EXPECT_THAT(write_file(directory_.path(), "text"), FailsWith(EISDIR));
}

TEST_F(OutputFileTest, IsInADirectoryThatExists) {
  const auto file = directory_.file("none/out");
  EXPECT_THAT(check_writable(file), FailsWith(ENOENT));
  EXPECT_THAT(write_file(file, "text"), FailsWith(ENOENT));
}

TEST_F(OutputFileTest, IsInADirectoryThatMayBeWritten) {
  put(file_, "old");
  ASSERT_EQ(chmod(directory_.path().c_str(), 0500), 0);
  bound_by_permissions([&] {
    EXPECT_THAT(check_writable(directory_.file("new")), FailsWith(EACCES));
    EXPECT_THAT(write_file(directory_.file("new"), "text"), FailsWith(EACCES));
    // It could be written itself, but not be replaced; who asks before must hear of it.
    EXPECT_THAT(check_writable(file_), FailsWith(EACCES));
    EXPECT_THAT(write_file(file_, "text"), FailsWith(EACCES));
  });
  EXPECT_EQ(content(file_), "old");
  ASSERT_EQ(chmod(directory_.path().c_str(), 0700), 0);
}

TEST_F(OutputFileTest, IsNotReplacedWhereItIsReadOnly) {
  put(file_, "old");
  ASSERT_EQ(chmod(file_.c_str(), 0400), 0);
  bound_by_permissions([&] { EXPECT_THAT(check_writable(file_), FailsWith(EACCES)); });
}

TEST_F(OutputFileTest, MayBeStandardOutput) {
  EXPECT_EQ(fault(check_writable("-")), "");
  testing::internal::CaptureStdout();
  std::fputs("before, ", stdout);
  const auto written = write_file("-", "after");
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "before, after");
  EXPECT_EQ(fault(written), "");
  EXPECT_FALSE(std::filesystem::exists("-"));
}

}  // namespace
}  // namespace devmap
