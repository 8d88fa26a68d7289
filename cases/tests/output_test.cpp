// Where results go, and that none are lost when they cannot go there.

#include <cases/tests/results.hpp>
#include <cases/tests/suite.hpp>

#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <filesystem>
#include <harness/base/file.hpp>
#include <harness/base/unique_fd.hpp>

namespace devmap::test {
namespace {

using testing::HasSubstr;

void expect_results_printed_and_output_lost(const Finished& finished, const std::string& file, const char* why) {
  EXPECT_EQ(finished.exit_code, 70) << finished.err;
  EXPECT_THAT(finished.out, HasSubstr(": 1 conforms\n"));
  EXPECT_EQ(lines_of(finished.err).size(), 1U) << finished.err;
  EXPECT_THAT(finished.err, HasSubstr(why));
  EXPECT_THAT(finished.err, HasSubstr(file));
}

TEST(Output, UnwritableFileDoesNotCostTheResults) {
  NEED_PRIVILEGE();
  const std::string file = "/no/such/directory/results.json";
  expect_results_printed_and_output_lost(run(calibration({"conforms"}, {"--output=json:" + file})), file, "ENOENT");
}

TEST(Output, DirectoryIsNoFile) {
  NEED_PRIVILEGE();
  const TemporaryDirectory directory;
  expect_results_printed_and_output_lost(run(calibration({"conforms"}, {"--output=json:" + directory.path()})),
                                         directory.path(), "EISDIR");
}

TEST(Output, UnwritableFileDoesNotHideADeviation) {
  NEED_PRIVILEGE();
  EXPECT_EQ(run(calibration({"deviates"}, {"--output=json:/no/such/directory/results.json"})).exit_code, 1);
}

TEST(Output, FullDeviceDoesNotCostTheResults) {
  NEED_PRIVILEGE();
  expect_results_printed_and_output_lost(run(calibration({"conforms"}, {"--output=json:/dev/full"})), "/dev/full",
                                         "ENOSPC");
}

/// Writes to a file until its file system is full.
void fill(const std::string& file) {
  const UniqueFd filler(open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  const std::string block(4096, 'x');
  while (write_all(filler.get(), block)) {
  }
}

TEST(Output, FullDiskLeavesTheEarlierFileWhole) {
  NEED_PRIVILEGE();
  const TemporaryDirectory directory;
  ASSERT_TRUE(make_own_mount_table());
  ASSERT_EQ(mount("none", directory.path().c_str(), "tmpfs", 0, "size=256k"), 0);
  const auto file = directory.file("results.json");
  const Command command = calibration({"conforms"}, {"--output=json:" + file});
  ASSERT_EQ(run(command).exit_code, 0);
  const auto earlier = content_of(file);
  ASSERT_FALSE(earlier.empty());

  fill(directory.file("filler"));
  expect_results_printed_and_output_lost(run(command), file, "ENOSPC");
  EXPECT_EQ(content_of(file), earlier);
  EXPECT_THAT(directory.names(), testing::ElementsAre("filler", "results.json"));
  EXPECT_EQ(umount2(directory.path().c_str(), MNT_DETACH), 0);
}

TEST(Output, EarlierFileIsReplacedAndNothingIsLeftBesideIt) {
  NEED_PRIVILEGE();
  const TemporaryDirectory directory;
  write_to(directory.file("results.json"), std::string(100'000, 'x'));
  ASSERT_EQ(run(calibration({"conforms"}, {"--output=json:" + directory.file("results.json")})).exit_code, 0);
  EXPECT_EQ(verdicts_in(Format::json, content_of(directory.file("results.json"))).size(), 1U);
  EXPECT_THAT(directory.names(), testing::ElementsAre("results.json"));
}

TEST(Output, SymbolicLinkStaysOne) {
  NEED_PRIVILEGE();
  const TemporaryDirectory directory;
  write_to(directory.file("target.json"), "earlier");
  std::filesystem::create_symlink("target.json", directory.file("link.json"));
  ASSERT_EQ(run(calibration({"conforms"}, {"--output=json:" + directory.file("link.json")})).exit_code, 0);
  EXPECT_TRUE(std::filesystem::is_symlink(directory.file("link.json")));
  EXPECT_EQ(verdicts_in(Format::json, content_of(directory.file("target.json"))).size(), 1U);
}

TEST(Output, StandardOutputByItsPathIsWrittenTo) {
  NEED_PRIVILEGE();
  const auto finished = run(calibration({"conforms"}, {"--quiet", "--output=json:/proc/self/fd/1"}));
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  EXPECT_THAT(finished.out, HasSubstr(": 1 conforms\n"));
  EXPECT_THAT(finished.out, HasSubstr("\"schema_version\": 1"));
}

TEST(Output, JsonOnStandardOutputReplacesTheConsole) {
  NEED_PRIVILEGE();
  const auto finished = run(calibration({"conforms"}, {"--output=json:-"}));
  EXPECT_EQ(verdicts_in(Format::json, finished.out).size(), 1U);
}

bool open_pipe_without_reader_as_standard_output() {
  int ends[2];
  return pipe(ends) == 0 && close(ends[0]) == 0 && dup2(ends[1], STDOUT_FILENO) == STDOUT_FILENO;
}

TEST(Output, ReaderThatHasGoneDoesNotCostTheFiles) {
  NEED_PRIVILEGE();
  const TemporaryDirectory directory;
  Command command = calibration({"conforms"}, {"--output=json:" + directory.file("results.json")});
  command.prepare = open_pipe_without_reader_as_standard_output;
  const auto finished = run(command);
  EXPECT_EQ(finished.exit_code, 70);
  EXPECT_THAT(finished.err, HasSubstr("EPIPE"));
  EXPECT_EQ(verdicts_in(Format::json, content_of(directory.file("results.json"))).size(), 1U);
}

}  // namespace
}  // namespace devmap::test
