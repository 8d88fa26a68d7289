#pragma once

#include <harness/bpf/map.hpp>

#include <cstdint>
#include <string_view>

namespace devmap {

/// The two device map types, by their kernel numbers.
enum class DevMapType : std::uint32_t { devmap = BPF_MAP_TYPE_DEVMAP, devmap_hash = BPF_MAP_TYPE_DEVMAP_HASH };

/// "devmap" or "devmap_hash".
[[nodiscard]] std::string_view name_of(DevMapType type);

/// One element as an update takes it: an ifindex, and in maps with 8-byte values the descriptor of an egress program
/// (0 or less for none).
struct Target {
  std::uint32_t ifindex = 0;
  std::int32_t program_fd = 0;
};

/// One element as a lookup gives it: in maps with 8-byte values the second word is the id of the egress program, 0
/// where there is none or the map has 4-byte values.
struct Element {
  std::uint32_t ifindex = 0;
  std::uint32_t program_id = 0;

  friend bool operator==(const Element&, const Element&) = default;
};

/// A device map with 32-bit keys and values of 4 bytes (ifindex) or 8 (struct bpf_devmap_val). To create one with
/// attributes that no device map may have, use Map::create.
class DevMap : public Map {
 public:
  /// The attributes a device map may vary in; whatever else it may not is in MapSpec.
  struct Spec {
    DevMapType type = DevMapType::devmap;
    std::uint32_t value_size = 4;
    std::uint32_t max_entries = 4;
    std::uint32_t map_flags = 0;
    std::uint32_t numa_node = 0;
    std::string name = {};
  };

  [[nodiscard]] static MapSpec attributes(const Spec& spec);
  [[nodiscard]] static Reply<DevMap> create(const Spec& spec);
  [[nodiscard]] static Reply<DevMap> open_by_id(std::uint32_t id, std::uint32_t value_size,
                                                std::uint32_t open_flags = 0);
  [[nodiscard]] static Reply<DevMap> open_pinned(const std::string& path, std::uint32_t value_size,
                                                 std::uint32_t file_flags = 0);

  [[nodiscard]] std::uint32_t value_size() const noexcept { return value_size_; }

  // Here, and not in devmap.cpp: whoever makes masses of these calls is to pay for the system call alone.

  /// All eight bytes of the target are readable to the kernel, also where the map's values have four.
  [[nodiscard]] Reply<> update(std::uint32_t key, Target target, std::uint64_t flags = BPF_ANY) const {
    const long result = element(BPF_MAP_UPDATE_ELEM, &key, &target, flags);
    const auto ifindex = static_cast<std::int32_t>(target.ifindex);
    return value_size_ == sizeof(target.ifindex)
               ? Reply<>::ended(result, {}, kUpdateDevice, key, ifindex, flags)
               : Reply<>::ended(result, {}, kUpdateDeviceAndProgram, key, ifindex, target.program_fd, flags);
  }
  [[nodiscard]] Reply<Element> lookup(std::uint32_t key, std::uint64_t flags = 0) const {
    return Map::lookup<Element>(key, flags);
  }
  [[nodiscard]] Reply<Element> lookup_and_delete(std::uint32_t key, std::uint64_t flags = 0) const {
    Element found;
    const long result = element(BPF_MAP_LOOKUP_AND_DELETE_ELEM, &key, &found, flags);
    return Reply<Element>::ended(result, found, kLookupAndDelete, key, flags);
  }

 private:
  static constexpr CallForm kUpdateDevice = {
      "update", {{{"key"}, {"ifindex", Notation::signed_decimal}, {"flags", Notation::update_flags}}}};
  static constexpr CallForm kUpdateDeviceAndProgram = {"update",
                                                       {{{"key"},
                                                         {"ifindex", Notation::signed_decimal},
                                                         {"program fd", Notation::signed_decimal},
                                                         {"flags", Notation::update_flags}}}};

  DevMap(Map map, std::uint32_t value_size) : Map(std::move(map)), value_size_(value_size) {}
  [[nodiscard]] static Reply<DevMap> adopt(Reply<Map> reply, std::uint32_t value_size);

  std::uint32_t value_size_;
};

}  // namespace devmap
