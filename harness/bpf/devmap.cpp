#include <harness/bpf/devmap.hpp>

#include <type_traits>

namespace devmap {

static_assert(sizeof(Target) == sizeof(bpf_devmap_val) && sizeof(Element) == sizeof(bpf_devmap_val));

std::string_view name_of(DevMapType type) {
  return type == DevMapType::devmap ? "devmap" : "devmap_hash";
}

MapSpec DevMap::attributes(const Spec& spec) {
  return {.type = static_cast<std::uint32_t>(spec.type),
          .key_size = sizeof(std::uint32_t),
          .value_size = spec.value_size,
          .max_entries = spec.max_entries,
          .map_flags = spec.map_flags,
          .numa_node = spec.numa_node,
          .name = spec.name};
}

Reply<DevMap> DevMap::adopt(Reply<Map> reply, std::uint32_t value_size) {
  if (!reply) return Reply<DevMap>::refused(reply.asked(), reply.error());
  const Asked asked = reply.asked();
  return Reply<DevMap>::granted(asked, DevMap(std::move(reply).value(), value_size));
}

Reply<DevMap> DevMap::create(const Spec& spec) {
  return adopt(Map::create(attributes(spec)), spec.value_size);
}

Reply<DevMap> DevMap::open_by_id(std::uint32_t id, std::uint32_t value_size, std::uint32_t open_flags) {
  return adopt(Map::open_by_id(id, open_flags), value_size);
}

Reply<DevMap> DevMap::open_pinned(const std::string& path, std::uint32_t value_size, std::uint32_t file_flags) {
  return adopt(Map::open_pinned(path, file_flags), value_size);
}

}  // namespace devmap
