#include <cases/life.hpp>
#include <cases/support.hpp>
#include <harness/bpf/map_of_maps.hpp>
#include <harness/net/link.hpp>
#include <harness/spec/case.hpp>

#include <array>
#include <cerrno>

namespace devmap::cases {
namespace {

constexpr std::uint32_t kEntries = 4;
constexpr std::uint32_t kPresent = 1;
constexpr std::uint32_t kMissing = 2;
constexpr std::uint32_t kSlot = 0;
constexpr std::array kOuterTypes{BPF_MAP_TYPE_ARRAY_OF_MAPS, BPF_MAP_TYPE_HASH_OF_MAPS};
const std::string kMetaEqual = "kernel/bpf/map_in_map.c:bpf_map_meta_equal";
const std::string kMetaAlloc = "kernel/bpf/map_in_map.c:bpf_map_meta_alloc";

DevMapType other_type(DevMapType type) {
  return type == DevMapType::devmap ? DevMapType::devmap_hash : DevMapType::devmap;
}

/// Both kinds of outer map, made for inner maps like this one, must refuse `odd`; `how` says what is odd about it.
void refuses_inner(Case& c, const Map& like, const Map& odd, const char* how) {
  c.note(std::string("an inner map ") + how + "; the control is the one the outer map was made with");
  for (const auto type : kOuterTypes) {
    const auto outer = c.must(MapOfMaps::create(type, like));
    c.refuses(outer.put(kSlot, odd), EINVAL).control(outer.put(kSlot, like));
  }
}

/// Both kinds of outer map, made for inner maps like the first, must take the second; `how` says how it differs.
void takes_inner(Case& c, const Map& like, const Map& inner, const char* how) {
  c.note(std::string("an inner map ") + how);
  for (const auto type : kOuterTypes) c.succeeds(c.must(MapOfMaps::create(type, like)).put(kSlot, inner));
}

/// A program that looks the inner map up and returns what bpf_redirect_map returns for it.
Program redirecting_through(Case& c, const MapOfMaps& outer, std::uint32_t key, std::uint64_t flags) {
  constexpr std::int32_t kNoInnerMap = 99;
  Assembler assembler;
  const auto missing = assembler.label();
  assembler.lookup(outer, kSlot)
      .jump_if(Condition::equal, Register::r0, 0, missing)
      .move(Register::r1, Register::r0)
      .load_immediate(Register::r2, key)
      .load_immediate(Register::r3, flags)
      .call(BPF_FUNC_redirect_map)
      .exit()
      .place(missing)
      .return_value(kNoInnerMap);
  return c.program(assembler);
}

void add_nesting_rules(Registry& rules) {
  rules.add({
      .id = "life.device-maps-can-be-inner-maps",
      .states = "Arrays and hashes of maps can be made for device maps, and take them.",
      .source = {kMetaAlloc},
      .catalogue = {"LIFE-13"},
      .variants = any_map(4),
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            for (const auto type : kOuterTypes) {
              const auto outer = c.succeeds(MapOfMaps::create(type, map));
              c.succeeds(outer.put(kSlot, map));
              c.equals("the id of the inner map", c.succeeds(outer.lookup<std::uint32_t>(kSlot)),
                       c.must(map.info()).id);
            }
          },
  });

  rules.add({
      .id = "life.inner-map-may-differ-in-max-entries",
      .states = "An inner device map may have another max_entries than the one the outer map was made with.",
      .since = {.major = 5, .minor = 10},
      .source = {kMetaEqual},
      .catalogue = {"LIFE-13"},
      .variants = any_map(4),
      .check =
          [](Case& c) {
            const auto like = c.devmap(kEntries);
            takes_inner(c, like, c.devmap(1), "with max_entries 1 instead of 4");
            takes_inner(c, like, c.devmap(1000), "with max_entries 1000 instead of 4");
          },
  });

  rules.add({
      .id = "life.inner-map-may-differ-in-access-mode",
      .states = "An inner device map may have been created with BPF_F_RDONLY or BPF_F_WRONLY, also where the one the "
                "outer map was made with was not.",
      .source = {kMetaEqual},
      .catalogue = {"LIFE-13"},
      .variants = any_map(4),
      .check =
          [](Case& c) {
            const auto like = c.devmap(kEntries);
            takes_inner(c, like, c.devmap(kEntries, BPF_F_RDONLY), "created with BPF_F_RDONLY");
            takes_inner(c, like, c.devmap(kEntries, BPF_F_WRONLY), "created with BPF_F_WRONLY");
          },
  });

