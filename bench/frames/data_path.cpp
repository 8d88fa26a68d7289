#include <bench/frames/forwarding.hpp>
#include <bench/measure/benchmark.hpp>
#include <bench/measure/processors.hpp>

#include <fmt/format.h>
#include <harness/bpf/features.hpp>
#include <harness/net/features.hpp>
#include <string>
#include <string_view>
#include <utility>

// Frames, from where they are made to where they end.
namespace devmap::bench {
namespace {

using Way = RouteSpec::Way;

/// Frames of a sample, whole batches of 64: enough that what a call costs besides them does not count, and the fewer
/// the more each costs.
constexpr std::uint64_t kManyFrames = 204'800;
constexpr std::uint64_t kSomeFrames = 51'200;
constexpr std::uint64_t kFewFrames = 6'400;
/// A piece of some milliseconds each.
constexpr std::uint32_t kPieces = 5;

constexpr const char* kFloor = "live/drop";
constexpr const char* kReference = "live/redirect_map/devmap";

std::string map_name(DevMapType type) {
  return std::string(name_of(type));
}

class Adding {
 public:
  explicit Adding(std::vector<Benchmark>& all) : all_(all) {}

  struct Told {
    std::string baseline = kReference;
    std::uint64_t chunk = kManyFrames;
    bool standard = true;
    std::string not_counted = {};
  };
  void add(const std::string& name, const Forwarding::Spec& spec, const Told& told) {
    Benchmark benchmark = {.name = name,
                           .facts = {.frame_length = spec.length,
                                     .batch = spec.batch,
                                     .peer = spec.sink_mode == Mode::native ? "native XDP_DROP" : "generic XDP_DROP"},
                           .chunk = told.chunk,
                           .piece = told.chunk / kPieces,
                           .pieces = kPieces,
                           .baseline = told.baseline == name ? "" : told.baseline,
                           .standard = told.standard,
                           .not_counted = told.not_counted,
                           .needs = {features::veth()},
                           .prepare = [spec] { return Forwarding::create(spec); }};
    if (spec.route.way == Way::drop) benchmark.facts.peer = "none";
    if (spec.route.way != Way::drop && spec.route.way != Way::redirect) {
      benchmark.facts.map_type = map_name(spec.route.type);
      benchmark.facts.max_entries = spec.route.max_entries();
    }
    if (spec.source != Source::packet) benchmark.needs.push_back(features::live_frames());
    if (spec.frags()) benchmark.needs.push_back(features::frags_programs());
    if (spec.mode == Mode::generic && spec.route.egress != Egress::none) {
      benchmark.needs.push_back(features::wide_values_in_skb_mode());
    }
    all_.push_back(std::move(benchmark));
  }
  void add(Benchmark benchmark) { all_.push_back(std::move(benchmark)); }

