#include <bench/peer/comparison.hpp>
#include <bench/peer/turn.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <harness/base/tests/json_schema.hpp>

#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace devmap::bench {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;
using testing_support::Damage;
using testing_support::expect_refused;
using testing_support::JsonSchema;

constexpr std::uint64_t kFrames = 6400;

const PeerPath& path(std::string_view name) {
  return *std::ranges::find(peer_paths(), name, &PeerPath::name);
}

std::vector<PeerPath> only(std::string_view name) {
  return {path(name)};
}

/// What turns of twenty rounds give: frames a CPU second with and without starting, and what starting takes.
struct Known {
  Side side;
  double whole;
  double later;
  double start_up;
};

std::vector<TakenSample> turns(const PeerPath& way, const std::vector<Known>& sides) {
  std::vector<TakenSample> taken;
  for (const auto& side : sides) {
    const auto names = peer_names(way, side.side);
    for (std::uint32_t round = 0; round < 20; ++round) {
      for (const std::uint32_t copy : {0U, 1U}) {
        // A thousandth that is the same for both copies over the run, and not in a round.
        const double wobble = 1 + 0.001 * ((round + copy) % 2);
        for (const auto& [name, each] :
             {std::pair{names.whole, 1e9 / side.whole}, std::pair{names.without_start_up, 1e9 / side.later},
              std::pair{names.start_up, side.start_up * 1e9}}) {
          taken.push_back(
              {.benchmark = name,
               .round = round,
               .copy = copy,
               .each = each * wobble,
               .frames = {.sent = kFrames, .expected = kFrames * way.copies(), .delivered = kFrames * way.copies()}});
        }
      }
    }
  }
  return taken;
}

std::vector<TakenSample> known_turns(const PeerPath& way) {
  return turns(way, {{Side::ours, 20e6, 21e6, 0.004}, {Side::theirs, 16e6, 20e6, 0.1}});
}

const AllSideFacts kFacts = {
    {"broadcast/ours", {.maps = {"devmap, 4 entries, 4-byte values"}, .cpu_seconds = 2, .ksoftirqd_seconds = 0.5}},
    {"broadcast/xdp-tools", {.maps = {"devmap_hash, 32 entries, 8-byte values"}, .cpu_seconds = 3}}};

PeerRecord record_of(std::vector<Comparison> comparisons) {
  PeerRecord record{.comparisons = std::move(comparisons)};
  for (const auto* const fact : {"kernel", "machine", "cpu", "suite_commit", "started", "obstacles", "frame_length",
                                 "batch", "rounds", "seed", "command_line"}) {
    record.context[fact] = "x";
  }
  record.context["xdp_tools"] = "1.6.3";
  record.context["frames"] = "6400";
  record.context["canary"] = "0.0602 ns";
  return record;
}

TEST(PeerPaths, KnowWhatArrives) {
  EXPECT_EQ(path("direct").copies(), 1U);
  EXPECT_FALSE(path("direct").forwards());
  EXPECT_EQ(path("redirect-map").copies(), 1U);
  EXPECT_TRUE(path("redirect-map").forwards());
  EXPECT_EQ(path("broadcast").copies(), 4U);
}

TEST(PeerComparison, TellsOursToTheirsWithAndWithoutStarting) {
  const auto compared = compare_sides(only("broadcast"), known_turns(path("broadcast")), kFacts);
  ASSERT_EQ(compared.size(), 1U);
  const auto& broadcast = compared.front();
  EXPECT_EQ(broadcast.path, "broadcast");
  ASSERT_TRUE(broadcast.whole.ratio && broadcast.without_start_up.ratio && broadcast.whole.to_itself);
  EXPECT_NEAR(broadcast.whole.ratio->ratio, 1.25, 1e-6);
  EXPECT_NEAR(broadcast.without_start_up.ratio->ratio, 1.05, 1e-6);
  EXPECT_TRUE(broadcast.whole.to_itself->contains(1));
  EXPECT_NEAR(broadcast.whole.theirs.value().median, 16e6, 16e3);
  EXPECT_NEAR(broadcast.our_start_up.value(), 0.004, 1e-5);
  EXPECT_NEAR(broadcast.their_start_up.value(), 0.1, 1e-3);
  EXPECT_EQ(broadcast.kept, 80U);
  EXPECT_EQ(broadcast.taken, 80U);
  EXPECT_EQ(broadcast.frames.sent, 80 * kFrames);
  EXPECT_EQ(broadcast.frames.delivered, 320 * kFrames);
  EXPECT_FALSE(broadcast.failed);
  EXPECT_EQ(broadcast.ours.ksoftirqd_share(), 0.25);
  EXPECT_EQ(broadcast.theirs.maps, std::set<std::string>{"devmap_hash, 32 entries, 8-byte values"});
}

TEST(PeerComparison, HasNoRatioWhereASideDiffersFromItself) {
  auto taken = known_turns(path("direct"));
  for (auto& sample : taken) {
    if (sample.benchmark == "direct/xdp-tools" && sample.copy == 1) sample.each *= 1.05;
  }
  const auto direct = compare_sides(only("direct"), taken, kFacts).front();
  EXPECT_FALSE(direct.whole.ratio);
  EXPECT_THAT(direct.whole.unreliable, HasSubstr("xdp-tools: its ratio to itself is 0.95"));
  EXPECT_THAT(direct.whole.unreliable, Not(HasSubstr("ours")));
  // Of the two, the one that is further from 1.
  EXPECT_LT(direct.whole.to_itself.value().high, 0.96);
  EXPECT_TRUE(direct.whole.ours && !direct.whole.theirs);
  EXPECT_TRUE(direct.without_start_up.ratio);
  EXPECT_FALSE(direct.failed);
}

