#include <bench/control/lifetimes.hpp>

#include <unistd.h>

#include <fmt/format.h>
#include <cerrno>
#include <harness/bpf/syscall.hpp>
#include <harness/net/link.hpp>
#include <memory>
#include <utility>

namespace devmap::bench {
namespace {

MapSpec spec_of(const MapKind& kind, std::uint32_t entries) {
  return {.type = kind.type, .value_size = kind.value_size, .max_entries = entries};
}

}  // namespace

Expected<void> CreateAndFree::verify() {
  const auto map = Map::create(spec_of(kind_, entries_)).expected();
  if (!map) return std::unexpected(map.error());
  const auto info = map->info().expected();
  if (!info) return std::unexpected(info.error());
  if (info->type != static_cast<std::uint32_t>(kind_.type) || info->max_entries != entries_) {
    return failure("look at a map", 0, fmt::format("type {}, max_entries {}", info->type, info->max_entries));
  }
  return {};
}

Expected<Sample> CreateAndFree::run(std::uint64_t operations, Clock clock) {
  bpf_attr attr{};
  attr.map_type = kind_.type;
  attr.key_size = sizeof(std::uint32_t);
  attr.value_size = kind_.value_size;
  attr.max_entries = entries_;
  std::uint64_t failed = 0;
  const Stopwatch stopwatch(clock);
  for (std::uint64_t map = 0; map < operations; ++map) {
    const long fd = sys_bpf(BPF_MAP_CREATE, attr);
    failed += fd < 0 || close(static_cast<int>(fd)) != 0 ? 1U : 0U;
  }
  const double spent = stopwatch.spent();
  if (failed > 0) return failure("map create", 0, fmt::format("{} of {} failed", failed, operations));
  return Sample{.operations = operations, .spent = spent};
}

Expected<std::unique_ptr<Workload>> RemoveDevice::create(const Spec& spec) {
  std::vector<Map> maps;
  for (std::uint32_t nth = 0; nth < spec.maps; ++nth) {
    auto map = Map::create(spec_of(spec.kind, spec.entries)).expected();
    if (!map) return std::unexpected(map.error());
    maps.push_back(std::move(*map));
  }
  return std::unique_ptr<Workload>(new RemoveDevice(spec, std::move(maps)));
}

Expected<std::uint32_t> RemoveDevice::put_device() const {
  const auto pair = create_veth();
  if (!pair) return std::unexpected(pair.error());
  const Target target{.ifindex = pair->first};
  for (const auto& map : maps_) {
    for (std::uint32_t key = 0; key < spec_.entries; ++key) {
      if (const long result = element_call(BPF_MAP_UPDATE_ELEM, map, &key, &target); result < 0) {
        return failure("put a device into a map", static_cast<int>(-result));
      }
    }
  }
  return pair->first;
}

Expected<void> RemoveDevice::verify() {
  const auto device = put_device();
  if (!device) return std::unexpected(device.error());
  const auto elements_there = [this](long expected) {
    Element found{};
    std::uint64_t wrong = 0;
    for (const auto& map : maps_) {
      for (std::uint32_t key = 0; key < spec_.entries; ++key) {
        wrong += element_call(BPF_MAP_LOOKUP_ELEM, map, &key, &found) != expected ? 1U : 0U;
      }
    }
    return wrong;
  };
  if (elements_there(0) != 0) return failure("look at elements", 0, "some are missing before the device is deleted");
  if (auto deleted = delete_link(*device); !deleted) return deleted;
  if (elements_there(-ENOENT) != 0) return failure("look at elements", 0, "some are there after the device is deleted");
  return {};
}

Expected<Sample> RemoveDevice::run(std::uint64_t operations, Clock clock) {
  Sample sample{.operations = operations};
  for (std::uint64_t removal = 0; removal < operations; ++removal) {
    const auto device = put_device();
    if (!device) return std::unexpected(device.error());
    const Stopwatch stopwatch(clock);
    auto deleted = delete_link(*device);
    sample.spent += stopwatch.spent();
    if (!deleted) return std::unexpected(deleted.error());
  }
  return sample;
}

}  // namespace devmap::bench
