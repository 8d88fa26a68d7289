#include <bench/helpers/helper_calls.hpp>
#include <bench/measure/benchmark.hpp>

#include <fmt/format.h>
#include <array>
#include <harness/bpf/devmap.hpp>
#include <harness/bpf/features.hpp>
#include <harness/net/link.hpp>
#include <string>

// The helpers of programs.
namespace devmap::bench {
namespace {

constexpr std::uint32_t kEntries = 64;
constexpr std::uint32_t kPresent = 1;
constexpr std::uint32_t kMissing = 2;
/// Beside this, reading the clock and entering the kernel do not count.
constexpr std::uint64_t kCalls = 64 * 50'000;
constexpr std::uint32_t kPieces = 10;

using Prepare = std::function<Expected<std::unique_ptr<Workload>>()>;

/// One element.
Expected<std::shared_ptr<const DevMap>> device_map(DevMapType type) {
  auto map = DevMap::create({.type = type, .max_entries = kEntries}).expected();
  if (!map) return std::unexpected(map.error());
  if (auto put = map->update(kPresent, {.ifindex = kLoopback}).expected(); !put) return std::unexpected(put.error());
  return std::make_shared<const DevMap>(std::move(*map));
}

Prepare redirecting(DevMapType type, std::uint32_t key, std::uint64_t flags, std::uint32_t expected) {
  return [=]() -> Expected<std::unique_ptr<Workload>> {
    const auto map = device_map(type);
    if (!map) return std::unexpected(map.error());
    return HelperCalls::create(
        {.call = [map = *map, key, flags](Assembler& code) { code.redirect_map(*map, key, flags); },
         .expected = expected,
         .owned = *map});
  };
}

Expected<std::unique_ptr<Workload>> redirecting_by_ifindex() {
  return HelperCalls::create({.call =
                                  [](Assembler& code) {
                                    code.move(Register::r1, static_cast<std::int32_t>(kLoopback))
                                        .move(Register::r2, 0)
                                        .call(BPF_FUNC_redirect);
                                  },
                              .expected = XDP_REDIRECT});
}

/// Looks an element up; what is found is a pointer, so a number is returned in its place.
Expected<std::unique_ptr<Workload>> looking_up(const std::shared_ptr<const Map>& map) {
  return HelperCalls::create({.call =
                                  [map](Assembler& code) {
                                    code.lookup(*map, kPresent);
                                    code.move(Register::r0, XDP_PASS);
                                  },
                              .expected = XDP_PASS,
                              .owned = map});
}

Prepare looking_up_device(DevMapType type) {
  return [=]() -> Expected<std::unique_ptr<Workload>> {
    const auto map = device_map(type);
    if (!map) return std::unexpected(map.error());
    return looking_up(*map);
  };
}

Prepare looking_up_plain(bpf_map_type type) {
  return [=]() -> Expected<std::unique_ptr<Workload>> {
    auto map = Map::create({.type = type, .max_entries = kEntries}).expected();
    if (!map) return std::unexpected(map.error());
    if (auto put = map->update(kPresent, std::uint32_t{1}).expected(); !put) return std::unexpected(put.error());
    return looking_up(std::make_shared<const Map>(std::move(*map)));
  };
}

}  // namespace

void add_helpers(std::vector<Benchmark>& all) {
  const auto add = [&](const std::string& what, const std::string& map, const std::string& baseline, Prepare prepare) {
    all.push_back({.name = map.empty() ? fmt::format("helper/{}", what) : fmt::format("helper/{}/{}", what, map),
                   .facts = {.map_type = map, .max_entries = map.empty() ? 0 : kEntries},
                   .chunk = kCalls,
                   .piece = kCalls / kPieces,
                   .pieces = kPieces,
                   .baseline = baseline,
                   .standard = true,
                   .by_slope = true,
                   .prepare = std::move(prepare)});
  };
  add("redirect", "", "", redirecting_by_ifindex);
  for (const auto type : {DevMapType::devmap, DevMapType::devmap_hash}) {
    const std::string map(name_of(type));
    add("redirect_map_hit", map, "helper/redirect", redirecting(type, kPresent, 0, XDP_REDIRECT));
    add("redirect_map_miss", map, "helper/redirect", redirecting(type, kMissing, XDP_PASS, XDP_PASS));
    add("redirect_map_broadcast", map, "helper/redirect", redirecting(type, kPresent, BPF_F_BROADCAST, XDP_REDIRECT));
    add("map_lookup_elem", map, "helper/map_lookup_elem/array", looking_up_device(type));
  }
  add("map_lookup_elem", "array", "", looking_up_plain(BPF_MAP_TYPE_ARRAY));
  add("map_lookup_elem", "hash", "helper/map_lookup_elem/array", looking_up_plain(BPF_MAP_TYPE_HASH));
}

}  // namespace devmap::bench