 private:
  std::vector<Benchmark>& all_;
};

constexpr DevMapType kTypes[] = {DevMapType::devmap, DevMapType::devmap_hash};

void add_live(Adding& adding) {
  adding.add(kFloor, {.route = {.way = Way::drop}}, {.baseline = kFloor});
  adding.add("live/redirect", {.route = {.way = Way::redirect}}, {});
  for (const auto type : kTypes) {
    const auto map = map_name(type);
    // The reference itself is told to the floor.
    adding.add("live/redirect_map/" + map, {.route = {.type = type, .slots = 64}},
               {.baseline = type == DevMapType::devmap ? kFloor : kReference});
    adding.add("live/redirect_map_miss/" + map, {.route = {.way = Way::miss, .type = type, .slots = 64}}, {});
    for (const auto& [egress, name] :
         {std::pair{Egress::pass, "pass"}, std::pair{Egress::rewrite, "rewrite"}, std::pair{Egress::drop, "drop"}}) {
      adding.add(fmt::format("live/egress_{}/{}", name, map), {.route = {.type = type, .slots = 64, .egress = egress}},
                 {});
    }
  }
}

void add_batches_and_lengths(Adding& adding) {
  for (const std::uint32_t batch : {1U, 2U, 4U, 8U, 16U, 17U, 32U, 128U, 192U, 256U}) {
    // The ring of a veth device has 256 places: above 128 frames a batch a few get lost, and the figure is void.
    const bool standard = batch == 1 || batch == 16 || batch == 128;
    const auto chunk = batch < 8 ? kSomeFrames : kManyFrames;
    adding.add(fmt::format("live/redirect_map/devmap/batch:{}", batch), {.route = {.slots = 64}, .batch = batch},
               {.chunk = chunk, .standard = standard});
    adding.add(fmt::format("live/drop/batch:{}", batch), {.route = {.way = Way::drop}, .batch = batch},
               {.baseline = kFloor, .chunk = chunk, .standard = standard});
  }
  for (const std::uint32_t length : {512U, 1500U}) {
    adding.add(fmt::format("live/redirect_map/devmap/bytes:{}", length), {.route = {.slots = 64}, .length = length},
               {});
    adding.add(fmt::format("live/drop/bytes:{}", length), {.route = {.way = Way::drop}, .length = length},
               {.baseline = kFloor});
  }
}

void add_broadcasts(Adding& adding) {
  for (const auto type : kTypes) {
    const auto map = map_name(type);
    for (const std::uint32_t devices : {1U, 2U, 4U, 8U, 16U, 32U}) {
      for (const std::uint32_t batch : {16U, 64U}) {
        adding.add(fmt::format("live/broadcast/{}/devices:{}/batch:{}", map, devices, batch),
                   {.route = {.way = Way::broadcast, .type = type, .devices = devices}, .batch = batch},
                   {.chunk = devices > 4 ? kFewFrames : kSomeFrames,
                    .standard = batch == 16 ? devices == 1 || devices == 4 || devices == 32 : devices == 1});
      }
    }
    for (const std::uint32_t slots : {64U, 1024U, 4096U}) {
      adding.add(fmt::format("live/broadcast/{}/devices:1/slots:{}", map, slots),
                 {.route = {.way = Way::broadcast, .type = type, .slots = slots}},
                 {.baseline = fmt::format("live/broadcast/{}/devices:1/batch:64", map),
                  .chunk = slots > 64 ? kFewFrames : kSomeFrames,
                  .standard = slots == 4096});
    }
    adding.add(fmt::format("live/broadcast_exclude_ingress/{}/devices:4", map),
               {.route = {.way = Way::broadcast, .type = type, .devices = 4, .exclude_ingress = true}, .batch = 16},
               {.baseline = fmt::format("live/broadcast/{}/devices:4/batch:16", map),
                .chunk = kSomeFrames,
                .standard = false});
    adding.add(fmt::format("live/broadcast/{}/devices:4/bytes:1500", map),
               {.route = {.way = Way::broadcast, .type = type, .devices = 4}, .length = 1500, .batch = 16},
               {.baseline = fmt::format("live/broadcast/{}/devices:4/batch:16", map), .chunk = kSomeFrames});
  }
}

void add_generic(Adding& adding) {
  const auto add = [&](const std::string& name, const RouteSpec& route, Mode sink_mode) {
    adding.add("generic/" + name,
               {.route = route, .source = Source::passed, .mode = Mode::generic, .sink_mode = sink_mode},
               {.baseline = "generic/drop", .chunk = kSomeFrames});
  };
  add("drop", {.way = Way::drop}, Mode::native);
  add("redirect", {.way = Way::redirect}, Mode::native);
  for (const auto type : kTypes) {
    const auto map = map_name(type);
    add("redirect_map/" + map, {.type = type, .slots = 64}, Mode::native);
    add("redirect_map/" + map + "/generic_peer", {.type = type, .slots = 64}, Mode::generic);
    add("egress_pass/" + map, {.type = type, .slots = 64, .egress = Egress::pass}, Mode::native);
    add("broadcast/" + map + "/devices:4", {.way = Way::broadcast, .type = type, .devices = 4}, Mode::native);
  }
}

/// The way that works on every kernel: live frames came with 5.18.
void add_packets(Adding& adding) {
  const auto add = [&](const std::string& name, const RouteSpec& route, Mode mode, std::uint32_t length = 64) {
    adding.add(
        "packet/" + name, {.route = route, .source = Source::packet, .length = length, .mode = mode},
        {.baseline = length == 64 ? "packet/drop" : fmt::format("packet/drop/bytes:{}", length), .chunk = kSomeFrames});
  };
  add("drop", {.way = Way::drop}, Mode::native);
  add("redirect", {.way = Way::redirect}, Mode::native);
  for (const auto type : kTypes) {
    const auto map = map_name(type);
    add("redirect_map/" + map, {.type = type, .slots = 64}, Mode::native);
    add("egress_pass/" + map, {.type = type, .slots = 64, .egress = Egress::pass}, Mode::native);
    add("redirect_map/" + map + "/generic", {.type = type, .slots = 64}, Mode::generic);
  }
  add("broadcast/devmap/devices:4", {.way = Way::broadcast, .devices = 4}, Mode::native);
  // In several buffers from here on: live frames never are.
  for (const std::uint32_t length : {1500U, 9000U}) {
    add(fmt::format("drop/bytes:{}", length), {.way = Way::drop}, Mode::native, length);
    add(fmt::format("redirect_map/devmap/bytes:{}", length), {.slots = 64}, Mode::native, length);
  }
}

void add_parallel(Adding& adding) {
  const auto add = [&](const std::string& name, DevMapType type, std::uint32_t processors,
                       std::function<Expected<std::unique_ptr<Workload>>()> prepare) {
    adding.add({.name = fmt::format("{}/{}", name, map_name(type)),
                .facts = {.map_type = map_name(type),
                          .max_entries = 2,
                          .frame_length = 64,
                          .batch = 64,
                          .peer = "native XDP_DROP",
                          .processors = processors},
                .chunk = kManyFrames,
                .piece = kManyFrames / kPieces,
                .pieces = kPieces,
                .baseline = kReference,
                .standard = true,
                .not_counted = "it takes two processors, and a counted virtual machine has one",
                .needs = {features::veth(), features::live_frames(), two_own_processors()},
                .prepare = std::move(prepare)});
  };
  for (const auto type : kTypes) {
    add("live/two_processors", type, 2, [type] { return TwoProcessors::create({.type = type}); });
    add("live/retargeting", type, 1, [type] { return Retargeting::create(type); });
  }
}

}  // namespace

void add_data_path(std::vector<Benchmark>& all) {
  Adding adding(all);
  add_live(adding);
  add_batches_and_lengths(adding);
  add_broadcasts(adding);
  add_generic(adding);
  add_packets(adding);
  add_parallel(adding);
}

}  // namespace devmap::bench
