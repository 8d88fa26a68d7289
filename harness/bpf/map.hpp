#pragma once

#include <linux/bpf.h>
#include <harness/base/unique_fd.hpp>
#include <harness/bpf/reply.hpp>
#include <harness/bpf/syscall.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace devmap {

/// BPF_F_TOKEN_FD of include/uapi/linux/bpf.h, which the headers of Linux 6.1 lack.
inline constexpr std::uint32_t kTokenFlag = 1U << 16;

/// Every attribute of BPF_MAP_CREATE, as the kernel takes it.
struct MapSpec {
  std::uint32_t type = BPF_MAP_TYPE_UNSPEC;
  std::uint32_t key_size = 4;
  std::uint32_t value_size = 4;
  std::uint32_t max_entries = 1;
  std::uint32_t map_flags = 0;
  std::uint32_t inner_map_fd = 0;
  std::uint32_t numa_node = 0;
  std::uint32_t map_ifindex = 0;
  std::uint32_t btf_fd = 0;
  std::uint32_t btf_key_type_id = 0;
  std::uint32_t btf_value_type_id = 0;
  std::uint32_t btf_vmlinux_value_type_id = 0;
  std::uint64_t map_extra = 0;
  /// map_token_fd of Linux 6.9, looked at with kTokenFlag only.
  std::int32_t token_fd = 0;
  /// At most 16 bytes, with a NUL only where there is room for one: the kernel's own limit can be tried.
  std::string name = {};
};

/// BPF_OBJ_GET_INFO_BY_FD of a map.
struct MapInfo {
  std::uint32_t type, id, key_size, value_size, max_entries, map_flags;
  std::string name;
  std::uint32_t ifindex, btf_id, btf_key_type_id, btf_value_type_id, btf_vmlinux_value_type_id;
  std::uint64_t map_extra;
};

/// One BPF map of any type, by its descriptor. Keys and values are raw memory here; see DevMap for the typed form.
class Map {
 public:
  [[nodiscard]] static Reply<Map> create(const MapSpec& spec);
  /// BPF_MAP_GET_FD_BY_ID; open_flags: 0, BPF_F_RDONLY or BPF_F_WRONLY.
  [[nodiscard]] static Reply<Map> open_by_id(std::uint32_t id, std::uint32_t open_flags = 0);
  /// BPF_OBJ_GET of a pinned map; file_flags: 0, BPF_F_RDONLY or BPF_F_WRONLY.
  [[nodiscard]] static Reply<Map> open_pinned(const std::string& path, std::uint32_t file_flags = 0);

  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  void close() noexcept { fd_.reset(); }

  // Elements by address, so that bad addresses can be tried; null is a legal key of next_key_raw. `flags` fills the
  // attribute word also of the command that has none (BPF_MAP_GET_NEXT_KEY).
  [[nodiscard]] Reply<> update_raw(const void* key, const void* value, std::uint64_t flags = BPF_ANY) const;
  [[nodiscard]] Reply<> lookup_raw(const void* key, void* value, std::uint64_t flags = 0) const;
  [[nodiscard]] Reply<> lookup_and_delete_raw(const void* key, void* value, std::uint64_t flags = 0) const;
  [[nodiscard]] Reply<> erase_raw(const void* key) const;
  [[nodiscard]] Reply<> next_key_raw(const void* key, void* next_key, std::uint64_t flags = 0) const;

  // Elements of maps with a 32-bit key. `Value` is the map's whole value.
  template <class Value>
  [[nodiscard]] Reply<> update(std::uint32_t key, const Value& value, std::uint64_t flags = BPF_ANY) const {
    const auto shown = [&value] {
      if constexpr (std::is_integral_v<Value>) {
        return static_cast<std::uint64_t>(value);
      } else {
        return pointer_word(&value);
      }
    }();
    return Reply<>::ended(element(BPF_MAP_UPDATE_ELEM, &key, &value, flags), {},
                          std::is_integral_v<Value> ? kUpdateNumber : kUpdate, key, shown, flags);
  }
  template <class Value>
  [[nodiscard]] Reply<Value> lookup(std::uint32_t key, std::uint64_t flags = 0) const {
    Value value{};
    const long result = element(BPF_MAP_LOOKUP_ELEM, &key, &value, flags);
    return Reply<Value>::ended(result, value, kLookup, key, flags);
  }
  /// `flags` fills the attribute word that BPF_MAP_DELETE_ELEM does not have.
  [[nodiscard]] Reply<> erase(std::uint32_t key, std::uint64_t flags = 0) const;
  /// The key after this one; without a key, the first.
  [[nodiscard]] Reply<std::uint32_t> next_key(std::optional<std::uint32_t> key) const;

  /// The attributes of the batch commands.
  struct BatchSpec {
    void* in_batch = nullptr;
    void* out_batch = nullptr;
    void* keys = nullptr;
    void* values = nullptr;
    /// In: elements offered or asked for. Out: what the kernel wrote back, also when it refused.
    std::uint32_t count = 0;
    std::uint64_t element_flags = 0;
  };
  /// BPF_MAP_LOOKUP_BATCH or one of its three siblings.
  [[nodiscard]] Reply<> batch(bpf_cmd command, BatchSpec& spec) const;

  [[nodiscard]] Reply<MapInfo> info() const;
  [[nodiscard]] Reply<> freeze() const;
  [[nodiscard]] Reply<> pin(const std::string& path) const;

  /// A line of /proc/self/fdinfo ("memlock", "frozen", "owner_prog_type"); nothing where this kernel has no such line.
  [[nodiscard]] Expected<std::optional<std::uint64_t>> fdinfo(std::string_view field) const;

 protected:
  explicit Map(UniqueFd fd) : fd_(std::move(fd)) {}

  static constexpr CallForm kUpdate = {
      "update", {{{"key"}, {"value at", Notation::hexadecimal}, {"flags", Notation::update_flags}}}};
  static constexpr CallForm kUpdateNumber = {"update", {{{"key"}, {"value"}, {"flags", Notation::update_flags}}}};
  static constexpr CallForm kLookup = {"lookup", {{{"key"}, {"flags", Notation::update_flags}}}};
  static constexpr CallForm kLookupAndDelete = {"lookup and delete", kLookup.arguments};

  /// One of the five commands on one element, each with the words it has: 0 or -errno.
  [[nodiscard]] long element(bpf_cmd command, const void* key, const void* value, std::uint64_t flags) const noexcept {
    bpf_attr attr{};
    attr.map_fd = static_cast<std::uint32_t>(fd());
    attr.key = pointer_word(key);
    attr.value = pointer_word(value);  // the same word as next_key
    attr.flags = flags;
    return sys_bpf(command, attr);
  }

 private:
  UniqueFd fd_;
};

}  // namespace devmap
