#include <harness/record/run_stream.hpp>

#include <harness/base/file.hpp>
#include <harness/base/tests/support.hpp>

#include <fcntl.h>
#include <csignal>

namespace devmap {
namespace {

using testing_support::fault;
using testing_support::TemporaryDirectory;

class RunStreamTest : public testing::Test {
 protected:
  TemporaryDirectory directory_;
};

TEST_F(RunStreamTest, HandsOnEachLineAtOnce) {
  const auto file = directory_.file("stream");
  auto stream = RunStream::open(file);
  ASSERT_EQ(fault(stream), "");
  stream->write("a\n");
  EXPECT_EQ(read_file(file).value(), "a\n");
  stream->write("b\n");
  EXPECT_EQ(read_file(file).value(), "a\nb\n");
  EXPECT_EQ(stream->lost(), std::nullopt);
}

TEST_F(RunStreamTest, ReplacesWhatWasThere) {
  const auto file = directory_.file("stream");
  RunStream::open(file).value().write("an earlier one\n");
  RunStream::open(file).value().write("a\n");
  EXPECT_EQ(read_file(file).value(), "a\n");
}

TEST_F(RunStreamTest, SaysThatLinesWereLost) {
  auto full = RunStream::open("/dev/full");
  ASSERT_EQ(fault(full), "");
  full->write("a\n");
  full->write("b\n");
  ASSERT_TRUE(full->lost().has_value());
  EXPECT_EQ(full->lost()->code, ENOSPC);
  EXPECT_EQ(full->lost()->context, "/dev/full");
}

TEST_F(RunStreamTest, CannotBeWrittenNowhere) {
  EXPECT_THAT(fault(RunStream::open(directory_.file("none/stream"))), testing::HasSubstr("ENOENT"));
}

}  // namespace
}  // namespace devmap
