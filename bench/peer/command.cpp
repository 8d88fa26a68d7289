#include <bench/peer/command.hpp>

#include <bench/command_line.hpp>
#include <bench/exit_codes.hpp>
#include <bench/measure/machine.hpp>
#include <bench/peer/comparison.hpp>
#include <bench/peer/tools.hpp>
#include <bench/peer/turn.hpp>
#include <bench/preflight/obstacles.hpp>
#include <bench/rounds/evaluate.hpp>
#include <bench/rounds/gathered.hpp>
#include <bench/rounds/interruption.hpp>
#include <bench/rounds/progress.hpp>
#include <bench/rounds/run_options.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <harness/base/processor.hpp>
#include <harness/bpf/features.hpp>
#include <harness/manual/command_line.hpp>
#include <harness/net/features.hpp>
#include <iterator>
#include <optional>
#include <random>
#include <utility>

namespace devmap::bench {
namespace {

constexpr const char* kSummary = "Compare with xdp-trafficgen and xdp-bench of xdp-tools on the same paths of frames";
constexpr const char* kNotes =
    "Three paths through veth devices in network namespaces of their own, on processor 0: direct, to a device whose\n"
    "program drops the frames; redirect-map, by a program that redirects them by a device map; broadcast, by one that\n"
    "sends them to four devices. In each round either side goes each path twice, in random order. What is told is "
    "frames\n"
    "a CPU second of a process that generates ten million, its start included, and once more without that; of\n"
    "the stretches of a run around which a canary loop found the processor undisturbed, told at one clock.\n"
    "Frames are counted by the devices where they end; a figure of which not all arrived is void.\n"
    "\n"
    "Exit codes: 0 all was measured, 1 a tool failed or frames were lost, 4 nothing could be measured, 64 usage,\n"
    "70 an error of the program's own, 128 + N ended by signal N, with what was measured until then.";

/// xdp-trafficgen keeps its first thread there.
constexpr unsigned kProcessor = 0;
constexpr std::uint32_t kBatch = 64;
/// Of either side twice.
constexpr std::size_t kTurnsOfPath = 4;

struct Asked {
  std::string tools = {};
  std::uint32_t rounds = 60;
  std::uint32_t frames = 3'000'000;
  std::vector<std::string> paths = {};
  RunOptions run = {};
};

std::optional<int> parse_peer(const std::vector<std::string>& arguments, Asked& asked) {
  std::vector<std::string> names;
  std::ranges::transform(peer_paths(), std::back_inserter(names), &PeerPath::name);
  CLI::App app(kSummary, "devmap-bench peer");
  app.footer(kNotes);
  app.add_option("--xdp-tools", asked.tools,
                 "Where xdp-tools are, such as an unpacked tree of packages (default: installed, or fetched by "
                 "scripts/fetch-xdp-tools)")
      ->type_name("DIR");
  app.add_option("--rounds", asked.rounds, "Rounds (default 60)")->check(CLI::Range(1U, 10'000U));
  app.add_option("--frames", asked.frames, "Frames of a run, rounded up to a multiple of 64 (default 3000000)")
      ->check(CLI::Range(2 * kFewFrames, 1'000'000'000U));
  app.add_option("--path", asked.paths, "Only these paths")->check(CLI::IsMember(names));
  add_run_options(app, asked.run);
  manual::answer_help_json(app, {});
  const auto ended = parse(app, arguments);
  asked.frames = (asked.frames + kBatch - 1) / kBatch * kBatch;
  return ended;
}

int nothing_can_be_measured(const std::string& why) {
  fmt::print(stderr, "devmap-bench: nothing can be measured: {}\n", why);
  return kNothingCouldRun;
}

/// Why this machine cannot; empty where it can.
std::string what_is_missing(const std::vector<unsigned>& processors) {
  if (std::ranges::find(processors, kProcessor) == processors.end()) {
    return fmt::format("xdp-trafficgen sends on processor {}, which this process may not use", kProcessor);
  }
  for (const auto& feature : {features::veth(), features::live_frames()}) {
    const auto fact = feature.probe();
    if (fact.presence != Presence::present) return fmt::format("{}: {}; {}", feature.name, fact.text, feature.remedy);
  }
  return {};
}

std::vector<PeerPath> chosen_paths(const Asked& asked) {
  std::vector<PeerPath> paths;
  std::ranges::copy_if(peer_paths(), std::back_inserter(paths), [&](const PeerPath& path) {
    return asked.paths.empty() || std::ranges::find(asked.paths, path.name) != asked.paths.end();
  });
  return paths;
}

struct PlannedTurn {
  const PeerPath* path;
  Side side;
  std::uint32_t copy;
};

/// In random order; those of a path one after the other, as what disturbs them lasts longer than these and less long
/// than a round.
std::vector<PlannedTurn> turns_of_round(const std::vector<PeerPath>& paths, std::mt19937_64& random) {
  std::vector<const PeerPath*> order;
  std::ranges::transform(paths, std::back_inserter(order), [](const PeerPath& path) { return &path; });
  std::ranges::shuffle(order, random);
  std::vector<PlannedTurn> turns;
  for (const auto* path : order) {
    const auto first = turns.size();
    for (const auto side : {Side::ours, Side::theirs}) {
      for (const std::uint32_t copy : {0U, 1U}) turns.push_back({.path = path, .side = side, .copy = copy});
    }
    std::ranges::shuffle(turns.begin() + static_cast<std::ptrdiff_t>(first), turns.end(), random);
  }
  return turns;
}

Gathered gather(const Asked& asked, const PeerSpec& spec, const std::vector<PeerPath>& paths,
                std::vector<Obstacle> before, std::uint64_t seed, AllSideFacts& facts) {
  Gathered gathered(std::move(before), asked.run.despite);
  Progress progress(!asked.run.quiet, paths.size() * kTurnsOfPath * asked.rounds);
  std::mt19937_64 random(seed);
  for (std::uint32_t round = 0; round < asked.rounds && signal_that_came() == 0; ++round) {
    for (const auto& turn : turns_of_round(paths, random)) {
      const auto side = peer_names(*turn.path, turn.side).whole;
      progress.show(side);
      auto [samples, turn_facts] = take_turn(spec, *turn.path, turn.side);
      if (signal_that_came() != 0) return gathered;
      facts[side] += turn_facts;
      for (auto& sample : samples) {
        sample.round = round;
        sample.copy = turn.copy;
        gathered.add(std::move(sample));
      }
    }
    gathered.look_around();
  }
  return gathered;
}

int tell(const Asked& asked, const PeerRecord& record) {
  if (asked.run.output != "-") fmt::print("{}", record.table());
  if (!keep_record(asked.run, record.json())) return kBroken;
  if (const int signal = signal_that_came(); signal != 0) return kSignalled + signal;
  return std::ranges::any_of(record.comparisons, &Comparison::failed) ? kFailed : 0;
}

}  // namespace

int run_peer_command(const std::vector<std::string>& arguments) {
  Asked asked;
  if (const auto ended = parse_peer(arguments, asked)) return *ended;
  if (!can_keep_record(asked.run)) return kBroken;
  const auto tools = find_xdp_tools(asked.tools, KernelVersion::running());
  if (!tools) return nothing_can_be_measured(tools.error().context);
  if (!has_privileges()) return kNothingCouldRun;
  const auto processors = allowed_processors();
  if (!processors) return nothing_can_be_measured(processors.error().text());
  if (const auto missing = what_is_missing(*processors); !missing.empty()) return nothing_can_be_measured(missing);
  if (const auto stays = stay_on_processor(kProcessor); !stays) return nothing_can_be_measured(stays.error().text());
  const auto before = obstacles(Surroundings::of_this_machine());
  if (!may_measure(before, asked.run.despite)) return kNothingCouldRun;
  end_early_on_signals();
  const auto seed = asked.run.seed.value_or(std::random_device()());
  QuietMoments quiet(std::chrono::duration<double>(asked.run.patience),
                     {.given_up = [] { return signal_that_came() != 0; }});
  const PeerSpec spec{.tools = &*tools,
                      .quiet = &quiet,
                      .frames = asked.frames,
                      .processor = kProcessor,
                      .other_processor = processors->back(),
                      .ksoftirqd = ksoftirqd_clock(kProcessor)};
  const auto paths = chosen_paths(asked);
  AllSideFacts facts;
  const auto gathered = gather(asked, spec, paths, before, seed, facts);
  PeerRecord record{.context = machine_context(gathered.obstacles()),
                    .comparisons = compare_sides(paths, gathered.samples(), facts)};
  record.context["xdp_tools"] = tools->version().text();
  record.context["frames"] = std::to_string(asked.frames);
  record.context["frame_length"] = "64";
  record.context["batch"] = std::to_string(kBatch);
  record.context["rounds"] = std::to_string(asked.rounds);
  record.context["patience"] = fmt::format("{:g} s", asked.run.patience);
  add_canary(record.context, gathered.samples());
  record.context["seed"] = std::to_string(seed);
  record.context["command_line"] = fmt::format("devmap-bench peer {}", fmt::join(arguments, " "));
  if (signal_that_came() != 0) record.context["partial"] = "true";
  return tell(asked, record);
}

}  // namespace devmap::bench
