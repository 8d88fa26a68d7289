#include <harness/bpf/map.hpp>

#include <cerrno>
#include <cstring>
#include <harness/bpf/fdinfo.hpp>
#include <harness/bpf/syscall.hpp>
#include <span>

namespace devmap {
namespace {

/// Where include/uapi/linux/bpf.h has map_token_fd since Linux 6.9.
constexpr std::size_t kMapTokenOffset = 76;

/// The reply of a command that gives nothing but success.
Reply<> plain_reply(const Asked& asked, bpf_cmd command, bpf_attr& attr) {
  const long result = sys_bpf(command, attr);
  return result < 0 ? Reply<>::refused(asked, static_cast<int>(-result)) : Reply<>::granted(asked);
}

constexpr CallForm kUpdateRaw = {
    "update",
    {{{"key at", Notation::hexadecimal}, {"value at", Notation::hexadecimal}, {"flags", Notation::update_flags}}}};
constexpr CallForm kLookupRaw = {"lookup", kUpdateRaw.arguments};
constexpr CallForm kLookupAndDeleteRaw = {"lookup and delete", kUpdateRaw.arguments};
constexpr CallForm kEraseRaw = {"delete", {{{"key at", Notation::hexadecimal}}}};
constexpr CallForm kNextKeyRaw = {"next key",
                                  {{{"key at", Notation::hexadecimal}, {"next key at", Notation::hexadecimal}}}};
constexpr CallForm kNextKeyRawWithFlags = {
    "next key",
    {{{"key at", Notation::hexadecimal}, {"next key at", Notation::hexadecimal}, {"flags", Notation::update_flags}}}};
constexpr CallForm kErase = {"delete", {{{"key"}, {"flags", Notation::update_flags}}}};
constexpr CallForm kFirstKey = {"first key"};
constexpr CallForm kNextKey = {"next key", {{{"key"}}}};

const char* batch_name(bpf_cmd command) {
  switch (command) {
    case BPF_MAP_LOOKUP_BATCH:
      return "batch lookup";
    case BPF_MAP_LOOKUP_AND_DELETE_BATCH:
      return "batch lookup and delete";
    case BPF_MAP_UPDATE_BATCH:
      return "batch update";
    case BPF_MAP_DELETE_BATCH:
      return "batch delete";
    default:
      return "no batch command";
  }
}

}  // namespace

Reply<Map> Map::create(const MapSpec& spec) {
  bpf_attr attr{};
  attr.map_type = spec.type;
  attr.key_size = spec.key_size;
  attr.value_size = spec.value_size;
  attr.max_entries = spec.max_entries;
  attr.map_flags = spec.map_flags;
  attr.inner_map_fd = spec.inner_map_fd;
  attr.numa_node = spec.numa_node;
  attr.map_ifindex = spec.map_ifindex;
  attr.btf_fd = spec.btf_fd;
  attr.btf_key_type_id = spec.btf_key_type_id;
  attr.btf_value_type_id = spec.btf_value_type_id;
  attr.btf_vmlinux_value_type_id = spec.btf_vmlinux_value_type_id;
  attr.map_extra = spec.map_extra;
  std::memcpy(attr.map_name, spec.name.data(), std::min(spec.name.size(), sizeof attr.map_name));
  std::memcpy(std::as_writable_bytes(std::span(&attr, 1)).subspan<kMapTokenOffset, sizeof spec.token_fd>().data(),
              &spec.token_fd, sizeof spec.token_fd);
  const long result = sys_bpf(BPF_MAP_CREATE, attr);
  const Asked asked = Asked("map create", {{"type", spec.type},
                                           {"key_size", spec.key_size},
                                           {"value_size", spec.value_size},
                                           {"max_entries", spec.max_entries},
                                           {"map_flags", spec.map_flags, Notation::map_flags}})
                          .unless_zero({"inner_map_fd", spec.inner_map_fd})
                          .unless_zero({"numa_node", spec.numa_node})
                          .unless_zero({"map_ifindex", spec.map_ifindex})
                          .unless_zero({"btf_fd", spec.btf_fd})
                          .unless_zero({"btf_key_type_id", spec.btf_key_type_id})
                          .unless_zero({"btf_value_type_id", spec.btf_value_type_id})
                          .unless_zero({"btf_vmlinux_value_type_id", spec.btf_vmlinux_value_type_id})
                          .unless_zero({"map_extra", spec.map_extra})
                          .unless_zero({"map_token_fd", static_cast<std::uint64_t>(spec.token_fd)});
  if (result < 0) return Reply<Map>::refused(asked, static_cast<int>(-result));
  return Reply<Map>::granted(asked, Map(UniqueFd(static_cast<int>(result))));
}

Reply<Map> Map::open_by_id(std::uint32_t id, std::uint32_t open_flags) {
  bpf_attr attr{};
  attr.map_id = id;
  attr.open_flags = open_flags;
  const long result = sys_bpf(BPF_MAP_GET_FD_BY_ID, attr);
  const Asked asked("map open by id", {{"id", id}, {"open_flags", open_flags, Notation::map_flags}});
  if (result < 0) return Reply<Map>::refused(asked, static_cast<int>(-result));
  return Reply<Map>::granted(asked, Map(UniqueFd(static_cast<int>(result))));
}

Reply<Map> Map::open_pinned(const std::string& path, std::uint32_t file_flags) {
  bpf_attr attr{};
  attr.pathname = pointer_word(path.c_str());
  attr.file_flags = file_flags;
  const long result = sys_bpf(BPF_OBJ_GET, attr);
  const Asked asked("open pinned map", {{"file_flags", file_flags, Notation::map_flags}});
  if (result < 0) return Reply<Map>::refused(asked, static_cast<int>(-result));
  return Reply<Map>::granted(asked, Map(UniqueFd(static_cast<int>(result))));
}

Reply<> Map::update_raw(const void* key, const void* value, std::uint64_t flags) const {
  return Reply<>::ended(element(BPF_MAP_UPDATE_ELEM, key, value, flags), {}, kUpdateRaw, pointer_word(key),
                        pointer_word(value), flags);
}

Reply<> Map::lookup_raw(const void* key, void* value, std::uint64_t flags) const {
  return Reply<>::ended(element(BPF_MAP_LOOKUP_ELEM, key, value, flags), {}, kLookupRaw, pointer_word(key),
                        pointer_word(value), flags);
}

Reply<> Map::lookup_and_delete_raw(const void* key, void* value, std::uint64_t flags) const {
  return Reply<>::ended(element(BPF_MAP_LOOKUP_AND_DELETE_ELEM, key, value, flags), {}, kLookupAndDeleteRaw,
                        pointer_word(key), pointer_word(value), flags);
}

Reply<> Map::erase_raw(const void* key) const {
  return Reply<>::ended(element(BPF_MAP_DELETE_ELEM, key, nullptr, 0), {}, kEraseRaw, pointer_word(key));
}

Reply<> Map::next_key_raw(const void* key, void* next_key, std::uint64_t flags) const {
  const long result = element(BPF_MAP_GET_NEXT_KEY, key, next_key, flags);
  return Reply<>::ended(result, {}, flags == 0 ? kNextKeyRaw : kNextKeyRawWithFlags, pointer_word(key),
                        pointer_word(next_key), flags);
}

Reply<> Map::erase(std::uint32_t key, std::uint64_t flags) const {
  return Reply<>::ended(element(BPF_MAP_DELETE_ELEM, &key, nullptr, flags), {}, kErase, key, flags);
}

Reply<std::uint32_t> Map::next_key(std::optional<std::uint32_t> key) const {
  std::uint32_t next = 0;
  const long result = element(BPF_MAP_GET_NEXT_KEY, key ? &*key : nullptr, &next, 0);
  return Reply<std::uint32_t>::ended(result, next, key ? kNextKey : kFirstKey, key.value_or(0));
}

Reply<> Map::batch(bpf_cmd command, BatchSpec& spec) const {
  bpf_attr attr{};
  attr.batch.in_batch = pointer_word(spec.in_batch);
  attr.batch.out_batch = pointer_word(spec.out_batch);
  attr.batch.keys = pointer_word(spec.keys);
  attr.batch.values = pointer_word(spec.values);
  attr.batch.count = spec.count;
  attr.batch.map_fd = static_cast<std::uint32_t>(fd());
  attr.batch.elem_flags = spec.element_flags;
  const Asked asked(batch_name(command), {{"count", spec.count}});
  auto reply = plain_reply(asked, command, attr);
  spec.count = attr.batch.count;
  return reply;
}

Reply<MapInfo> Map::info() const {
  bpf_map_info raw{};
  bpf_attr attr{};
  attr.info.bpf_fd = static_cast<std::uint32_t>(fd());
  attr.info.info_len = sizeof raw;
  attr.info.info = pointer_word(&raw);
  const long result = sys_bpf(BPF_OBJ_GET_INFO_BY_FD, attr);
  const Asked asked("map info", {});
  if (result < 0) return Reply<MapInfo>::refused(asked, static_cast<int>(-result));
  return Reply<MapInfo>::granted(asked, MapInfo{.type = raw.type,
                                                .id = raw.id,
                                                .key_size = raw.key_size,
                                                .value_size = raw.value_size,
                                                .max_entries = raw.max_entries,
                                                .map_flags = raw.map_flags,
                                                .name = std::string(raw.name, strnlen(raw.name, sizeof raw.name)),
                                                .ifindex = raw.ifindex,
                                                .btf_id = raw.btf_id,
                                                .btf_key_type_id = raw.btf_key_type_id,
                                                .btf_value_type_id = raw.btf_value_type_id,
                                                .btf_vmlinux_value_type_id = raw.btf_vmlinux_value_type_id,
                                                .map_extra = raw.map_extra});
}

Reply<> Map::freeze() const {
  bpf_attr attr{};
  attr.map_fd = static_cast<std::uint32_t>(fd());
  return plain_reply(Asked("freeze", {}), BPF_MAP_FREEZE, attr);
}

Reply<> Map::pin(const std::string& path) const {
  bpf_attr attr{};
  attr.pathname = pointer_word(path.c_str());
  attr.bpf_fd = static_cast<std::uint32_t>(fd());
  return plain_reply(Asked("pin", {}), BPF_OBJ_PIN, attr);
}

Expected<std::optional<std::uint64_t>> Map::fdinfo(std::string_view field) const {
  return read_fdinfo(fd(), field);
}

}  // namespace devmap
