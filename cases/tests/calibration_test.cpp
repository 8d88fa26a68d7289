// Every way a check can end, on purpose: what the suite says of it, in every format, and the exit code.

#include <cases/tests/results.hpp>
#include <cases/tests/suite.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace devmap::test {
namespace {

const Verdicts kExpected = {
    {"calibration.conforms/once", "conforms"},
    {"calibration.deviates/once", "deviates"},
    {"calibration.refusal-with-wrong-errno/once", "deviates"},
    {"calibration.control-fails-too/once", "deviates"},
    {"calibration.frame-is-dropped/once", "deviates"},
    {"calibration.frame-is-anothers/once", "deviates"},
    {"calibration.frame-has-wrong-bytes/once", "deviates"},
    {"calibration.absent/once", "absent"},
    {"calibration.backported/once", "backported"},
    {"calibration.unmet/once", "unmet"},
    {"calibration.could-not-tell/once", "unmet"},
    {"calibration.dangerous/once", "unmet"},
    {"calibration.known/once", "known"},
    {"calibration.known-no-longer/once", "conforms"},
    {"calibration.broken-set-up/once", "broken"},
    {"calibration.judges-nothing/once", "broken"},
    {"calibration.throws/once", "broken"},
    {"calibration.leaks-descriptor/once", "broken"},
    {"calibration.leaks-process/once", "broken"},
    {"calibration.expects-an-undeclared-errno/once", "broken"},
    {"calibration.declares-an-errno-in-vain/once", "broken"},
    {"calibration.hangs/once", "timeout"},
    {"calibration.crashes/once", "crash"},
    {"calibration.exits/once", "crash"},
    {"calibration.warns/once", "splat"},
};

// Long enough for the rest on a busy machine: only what hangs waits for it.
const std::string kTimeout = "--timeout=2";

TEST(Calibration, EveryRuleEndsAsItsNameSaysInEveryFormat) {
  NEED_PRIVILEGE();
  const TemporaryDirectory directory;
  const std::vector<std::pair<Format, std::string>> formats = {{Format::console, "console"},
                                                               {Format::json, "json"},
                                                               {Format::ktap, "ktap"},
                                                               {Format::junit, "junit"},
                                                               {Format::stream, "stream"}};
  Arguments arguments = {kTimeout};
  for (const auto& [format, name] : formats) arguments.push_back("--output=" + name + ":" + directory.file(name));
  const auto finished = run(calibration({}, arguments));
  EXPECT_EQ(finished.exit_code, 1) << finished.err;
  EXPECT_EQ(finished.err, "");
  EXPECT_EQ(finished.out, content_of(directory.file("console")));

  for (const auto& [format, name] : formats) {
    SCOPED_TRACE(name);
    const auto text = content_of(directory.file(name));
    Verdicts expected = kExpected;
    if (format == Format::console) expected.erase("calibration.conforms/once");  // told in the table alone
    EXPECT_EQ(verdicts_in(format, text), expected) << text;
    EXPECT_FALSE(says_partial(format, text));
  }
  EXPECT_THAT(finished.out, testing::EndsWith(": 2 conforms, 1 backported, 1 absent, 1 known, 3 unmet, 6 deviates, "
                                              "1 splat, 2 crash, 1 timeout, 7 broken\n"));
}

struct ExitCode {
  std::vector<std::string> slugs;
  int code;
};

class CalibrationExitCode : public testing::TestWithParam<ExitCode> {};

TEST_P(CalibrationExitCode, IsThatOfTheWorst) {
  NEED_PRIVILEGE();
  const auto finished = run(calibration(GetParam().slugs, {kTimeout}));
  EXPECT_EQ(finished.exit_code, GetParam().code) << finished.out << finished.err;
}

// One after another, what is worse outdoes what is not.
INSTANTIATE_TEST_SUITE_P(
    Of, CalibrationExitCode,
    testing::Values(ExitCode{{"conforms"}, 0}, ExitCode{{"known"}, 0}, ExitCode{{"known-no-longer"}, 0},
                    ExitCode{{"absent"}, 0}, ExitCode{{"backported"}, 0}, ExitCode{{"unmet"}, 4},
                    ExitCode{{"could-not-tell"}, 4}, ExitCode{{"dangerous"}, 4}, ExitCode{{"unmet", "conforms"}, 0},
                    ExitCode{{"broken-set-up"}, 70}, ExitCode{{"judges-nothing"}, 70}, ExitCode{{"throws"}, 70},
                    ExitCode{{"leaks-descriptor"}, 70}, ExitCode{{"leaks-process"}, 70},
                    ExitCode{{"expects-an-undeclared-errno"}, 70}, ExitCode{{"declares-an-errno-in-vain"}, 70},
                    ExitCode{{"broken-set-up", "conforms"}, 70}, ExitCode{{"hangs"}, 124},
                    ExitCode{{"hangs", "broken-set-up", "conforms"}, 124}, ExitCode{{"deviates"}, 1},
                    ExitCode{{"refusal-with-wrong-errno"}, 1}, ExitCode{{"control-fails-too"}, 1},
                    ExitCode{{"frame-is-dropped"}, 1}, ExitCode{{"frame-is-anothers"}, 1},
                    ExitCode{{"frame-has-wrong-bytes"}, 1}, ExitCode{{"crashes"}, 1}, ExitCode{{"exits"}, 1},
                    ExitCode{{"warns"}, 1}, ExitCode{{"hangs", "deviates"}, 1}),
    [](const testing::TestParamInfo<ExitCode>& instance) {
      std::string name;
      for (const auto& slug : instance.param.slugs) name += (name.empty() ? "" : "-with-") + slug;
      std::ranges::replace(name, '-', '_');
      return name;
    });

TEST(Calibration, EvidenceSaysWhy) {
  NEED_PRIVILEGE();
  const auto out = run(calibration({"*"}, {"--filter=-calibration.hangs"})).out;
  for (const char* reason : {
           "! one and one -> 2, expected 3",
           "-> EINVAL, expected EPERM",
           "! control: map create(",
           "! where the frame went -> nowhere, expected s0",
           "1 frames were heard that are not this case's",
           "! where the frame went -> s0 ([30] = aa), expected s0",
           "because: needs the impossible: looked for it and found nothing",
           "because: needs the unknowable: could not tell: the probe gave no answer",
           "because: dangerous: only said to be",
           "what to do: run it in a virtual machine with --dangerous",
           "because: no longer deviates, although listed as known: it used to be known",
           "because: set_up: EIO (Input/output error): on purpose",
           "because: the check judged nothing",
           "because: exception: on purpose",
           "because: left descriptor ",
           "because: left a child process behind",
           "because: the check expects EINVAL, which the rule's .refuses does not name",
           "because: the rule's .refuses names EINVAL, which the check expects nowhere",
           "because: ended by SIGSEGV (11)",
           "because: ended with exit code 3 before it came to a verdict",
           "because: the kernel logged: WARNING: CPU: 0 PID: ",
       }) {
    EXPECT_THAT(out, testing::HasSubstr(reason));
  }
}

TEST(Calibration, DangerousRuleRunsWhenAskedFor) {
  NEED_PRIVILEGE();
  EXPECT_EQ(run(calibration({"dangerous"}, {"--dangerous"})).exit_code, 0);
}

}  // namespace
}  // namespace devmap::test
