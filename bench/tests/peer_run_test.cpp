#include <bench/peer/tools.hpp>
#include <bench/tests/child_process.hpp>
#include <bench/tests/stand_in_tools.hpp>
#include <harness/base/tests/json_schema.hpp>
#include <harness/bpf/tests/kernel_fixture.hpp>
#include <vm/process.hpp>

#include <gmock/gmock.h>
#include <csignal>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

// The whole comparison, by tools that are there, and by scripts in their place.
namespace devmap::bench {
namespace {

using devmap::testing_support::JsonSchema;
using nlohmann::json;
using testing::HasSubstr;
using testing_support::StandInTools;

class PeerRun : public devmap::testing_support::BpfTest {
 protected:
  static vm::Invocation peer(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"peer", "--despite-obstacles", "--patience", "0", "--json", "-"});
    return {.program = DEVMAP_BENCH_PROGRAM, .arguments = std::move(arguments)};
  }

  /// Sends by devmap-bench itself what xdp-trafficgen would: udp --num-packets N --interval 1 DEVICE.
  static std::string generates(const std::string& frames) {
    return "ifindex=$(ip -oneline link show dev \"$6\" | cut -d: -f1)\n" DEVMAP_BENCH_PROGRAM
           " generate --ifindex \"$ifindex\" --frames " +
           frames + "\nexit 1\n";
  }

  static json record_of(const vm::Finished& finished) {
    JsonSchema schema(DEVMAP_PEER_DIR "/peer-record.schema.json");
    auto record = json::parse(finished.out);
    EXPECT_EQ(schema.complaints(record), "");
    return record;
  }
};

TEST_F(PeerRun, ComparesWithWhatIsInTheDirectory) {
  if (!vm::find_program("ip")) GTEST_SKIP() << "there is no ip of iproute2";
  const StandInTools tools;
  tools.put_tool("xdp-trafficgen", "1.6.9", generates("\"$3\""));
  tools.put_tool("xdp-bench", "1.6.9", "");
  const auto finished =
      vm::run(peer({"--path", "direct", "--rounds", "2", "--frames", "64000", "--xdp-tools", tools.directory()}));
  ASSERT_TRUE(finished.has_value());
  ASSERT_EQ(finished->exit_code, 0) << finished->err << finished->out;
  const auto record = record_of(*finished);
  EXPECT_EQ(record.at("context").at("xdp_tools"), "1.6.9");
  ASSERT_EQ(record.at("comparisons").size(), 1U);
  const auto& direct = record.at("comparisons").front();
  EXPECT_EQ(direct.at("path"), "direct");
  EXPECT_EQ(direct.at("taken"), 8);
  EXPECT_EQ(direct.at("sent"), direct.at("kept").get<int>() * 64000);
  EXPECT_EQ(direct.at("delivered"), direct.at("sent"));
}

TEST_F(PeerRun, FailsWhereFramesAreMissing) {
  if (!vm::find_program("ip")) GTEST_SKIP() << "there is no ip of iproute2";
  const StandInTools tools;
  tools.put_tool("xdp-trafficgen", "1.6.9", generates("$(($3 - 1))"));
  tools.put_tool("xdp-bench", "1.6.9", "");
  const auto finished =
      vm::run(peer({"--path", "direct", "--rounds", "1", "--frames", "640", "--xdp-tools", tools.directory()}));
  ASSERT_TRUE(finished.has_value());
  EXPECT_EQ(finished->exit_code, 1) << finished->err;
  const auto record = record_of(*finished);
  EXPECT_THAT(record.at("comparisons").front().at("unreliable").get<std::string>(),
              HasSubstr("xdp-trafficgen: 63 frames came in of 64"));
}

TEST_F(PeerRun, FailsWhereAToolDoesNotForward) {
  const StandInTools tools;
  tools.put_tool("xdp-trafficgen", "1.6.9", "");
  tools.put_tool("xdp-bench", "1.6.9", "echo 'cannot load' >&2\nexit 3\n");
  const auto finished =
      vm::run(peer({"--path", "redirect-map", "--rounds", "1", "--frames", "640", "--xdp-tools", tools.directory()}));
  ASSERT_TRUE(finished.has_value());
  EXPECT_EQ(finished->exit_code, 1) << finished->err;
  const auto record = record_of(*finished);
  EXPECT_THAT(record.at("comparisons").front().at("unreliable").get<std::string>(),
              HasSubstr("xdp-tools: xdp-bench redirect-map: it did not attach its programs: cannot load"));
}

TEST_F(PeerRun, KeepsWhatItHasWhenItIsInterrupted) {
  const StandInTools tools;
  tools.put_tool("xdp-trafficgen", "1.6.9", "exec sleep 1000\n");
  tools.put_tool("xdp-bench", "1.6.9", "");
  auto process = vm::Process::start(peer({"--path", "direct", "--frames", "640", "--xdp-tools", tools.directory()}));
  ASSERT_TRUE(process.has_value());
  ASSERT_TRUE(testing_support::await_child(*process, "sleep"));
  process->send(SIGINT);
  const auto finished = process->wait();
  EXPECT_EQ(finished.exit_code, 128 + SIGINT) << finished.err;
  EXPECT_EQ(record_of(finished).at("context").at("partial"), "true");
}

TEST_F(PeerRun, GoesAllPathsByXdpToolsThemselves) {
  const auto tools = find_xdp_tools("", KernelVersion::running());
  if (!tools) GTEST_SKIP() << tools.error().context;
  const auto finished = vm::run(peer({"--rounds", "1", "--frames", "64000"}));
  ASSERT_TRUE(finished.has_value());
  ASSERT_EQ(finished->exit_code, 0) << finished->err << finished->out;
  const auto record = record_of(*finished);
  ASSERT_EQ(record.at("comparisons").size(), 3U);
  for (const auto& comparison : record.at("comparisons")) {
    const auto copies = comparison.at("path") == "broadcast" ? 4 : 1;
    EXPECT_EQ(comparison.at("taken"), 4);
    for (const auto* const side : {"ours", "theirs"}) {
      EXPECT_EQ(comparison.at("sides").at(side).at("maps").empty(), comparison.at("path") == "direct") << comparison;
    }
    EXPECT_EQ(comparison.at("delivered"), comparison.at("sent").get<int>() * copies) << comparison;
  }
}

}  // namespace
}  // namespace devmap::bench
