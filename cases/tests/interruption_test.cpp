// A run that is cut short writes what it has and says that it is not all.

#include <cases/tests/results.hpp>
#include <cases/tests/suite.hpp>

#include <signal.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace devmap::test {
namespace {

class Interruption : public testing::TestWithParam<int> {};

TEST_P(Interruption, LeavesPartialResultsInEveryFormat) {
  NEED_PRIVILEGE();
  const TemporaryDirectory directory;
  Spawned running(calibration({"conforms", "hangs", "warns"},
                              {"--jobs=1", "--timeout=600", "--output=json:" + directory.file("json"),
                               "--output=ktap:" + directory.file("ktap"), "--output=junit:" + directory.file("junit"),
                               "--output=stream:" + directory.file("stream")}));
  ASSERT_NE(await_check(running, 1), 0) << "the second check, which hangs, was not begun";
  running.send(GetParam());
  const auto finished = running.wait();
  EXPECT_FALSE(finished.past_deadline);
  EXPECT_EQ(finished.exit_code, 128 + GetParam());

  const Verdicts first = {{"calibration.conforms/once", "conforms"}};
  for (const auto& [format, name] : {std::pair{Format::json, "json"}, std::pair{Format::ktap, "ktap"},
                                     std::pair{Format::junit, "junit"}, std::pair{Format::stream, "stream"}}) {
    SCOPED_TRACE(name);
    const auto text = content_of(directory.file(name));
    EXPECT_EQ(verdicts_in(format, text), first) << text;
    EXPECT_TRUE(says_partial(format, text)) << text;
  }
  EXPECT_TRUE(says_partial(Format::console, finished.out)) << finished.out;
  EXPECT_THAT(finished.out, testing::HasSubstr(": 1 conforms (partial"));
}

INSTANTIATE_TEST_SUITE_P(By, Interruption, testing::Values(SIGINT, SIGTERM),
                         [](const testing::TestParamInfo<int>& instance) {
                           return instance.param == SIGINT ? "SIGINT" : "SIGTERM";
                         });

TEST(KilledCheck, IsACrashAndTheRestGoesOn) {
  NEED_PRIVILEGE();
  Spawned running(calibration({"conforms", "hangs", "exits"}, {"--timeout=600", "--output=json:-", "--jobs=1"}));
  const int check = await_check(running, 1);
  ASSERT_NE(check, 0);
  kill(check, SIGKILL);
  const auto finished = running.wait();
  EXPECT_EQ(finished.exit_code, 1);
  EXPECT_EQ(verdicts_in(Format::json, finished.out), (Verdicts{{"calibration.conforms/once", "conforms"},
                                                               {"calibration.hangs/once", "crash"},
                                                               {"calibration.exits/once", "crash"}}));
  EXPECT_THAT(finished.out, testing::HasSubstr("ended by SIGKILL (9)"));
}

}  // namespace
}  // namespace devmap::test
