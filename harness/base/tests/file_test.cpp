#include <harness/base/file.hpp>

#include <fcntl.h>
#include <unistd.h>
#include <harness/base/tests/support.hpp>
#include <harness/base/unique_fd.hpp>

#include <array>
#include <cerrno>
#include <thread>

namespace devmap {
namespace {

using testing_support::FailsWith;
using testing_support::fault;
using testing_support::TemporaryDirectory;

TEST(ReadFile, GivesWhatWasWritten) {
  const TemporaryDirectory directory;
  std::string text(100'000, 'x');  // several blocks
  text += '\0';
  text += "the end";
  const UniqueFd made(open(directory.file("f").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  ASSERT_EQ(fault(write_all(made.get(), text)), "");
  const auto content = read_file(directory.file("f"));
  ASSERT_EQ(fault(content), "");
  EXPECT_EQ(*content, text);
}

TEST(ReadFile, ReadsFilesOfUnknownSize) {
  const auto content = read_file("/proc/self/status");
  ASSERT_EQ(fault(content), "");
  EXPECT_TRUE(content->starts_with("Name:"));
  EXPECT_EQ(read_file("/dev/null").value_or("something"), "");
}

TEST(ReadFile, SaysWhichFileAndWhy) {
  const auto missing = read_file("/nonexistent/file");
  EXPECT_THAT(missing, FailsWith(ENOENT));
  EXPECT_EQ(missing.error().call, "open");
  EXPECT_EQ(missing.error().context, "/nonexistent/file");
  const auto directory = read_file("/");
  EXPECT_THAT(directory, FailsWith(EISDIR));
  EXPECT_EQ(directory.error().call, "read");
  EXPECT_EQ(directory.error().context, "/");
}

TEST(WriteAll, ReportsAFullDevice) {
  const UniqueFd full(open("/dev/full", O_WRONLY | O_CLOEXEC));
  EXPECT_THAT(write_all(full.get(), "x"), FailsWith(ENOSPC));
  EXPECT_EQ(fault(write_all(full.get(), "")), "");
}

TEST(WriteAll, ReportsABadDescriptor) {
  EXPECT_THAT(write_all(-1, "x"), FailsWith(EBADF));
  const UniqueFd read_only(open("/dev/null", O_RDONLY | O_CLOEXEC));
  EXPECT_THAT(write_all(read_only.get(), "x"), FailsWith(EBADF));
}

TEST(WriteAll, WritesMoreThanAPipeTakesAtOnce) {
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
  const UniqueFd reading(ends[0]);
  UniqueFd writing(ends[1]);
  const std::string text(1'000'000, 'y');
  std::string got;
  std::thread reader([&] {
    std::array<char, 4096> block;
    for (ssize_t size = 0; (size = read(reading.get(), block.data(), block.size())) > 0;) {
      got.append(block.data(), static_cast<std::size_t>(size));
    }
  });
  const auto written = write_all(writing.get(), text);
  writing.reset();
  reader.join();
  EXPECT_EQ(fault(written), "");
  EXPECT_TRUE(got == text) << got.size() << " bytes";
}

}  // namespace
}  // namespace devmap
