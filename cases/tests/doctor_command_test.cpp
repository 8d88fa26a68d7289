// The command doctor as a user asks for it, without privilege, about devices that every machine has.

#include <cases/tests/suite.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace devmap::test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

/// The command comes first, and what suite() puts before everything is an option of the suite's.
Finished run_doctor(Arguments arguments) {
  auto command = suite({});
  command.arguments = std::move(arguments);
  return run(command);
}

TEST(DoctorCommand, IsNamedByTheHelp) {
  EXPECT_THAT(run(suite({"--help"})).out, HasSubstr("doctor IN OUT"));
}

TEST(DoctorCommand, HelpNamesEveryOptionAndExitCode) {
  const auto finished = run_doctor({"doctor", "--help"});
  EXPECT_EQ(finished.exit_code, 0);
  for (const char* word : {"IN", "OUT", "--mode", "--size", "--out-netns", "--probe", "--json", "--color",
                           "0 every mode", "64 usage", "is not shown"}) {
    EXPECT_THAT(finished.out, HasSubstr(word));
  }
}

TEST(DoctorCommand, LoopbackIsATargetInGenericModeAlone) {
  const auto finished = run_doctor({"doctor", "lo", "lo", "--color=never"});
  EXPECT_EQ(finished.exit_code, 1) << finished.err;
  EXPECT_THAT(finished.out, StartsWith("a redirect from lo to lo in native mode does not deliver\n  obstacle: "));
  EXPECT_THAT(finished.out, HasSubstr("\n    rule: integration.loopback-takes-no-native-program\n"));
  EXPECT_THAT(finished.out, HasSubstr("\na redirect from lo to lo in generic mode "));
}

TEST(DoctorCommand, OneModeAloneCanBeAskedFor) {
  const auto finished = run_doctor({"doctor", "lo", "1", "--mode=native"});
  EXPECT_EQ(finished.exit_code, 1) << finished.err;
  EXPECT_THAT(finished.out, testing::Not(HasSubstr("generic mode deliver")));
}

TEST(DoctorCommand, SpeaksJson) {
  const auto finished = run_doctor({"doctor", "lo", "lo", "--json"});
  const auto json = nlohmann::json::parse(finished.out);
  EXPECT_EQ(json.at("in").at("name"), "lo");
  EXPECT_EQ(json.at("modes").size(), 2U);
}

struct Refused {
  const char* name;
  Arguments arguments;
  std::vector<std::string> says;
};

class BadDoctorCommand : public testing::TestWithParam<Refused> {};

TEST_P(BadDoctorCommand, IsRefusedInOneLine) {
  const auto finished = run_doctor(GetParam().arguments);
  EXPECT_EQ(finished.exit_code, 64);
  EXPECT_EQ(finished.out, "");
  EXPECT_EQ(lines_of(finished.err).size(), 1U) << finished.err;
  EXPECT_THAT(finished.err, StartsWith("devmap-conformance: doctor: "));
  for (const auto& text : GetParam().says) EXPECT_THAT(finished.err, HasSubstr(text));
}

INSTANTIATE_TEST_SUITE_P(
    With, BadDoctorCommand,
    testing::Values(Refused{"UnknownInterface", {"doctor", "lo", "lo-or-so"}, {"'lo-or-so'", "lo"}},
                    Refused{"UnknownReceiver", {"doctor", "lo-or-so", "lo"}, {"'lo-or-so'", "no such interface here"}},
                    Refused{"UnknownNumber", {"doctor", "lo", "999999"}, {"'999999'"}},
                    Refused{"OneInterface", {"doctor", "lo"}, {"OUT", "doctor --help"}},
                    Refused{"UnknownMode", {"doctor", "lo", "lo", "--mode=fast"}, {"--mode", "native"}},
                    Refused{"SizeOfNothing", {"doctor", "lo", "lo", "--size=0"}, {"--size"}},
                    Refused{"UnknownNamespace",
                            {"doctor", "lo", "lo", "--out-netns=no-such-namespace"},
                            {"/run/netns/no-such-namespace", "ENOENT"}}),
    [](const testing::TestParamInfo<Refused>& instance) { return instance.param.name; });

}  // namespace
}  // namespace devmap::test
