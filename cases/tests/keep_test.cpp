// --keep leaves the namespace of what did not conform standing, and says how to enter it and how to remove it.

#include <cases/tests/results.hpp>
#include <cases/tests/suite.hpp>

#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <regex>

namespace devmap::test {
namespace {

const std::string kNamespaces = "/run/netns/";

/// The two commands in the advice: to enter, and to remove.
std::vector<std::string> commands_in(const std::string& advice) {
  static const std::regex kQuoted("'([^']*)'");
  std::vector<std::string> commands;
  for (std::sregex_iterator found(advice.begin(), advice.end(), kQuoted); found != std::sregex_iterator(); ++found) {
    commands.push_back((*found)[1]);
  }
  return commands;
}

std::string own_namespace() {
  struct stat found{};
  return stat("/proc/self/ns/net", &found) == 0 ? fmt::format("net:[{}]", found.st_ino) : "";
}

Finished shell(const std::string& command) {
  return run({.program = "/bin/sh", .arguments = {"-c", "PATH=$PATH:/usr/sbin:/sbin; " + command}});
}

/// A /run of this test's own, so that it meets nobody else's namespaces there.
bool have_own_run_directory() {
  return make_own_mount_table() && mount("none", "/run", "tmpfs", 0, nullptr) == 0;
}

void expect_can_be_entered_and_removed(const std::string& rule, const std::string& advice) {
  SCOPED_TRACE(advice);
  const auto commands = commands_in(advice);
  ASSERT_EQ(commands.size(), 2U);
  const auto file = kNamespaces + "devmap." + rule + ".once";
  EXPECT_THAT(commands.front(), testing::HasSubstr(file));
  struct stat kept{};
  ASSERT_EQ(stat(file.c_str(), &kept), 0);

  ASSERT_THAT(commands.front(), testing::EndsWith(" bash"));
  const auto entered = shell(commands.front() + " -c 'readlink /proc/self/ns/net'");
  EXPECT_EQ(entered.out, fmt::format("net:[{}]\n", kept.st_ino)) << entered.err;
  EXPECT_NE(entered.out, own_namespace() + "\n");

  const auto removed = shell(commands.back());
  EXPECT_EQ(removed.exit_code, 0) << removed.err;
  EXPECT_NE(stat(file.c_str(), &kept), 0);
}

TEST(Keep, NamespaceCanBeEnteredAndRemoved) {
  NEED_PRIVILEGE();
  ASSERT_TRUE(have_own_run_directory());
  const Command command = calibration({"conforms", "deviates", "hangs"}, {"--keep", "--timeout=1", "--output=json:-"});
  // Twice, as a user would who has not removed the first one.
  ASSERT_EQ(run(command).exit_code, 1);
  const auto finished = run(command);
  ASSERT_EQ(finished.exit_code, 1) << finished.err;
  const auto record = nlohmann::json::parse(finished.out);
  for (const auto& result : record.at("results")) {
    const std::string rule = result.at("rule");
    if (rule == "calibration.conforms") {
      EXPECT_EQ(result.at("advice"), "");
    } else {
      expect_can_be_entered_and_removed(rule, result.at("advice"));
    }
  }
  EXPECT_EQ(umount2("/run", MNT_DETACH), 0);
}

TEST(Keep, NothingIsKeptUnlessAskedFor) {
  NEED_PRIVILEGE();
  ASSERT_TRUE(have_own_run_directory());
  ASSERT_EQ(run(calibration({"deviates"})).exit_code, 1);
  struct stat found{};
  EXPECT_NE(stat("/run/netns", &found), 0);
  EXPECT_EQ(umount2("/run", MNT_DETACH), 0);
}

}  // namespace
}  // namespace devmap::test