  rules.add({
      .id = "life.inner-map-of-other-type-is-einval",
      .states = "An outer map made with a device map of one type refuses one of the other with EINVAL.",
      .refuses = {EINVAL},
      .source = {kMetaEqual},
      .catalogue = {"LIFE-13"},
      .variants = any_map(4),
      .check =
          [](Case& c) {
            const auto like = c.devmap(kEntries);
            const auto odd = c.must(
                DevMap::create({.type = other_type(c.type()), .value_size = c.value_size(), .max_entries = kEntries}));
            refuses_inner(c, like, odd, "of the other type");
          },
  });

  rules.add({
      .id = "life.inner-map-of-other-value-size-is-einval",
      .states = "An outer map made with a device map with values of one size refuses one with the other with EINVAL.",
      .refuses = {EINVAL},
      .source = {kMetaEqual},
      .catalogue = {"LIFE-13"},
      .check =
          [](Case& c) {
            const auto like = c.devmap(kEntries);
            const std::uint32_t other_size = c.value_size() == 4 ? 8 : 4;
            const auto odd =
                c.must(DevMap::create({.type = c.type(), .value_size = other_size, .max_entries = kEntries}));
            refuses_inner(c, like, odd, "with the other value_size");
          },
  });

  rules.add({
      .id = "life.inner-map-of-other-numa-flag-is-einval",
      .states = "An outer map made with a device map without BPF_F_NUMA_NODE refuses one with it with EINVAL, and the "
                "other way round.",
      .refuses = {EINVAL},
      .source = {kMetaEqual},
      .catalogue = {"LIFE-13"},
      .variants = any_map(4),
      .check =
          [](Case& c) {
            const auto plain = c.devmap(kEntries);
            const auto on_node = c.devmap(kEntries, BPF_F_NUMA_NODE);
            refuses_inner(c, plain, on_node, "with BPF_F_NUMA_NODE");
            refuses_inner(c, on_node, plain, "without BPF_F_NUMA_NODE");
          },
  });
}

void add_redirect_rules(Registry& rules) {
  rules.add({
      .id = "life.redirect-through-inner-map",
      .states =
          "bpf_redirect_map on an inner map that the program looked up returns what it returns on the map itself: "
          "XDP_REDIRECT for a key that is present, the low bits of flags for one that is not.",
      .source = {"kernel/bpf/verifier.c:check_map_func_compatibility"},
      .catalogue = {"LIFE-14"},
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            c.must(map.update(kPresent, {.ifindex = kLoopback}));
            for (const auto type : kOuterTypes) {
              const auto outer = c.must(MapOfMaps::create(type, map));
              c.must(outer.put(kSlot, map));
              const auto returns = [&](std::uint32_t key, std::uint64_t flags, std::uint32_t action) {
                c.equals(fmt::format("bpf_redirect_map(inner map, key {}, flags {})", key, flags),
                         returned_by(c, redirecting_through(c, outer, key, flags)), action);
              };
              returns(kPresent, XDP_DROP, XDP_REDIRECT);
              for (const auto action : {XDP_ABORTED, XDP_DROP, XDP_PASS, XDP_TX}) {
                returns(kMissing, action, action);
                returns(kEntries, action, action);
              }
              constexpr std::uint64_t kUnknownFlag = 0x20;
              returns(kPresent, kUnknownFlag, XDP_ABORTED);
            }
          },
  });

  rules.add({
      .id = "life.inner-map-can-be-replaced-under-a-program",
      .states = "A program that redirects through an inner map follows when the outer map is given another one.",
      .source = {kMetaEqual},
      .catalogue = {"LIFE-13", "LIFE-14"},
      .variants = any_map(4),
      .check =
          [](Case& c) {
            const auto empty = c.devmap(kEntries);
            const auto filled = c.devmap(kEntries);
            c.must(filled.update(kPresent, {.ifindex = kLoopback}));
            for (const auto type : kOuterTypes) {
              const auto outer = c.must(MapOfMaps::create(type, empty));
              c.must(outer.put(kSlot, empty));
              const auto program = redirecting_through(c, outer, kPresent, XDP_DROP);
              c.equals("bpf_redirect_map through an empty map", returned_by(c, program), XDP_DROP);
              c.succeeds(outer.put(kSlot, filled));
              c.equals("bpf_redirect_map through a filled map", returned_by(c, program), XDP_REDIRECT);
            }
          },
  });
}

}  // namespace

void add_life_inner_rules(Registry& rules) {
  add_nesting_rules(rules);
  add_redirect_rules(rules);
}

}  // namespace devmap::cases
