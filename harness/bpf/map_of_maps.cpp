#include <harness/bpf/map_of_maps.hpp>

namespace devmap {
namespace {

constexpr CallForm kPutIntoArray = {"put into array of maps", {{{"key"}}}};
constexpr CallForm kPutIntoHash = {"put into hash of maps", {{{"key"}}}};

}  // namespace

Reply<MapOfMaps> MapOfMaps::create(bpf_map_type type, const Map& like, std::uint32_t max_entries) {
  auto made = Map::create({.type = type,
                           .key_size = sizeof(std::uint32_t),
                           .value_size = sizeof(std::uint32_t),
                           .max_entries = max_entries,
                           .inner_map_fd = static_cast<std::uint32_t>(like.fd())});
  const Asked asked(type == BPF_MAP_TYPE_ARRAY_OF_MAPS ? "create array of maps" : "create hash of maps",
                    {{"max_entries", max_entries}});
  if (!made) return Reply<MapOfMaps>::refused(asked, made.error());
  return Reply<MapOfMaps>::granted(asked, MapOfMaps(std::move(made).value(), type));
}

Reply<> MapOfMaps::put(std::uint32_t key, const Map& inner) const {
  const auto descriptor = static_cast<std::uint32_t>(inner.fd());
  return Reply<>::ended(element(BPF_MAP_UPDATE_ELEM, &key, &descriptor, BPF_ANY), {},
                        type_ == BPF_MAP_TYPE_ARRAY_OF_MAPS ? kPutIntoArray : kPutIntoHash, key);
}

}  // namespace devmap