TEST(PeerComparison, IsVoidWhereFramesWereLost) {
  auto taken = known_turns(path("broadcast"));
  taken.front().frames.delivered -= 1;
  const auto broadcast = compare_sides(only("broadcast"), taken, kFacts).front();
  EXPECT_TRUE(broadcast.failed);
  EXPECT_FALSE(broadcast.whole.ratio);
  EXPECT_THAT(broadcast.whole.unreliable, HasSubstr("ours: void: 1023999 frames were delivered, of 1024000"));
}

TEST(PeerComparison, SaysWhatWentWrongWithATool) {
  auto taken = known_turns(path("direct"));
  taken.push_back({.benchmark = "direct/xdp-tools", .fault = "xdp-trafficgen: it broke"});
  const auto direct = compare_sides(only("direct"), taken, kFacts).front();
  EXPECT_TRUE(direct.failed);
  EXPECT_EQ(direct.whole.unreliable, "xdp-tools: xdp-trafficgen: it broke");
}

TEST(PeerComparison, LeavesOutWhatWasHindered) {
  auto taken = known_turns(path("direct"));
  for (auto& sample : taken) {
    sample.hindered = sample.round % 4 == 0;
  }
  const auto direct = compare_sides(only("direct"), taken, kFacts).front();
  EXPECT_EQ(direct.kept, 60U);
  EXPECT_EQ(direct.taken, 80U);
  EXPECT_NEAR(direct.whole.ratio.value().ratio, 1.25, 1e-6);
}

TEST(PeerComparison, SurvivesARunThatWasEndedAtOnce) {
  const auto direct = compare_sides(only("direct"), {}, kFacts).front();
  EXPECT_FALSE(direct.whole.ratio);
  EXPECT_NE(direct.whole.unreliable, "");
  EXPECT_FALSE(direct.our_start_up);
  JsonSchema schema(DEVMAP_PEER_DIR "/peer-record.schema.json");
  EXPECT_EQ(schema.complaints(json::parse(record_of({direct}).json())), "");
}

TEST(PeerRecord, KeepsToItsSchema) {
  JsonSchema schema(DEVMAP_PEER_DIR "/peer-record.schema.json");
  auto lost = known_turns(path("direct"));
  lost.front().frames.delivered = 0;
  EXPECT_EQ(schema.complaints(json::parse(record_of(compare_sides(only("direct"), lost, kFacts)).json())), "");

  const auto sound =
      json::parse(record_of(compare_sides(only("broadcast"), known_turns(path("broadcast")), kFacts)).json());
  std::vector<Damage> table = {
      {"another version", [](json& d) { d["schema_version"] = 2; }},
      {"another layer", [](json& d) { d["layer"] = "time"; }},
      {"one field more", [](json& d) { d["extra"] = 1; }},
      {"one field more in a comparison", [](json& d) { d["comparisons"][0]["extra"] = 1; }},
      {"no version of the tools", [](json& d) { d["context"].erase("xdp_tools"); }},
      {"a number in the context", [](json& d) { d["context"]["rounds"] = 3; }},
      {"a canary of no unit", [](json& d) { d["context"]["canary"] = "0.06"; }},
      {"an unknown path", [](json& d) { d["comparisons"][0]["path"] = "around"; }},
      {"an unreliable ratio", [](json& d) { d["comparisons"][0]["unreliable"] = "why"; }},
      {"half an interval", [](json& d) { d["comparisons"][0]["interval"].erase(1); }},
      {"no rate", [](json& d) { d["comparisons"][0]["ours"]["median"] = 0; }},
      {"a map that is no device map", [](json& d) { d["comparisons"][0]["sides"]["ours"]["maps"][0] = "hash"; }},
      {"a negative share", [](json& d) { d["comparisons"][0]["sides"]["ours"]["ksoftirqd_share"] = -1; }},
      {"a negative count", [](json& d) { d["comparisons"][0]["sent"] = -1; }},
  };
  for (const char* field : {"path", "unit", "ours", "theirs", "ratio", "interval", "to_itself", "kept", "taken", "sent",
                            "delivered", "without_start_up", "sides"}) {
    table.push_back({field, [field](json& d) { d["comparisons"][0].erase(field); }});
  }
  expect_refused(schema, sound, table);
}

TEST(PeerRecord, IsToldInATable) {
  const auto record = record_of(compare_sides(only("direct"), known_turns(path("direct")), kFacts));
  const auto text = record.table();
  EXPECT_THAT(text, HasSubstr("1.250 [1.2"));
  EXPECT_THAT(text, HasSubstr("1.050 [1.0"));
  EXPECT_THAT(text, HasSubstr("to start takes 0.004 s ours, 0.100 s xdp-tools"));
  EXPECT_THAT(text, Not(HasSubstr("unreliable")));
  EXPECT_THAT(text, Not(HasSubstr("ksoftirqd")));
}

TEST(PeerRecord, TellsByWhatMapsAndWhatIsInNoRate) {
  const auto record = record_of(compare_sides(only("broadcast"), known_turns(path("broadcast")), kFacts));
  const auto text = record.table();
  EXPECT_THAT(text, HasSubstr("  ours: devmap, 4 entries, 4-byte values\n"));
  EXPECT_THAT(text, HasSubstr("  xdp-tools: devmap_hash, 32 entries, 8-byte values\n"));
  EXPECT_THAT(text, HasSubstr("  ours: ksoftirqd took 25.0 % of the generator's time besides\n"));
  EXPECT_THAT(text, Not(HasSubstr("xdp-tools: ksoftirqd")));
}

}  // namespace
}  // namespace devmap::bench
