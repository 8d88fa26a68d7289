#pragma once

#include <harness/base/error.hpp>
#include <harness/bpf/devmap.hpp>
#include <harness/bpf/map.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace devmap::bench {

/// A kind of map that calls are measured on: the two device maps, and the two plain ones that they are compared with.
struct MapKind {
  std::string name;
  bpf_map_type type;
  std::uint32_t value_size = sizeof(std::uint32_t);

  [[nodiscard]] bool is_device_map() const { return type == BPF_MAP_TYPE_DEVMAP || type == BPF_MAP_TYPE_DEVMAP_HASH; }
  /// Elements of arrays are always there.
  [[nodiscard]] bool can_delete() const { return type != BPF_MAP_TYPE_ARRAY; }
};

inline const MapKind kDevMapKind = {"devmap", BPF_MAP_TYPE_DEVMAP};
inline const MapKind kDevMapHashKind = {"devmap_hash", BPF_MAP_TYPE_DEVMAP_HASH};
inline const MapKind kArrayKind = {"array", BPF_MAP_TYPE_ARRAY};
inline const MapKind kHashKind = {"hash", BPF_MAP_TYPE_HASH};

/// A map with all its elements in place, or several of them where one has fewer than are measured in one piece.
/// Elements are numbered over all maps, in an order that no prefetcher of the processor follows.
class MapUnderTest {
 public:
  struct Spec {
    MapKind kind = kDevMapKind;
    std::uint32_t entries = 1;
    /// There are at least this many elements in all.
    std::uint32_t elements = 1;
    /// Elements are numbered over and over until there are at least this many numbers.
    std::uint32_t numbers = 1;
    /// The egress program of every element, in maps with 8-byte values.
    int program_fd = 0;
    /// Keys to use in place of 0 to entries - 1.
    std::vector<std::uint32_t> keys = {};
  };
  [[nodiscard]] static Expected<MapUnderTest> create(const Spec& spec);

  [[nodiscard]] std::uint64_t elements() const { return places_.size(); }
  [[nodiscard]] const Map& first_map() const { return maps_.front(); }
  /// Its address stays good while this object lives.
  [[nodiscard]] const std::uint32_t& key_of(std::uint64_t element) const { return *places_[element].key; }
  [[nodiscard]] const Target& value() const { return value_; }
  /// Elements of each map.
  [[nodiscard]] std::uint64_t keys() const { return keys_.size(); }

  // By the very system calls that are measured; the result, or -errno.
  [[nodiscard]] long update(std::uint64_t element) const noexcept;
  [[nodiscard]] long lookup(std::uint64_t element, Element& into) const noexcept;
  [[nodiscard]] long erase(std::uint64_t element) const noexcept;

 private:
  struct Place {
    const Map* map;
    const std::uint32_t* key;
  };
  MapUnderTest(std::vector<Map> maps, std::vector<std::uint32_t> keys, Target value);
  std::vector<Map> maps_;
  std::vector<std::uint32_t> keys_;
  // Worked out beforehand: a division more would be in the figures.
  std::vector<Place> places_;
  Target value_;
};

/// One of the commands on one element, as bpf(2) takes it, and nothing else: what is measured is the kernel.
[[nodiscard]] long element_call(bpf_cmd command, const Map& map, const void* key, const void* value) noexcept;

}  // namespace devmap::bench
