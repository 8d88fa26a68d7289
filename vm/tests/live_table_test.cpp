#include <vm/live_table.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace devmap::vm {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;
using State = KernelRow::State;

KernelRow waiting(const std::string& label) {
  return {.label = label, .phase = "waiting"};
}

KernelRow running(const std::string& label) {
  return {.label = label,
          .state = State::running,
          .phase = "running",
          .through = 733,
          .all = 1467,
          .counts = {{"absent", 45}, {"conforms", 688}},
          .elapsed = std::chrono::seconds(27)};
}

KernelRow ended(const std::string& label, bool failed) {
  return {.label = label,
          .state = State::ended,
          .phase = failed ? "deviates" : "ended",
          .failed = failed,
          .through = 1467,
          .all = 1467,
          .counts = {{"conforms", 1467}},
          .elapsed = std::chrono::seconds(54)};
}

TEST(LiveTable, HasALineAKernel) {
  EXPECT_THAT(
      render({ended("5.10", false), running("6.12-jit-off"), waiting("7.3")}, {}),
      ElementsAre("kernel        phase                  time  verdicts",
                  "5.10          ended          100%    54 s  1467 conforms",
                  "6.12-jit-off  running         49%    27 s  688 conforms, 45 absent", "7.3           waiting"));
}

TEST(LiveTable, IsNoWiderThanTheTerminal) {
  for (const auto& line : render({running("6.12")}, {.width = 40})) EXPECT_LT(line.size(), 40U) << line;
}

TEST(LiveTable, ShowsWhatMattersWhereThereIsNoRoom) {
  const std::vector<KernelRow> rows = {ended("a", false), ended("b", true), ended("c", false), running("d"),
                                       running("e"),      waiting("f"),     waiting("g")};
  const auto lines = render(rows, {.height = 6});
  ASSERT_THAT(lines, SizeIs(5));
  EXPECT_THAT(lines[1], HasSubstr("b "));
  EXPECT_THAT(lines[2], HasSubstr("d "));
  EXPECT_THAT(lines[3], HasSubstr("e "));
  EXPECT_EQ(lines[4], "and 4 more: 2 through, 2 waiting");
  EXPECT_THAT(render(rows, {.height = 9}), SizeIs(8)) << "all have room";
}

TEST(LiveTable, PaintsWhatFailed) {
  const auto lines = render({ended("a", true), ended("b", false)}, {.color = true});
  EXPECT_THAT(lines[1], HasSubstr("\033[31ma "));
  EXPECT_THAT(lines[2], HasSubstr("\033[32mb "));
}

TEST(LiveTable, SaysWhenAKernelBeginsAndEnds) {
  testing::internal::CaptureStderr();
  LiveTable table({"6.1", "6.12"}, false);
  table.update(1, running(""));
  table.update(1, running(""));
  table.tick();
  table.update(1, ended("", true));
  table.update(0, {.state = State::ended, .phase = "not fetched", .failed = true});
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "devmap-vm: 6.12: begun\n"
            "devmap-vm: 6.12: deviates after 54 s: 1467 conforms\n"
            "devmap-vm: 6.1: not fetched after 0 s\n");
}

TEST(LiveTable, IsWrittenOverOnATerminal) {
  testing::internal::CaptureStderr();
  LiveTable table({"6.1", "6.12"}, true);
  table.update(1, running(""));
  table.say("a line");
  table.update(1, ended("", false));
  const auto text = testing::internal::GetCapturedStderr();
  EXPECT_THAT(text, HasSubstr("6.12"));
  EXPECT_THAT(text, HasSubstr("\033[3A\r")) << "headings and two kernels";
  EXPECT_THAT(text, HasSubstr("devmap-vm: a line\n"));
}

TEST(Counts, AreInTheOrderOfTheVerdicts) {
  EXPECT_EQ(text_of({{"absent", 1}, {"broken", 3}, {"conforms", 2}}), "2 conforms, 1 absent, 3 broken");
  EXPECT_EQ(text_of({}), "");
}

}  // namespace
}  // namespace devmap::vm
