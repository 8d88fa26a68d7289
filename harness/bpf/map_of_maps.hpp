#pragma once

#include <harness/bpf/map.hpp>
#include <harness/bpf/reply.hpp>

#include <cstdint>

namespace devmap {

/// A map whose values are other maps (BPF_MAP_TYPE_ARRAY_OF_MAPS or BPF_MAP_TYPE_HASH_OF_MAPS), with 32-bit keys.
class MapOfMaps : public Map {
 public:
  /// The inner map only shows what later ones must be like; it is not put in.
  [[nodiscard]] static Reply<MapOfMaps> create(bpf_map_type type, const Map& like, std::uint32_t max_entries = 4);

  /// Updates the element with the descriptor of an inner map (kernel/bpf/map_in_map.c:bpf_map_fd_get_ptr).
  [[nodiscard]] Reply<> put(std::uint32_t key, const Map& inner) const;

 private:
  MapOfMaps(Map map, bpf_map_type type) : Map(std::move(map)), type_(type) {}
  bpf_map_type type_;
};

}  // namespace devmap
