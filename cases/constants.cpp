#include <bpf/libbpf.h>
#include <cases/chapters.hpp>
#include <cases/support.hpp>
#include <harness/net/frame.hpp>
#include <harness/net/link.hpp>
#include <harness/spec/case.hpp>

#include <array>
#include <cerrno>

// The numbers of the interface, written out here, against what the headers call them and against what the kernel does
// with them: another runtime or a loader that has them from here has them right.
namespace devmap::cases {
namespace {

constexpr Target kLo{.ifindex = kLoopback};

// The numbers.
constexpr std::uint32_t kDevmap = 14;
constexpr std::uint32_t kDevmapHash = 25;
constexpr std::int32_t kRedirectMap = 51;
constexpr std::uint32_t kXdpDevmap = 33;
constexpr std::uint64_t kNoexist = 1;
constexpr std::uint64_t kExist = 2;
constexpr std::uint64_t kBroadcast = 8;
constexpr std::uint64_t kExcludeIngress = 16;
constexpr std::uint32_t kAborted = 0;
constexpr std::uint32_t kDrop = 1;
constexpr std::uint32_t kPass = 2;
constexpr std::uint32_t kTx = 3;
constexpr std::uint32_t kRedirect = 4;

std::uint32_t type_number(const Case& c) {
  return c.type() == DevMapType::devmap ? kDevmap : kDevmapHash;
}

/// A name of the headers this program was built with must stand for this number.
template <class Named, class Number>
void named(Case& c, std::string_view name, Named value, Number number) {
  c.equals(fmt::format("{} in linux/bpf.h", name), static_cast<std::uint64_t>(value),
           static_cast<std::uint64_t>(number));
}

/// return helper(map, key, flags), where the helper is given by its number.
Assembler calling(std::int32_t helper, const DevMap& map, std::uint32_t key, std::uint64_t flags) {
  Assembler program;
  program.load_map(Register::r1, map)
      .load_immediate(Register::r2, key)
      .load_immediate(Register::r3, flags)
      .call(static_cast<bpf_func_id>(helper))
      .exit();
  return program;
}

/// What bpf_redirect_map gives for this key and these flags.
void gives(Case& c, const DevMap& map, std::uint32_t key, std::uint64_t flags, std::uint32_t action) {
  const auto program = c.program(calling(kRedirectMap, map, key, flags));
  const auto run = c.must(program.test_run({.repeat = 1, .data_in = make_frame()}));
  c.equals(fmt::format("helper 51 for a key that is {}, with flags {}", key == kPresent ? "present" : "missing", flags),
           run.return_value, action);
}

void add_types(Registry& rules) {
  const std::string source = "include/uapi/linux/bpf.h:enum bpf_map_type";

  rules.add({
      .id = "constants.devmap-is-14",
      .states = "BPF_MAP_TYPE_DEVMAP is 14: a map of that type reports it, and is an array, which refuses a key of "
                "max_entries with E2BIG.",
      .refuses = {E2BIG},
      .source = {source},
      .variants = devmap_only(),
      .check =
          [](Case& c) {
            named(c, "BPF_MAP_TYPE_DEVMAP", BPF_MAP_TYPE_DEVMAP, kDevmap);
            const auto map = c.succeeds(
                DevMap::create({.type = DevMapType{kDevmap}, .value_size = c.value_size(), .max_entries = kEntries}));
            c.equals("the type that the map reports", c.must(map.info()).type, kDevmap);
            c.refuses(map.update(kEntries, kLo), E2BIG).control(map.update(kEntries - 1, kLo));
          },
  });

  rules.add({
      .id = "constants.devmap-hash-is-25",
      .states = "BPF_MAP_TYPE_DEVMAP_HASH is 25: a map of that type reports it, and is a hash, which takes a key of "
                "max_entries.",
      .source = {source},
      .variants = devmap_hash_only(),
      .check =
          [](Case& c) {
            named(c, "BPF_MAP_TYPE_DEVMAP_HASH", BPF_MAP_TYPE_DEVMAP_HASH, kDevmapHash);
            const auto map = c.succeeds(DevMap::create(
                {.type = DevMapType{kDevmapHash}, .value_size = c.value_size(), .max_entries = kEntries}));
            c.equals("the type that the map reports", c.must(map.info()).type, kDevmapHash);
            c.succeeds(map.update(kEntries, kLo));
          },
  });

  rules.add({
      .id = "constants.libbpf-names-the-types",
      .states = "libbpf calls map type 14 \"devmap\", 25 \"devmap_hash\" and attach type 33 \"xdp_devmap\".",
      .source = {"tools/lib/bpf/libbpf.c:libbpf_bpf_map_type_str"},
      .variants = once(),
      .check =
          [](Case& c) {
            const auto text = [](const char* name) { return std::string(name == nullptr ? "" : name); };
            c.equals("libbpf_bpf_map_type_str(14)", text(libbpf_bpf_map_type_str(static_cast<bpf_map_type>(kDevmap))),
                     "devmap");
            c.equals("libbpf_bpf_map_type_str(25)",
                     text(libbpf_bpf_map_type_str(static_cast<bpf_map_type>(kDevmapHash))), "devmap_hash");
            c.equals("libbpf_bpf_attach_type_str(33)",
                     text(libbpf_bpf_attach_type_str(static_cast<bpf_attach_type>(kXdpDevmap))), "xdp_devmap");
          },
  });

  rules.add({
      .id = "constants.entry-is-ifindex-then-program",
      .states = "struct bpf_devmap_val has 8 bytes: the ifindex in the first four, and in the last four the program's "
                "descriptor when written and its id when read.",
      .since = {.major = 5, .minor = 8},
      .source = {"include/uapi/linux/bpf.h:struct bpf_devmap_val"},
      .variants = any_map(8),
      .check =
          [](Case& c) {
            named(c, "the size of struct bpf_devmap_val", sizeof(bpf_devmap_val), 8U);
            named(c, "the offset of ifindex", offsetof(bpf_devmap_val, ifindex), 0U);
            named(c, "the offset of bpf_prog", offsetof(bpf_devmap_val, bpf_prog), 4U);
            const auto map =
                c.must(Map::create({.type = type_number(c), .value_size = c.value_size(), .max_entries = kEntries}));
            const auto egress = c.egress_program();
            const std::array<std::uint32_t, 2> written = {kLoopback, static_cast<std::uint32_t>(egress.fd())};
            c.succeeds(map.update(kPresent, written));
            const auto read = c.succeeds(map.lookup<std::array<std::uint32_t, 2>>(kPresent));
            c.equals("the first word read", read[0], kLoopback);
            c.equals("the second word read", read[1], id_of(c, egress));
          },
  });
}

void add_helper(Registry& rules) {
  rules.add({
      .id = "constants.redirect-map-is-helper-51",
      .states = "bpf_redirect_map is helper 51: an XDP program that calls helper 51 with a device map is accepted, and "
                "redirects.",
      .source = {"include/uapi/linux/bpf.h:__BPF_FUNC_MAPPER"},
      .check =
          [](Case& c) {
            named(c, "BPF_FUNC_redirect_map", BPF_FUNC_redirect_map, kRedirectMap);
            const auto map = map_with_entry(c);
            const auto instructions = c.must(calling(kRedirectMap, map, kPresent, kDrop).build());
            const auto program = c.succeeds(Program::load({}, instructions));
            const auto run = c.must(program.test_run({.repeat = 1, .data_in = make_frame()}));
            c.equals("what the program returns", run.return_value, kRedirect);
          },
  });

  rules.add({
      .id = "constants.helpers-50-and-52-are-others",
      .states = "Helpers 50 and 52, the neighbours of bpf_redirect_map, are refused with EINVAL in an XDP program that "
                "calls them with a "
                "device map.",
      .refuses = {EINVAL},
      .source = {"include/uapi/linux/bpf.h:__BPF_FUNC_MAPPER", "net/core/filter.c:xdp_func_proto"},
      .check =
          [](Case& c) {
            const auto map = map_with_entry(c);
            const auto load = [&](std::int32_t helper) {
              c.note(fmt::format("the next program calls helper {}", helper));
              return Program::load({}, c.must(calling(helper, map, kPresent, 0).build()));
            };
            for (const std::int32_t helper : {kRedirectMap - 1, kRedirectMap + 1}) {
              c.refuses(load(helper), EINVAL, fmt::format("#{}", helper)).control(load(kRedirectMap));
            }
          },
  });

  rules.add({
      .id = "constants.libbpf-detects-the-helper",
      .states = "libbpf finds helper 51 supported in XDP programs.",
      .source = {"tools/lib/bpf/libbpf_probes.c:libbpf_probe_bpf_helper"},
      .variants = once(),
      .check =
          [](Case& c) {
            c.equals("libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP, 51)",
                     libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP, static_cast<bpf_func_id>(kRedirectMap), nullptr), 1);
          },
  });

  rules.add({
      .id = "constants.attach-type-of-egress-programs-is-33",
      .states = "BPF_XDP_DEVMAP is 33: an XDP program of expected attach type 33 is accepted in a map entry, and one "
                "of 32 or "
                "34 is refused with EINVAL.",
      .refuses = {EINVAL},
      .since = {.major = 5, .minor = 8},
      .source = {"include/uapi/linux/bpf.h:enum bpf_attach_type", "kernel/bpf/devmap.c:__dev_map_alloc_node"},
      .variants = any_map(8),
      .check =
          [](Case& c) {
            named(c, "BPF_XDP_DEVMAP", BPF_XDP_DEVMAP, kXdpDevmap);
            const auto map = c.devmap(kEntries);
            const auto fitting = c.egress_program({.expected_attach_type = kXdpDevmap});
            for (const std::uint32_t neighbour : {kXdpDevmap - 1, kXdpDevmap + 1}) {
              const auto other = c.egress_program({.expected_attach_type = neighbour});
              c.note(fmt::format("a program of expected attach type {}, in the control 33", neighbour));
              c.refuses(map.update(kPresent, {.ifindex = kLoopback, .program_fd = other.fd()}), EINVAL)
                  .control(map.update(kPresent, {.ifindex = kLoopback, .program_fd = fitting.fd()}));
            }
          },
  });
}

void add_flags(Registry& rules) {
  const std::string source = "include/uapi/linux/bpf.h";
  const KernelVersion broadcast_since{.major = 5, .minor = 14};

  rules.add({
      .id = "constants.noexist-is-1-and-exist-2",
      .states =
          "BPF_NOEXIST is 1 and BPF_EXIST is 2: flags 1 refuse a key that is there with EEXIST, flags 2 replace it.",
      .refuses = {EEXIST},
      .source = {source},
      .check =
          [](Case& c) {
            named(c, "BPF_ANY", BPF_ANY, 0U);
            named(c, "BPF_NOEXIST", BPF_NOEXIST, kNoexist);
            named(c, "BPF_EXIST", BPF_EXIST, kExist);
            const auto map = map_with_entry(c);
            c.refuses(map.update(kPresent, kLo, kNoexist), EEXIST).control(map.update(kPresent, kLo, 0));
            c.succeeds(map.update(kPresent, kLo, kExist));
          },
  });

  rules.add({
      .id = "constants.map-flags",
      .states =
          "BPF_F_NUMA_NODE is 4, BPF_F_RDONLY 8, BPF_F_WRONLY 16 and BPF_F_RDONLY_PROG 128: a map created with 4 "
          "reports 132, the descriptor of one created with 8 cannot write, and that of one created with 16 cannot "
          "read.",
      .refuses = {EPERM},
      .since = {.major = 5, .minor = 3},
      .source = {source},
      .check =
          [](Case& c) {
            constexpr std::uint32_t kNumaNode = 4;
            constexpr std::uint32_t kRdonly = 8;
            constexpr std::uint32_t kWronly = 16;
            constexpr std::uint32_t kRdonlyProg = 128;
            named(c, "BPF_F_NUMA_NODE", BPF_F_NUMA_NODE, kNumaNode);
            named(c, "BPF_F_RDONLY", BPF_F_RDONLY, kRdonly);
            named(c, "BPF_F_WRONLY", BPF_F_WRONLY, kWronly);
            named(c, "BPF_F_RDONLY_PROG", BPF_F_RDONLY_PROG, kRdonlyProg);
            const auto map = c.devmap(kEntries, kNumaNode);
            c.must(map.update(kPresent, kLo));
            c.equals("map_flags that the map reports", c.must(map.info()).map_flags, kNumaNode | kRdonlyProg);
            c.note("an update through a descriptor of a map created with 8, in the control of one created with 4");
            const auto read_only = c.devmap(kEntries, kRdonly);
            c.refuses(read_only.update(kPresent, kLo), EPERM).control(map.update(kPresent, kLo));
            const auto write_only = c.devmap(kEntries, kWronly);
            c.must(write_only.update(kPresent, kLo));
            c.note("a lookup through a descriptor of a map created with 16, in the control of one created with 4");
            c.refuses(write_only.lookup(kPresent), EPERM).control(map.lookup(kPresent));
          },
  });

  rules.add({
      .id = "constants.broadcast-is-8",
      .states = "BPF_F_BROADCAST is 8: of the flags 4, 8 and 32 only 8 redirects whatever the key.",
      .since = broadcast_since,
      .source = {source, "include/linux/filter.h:__bpf_xdp_redirect_map"},
      .check =
          [](Case& c) {
            named(c, "BPF_F_BROADCAST", BPF_F_BROADCAST, kBroadcast);
            const auto map = map_with_entry(c);
            gives(c, map, kMissing, kBroadcast / 2, kAborted);
            gives(c, map, kMissing, kBroadcast, kRedirect);
            gives(c, map, kMissing, kBroadcast * 4, kAborted);
          },
  });

  rules.add({
      .id = "constants.exclude-ingress-is-16",
      .states = "BPF_F_EXCLUDE_INGRESS is 16: it is accepted beside an action, as 4 and 32 are not.",
      .since = broadcast_since,
      .source = {source, "include/linux/filter.h:__bpf_xdp_redirect_map"},
      .check =
          [](Case& c) {
            named(c, "BPF_F_EXCLUDE_INGRESS", BPF_F_EXCLUDE_INGRESS, kExcludeIngress);
            const auto map = map_with_entry(c);
            gives(c, map, kMissing, kExcludeIngress / 4 | kPass, kAborted);
            gives(c, map, kMissing, kExcludeIngress | kPass, kPass);
            gives(c, map, kMissing, kExcludeIngress * 2 | kPass, kAborted);
            gives(c, map, kPresent, kExcludeIngress | kPass, kRedirect);
          },
  });

  rules.add({
      .id = "constants.actions-are-0-to-4",
      .states =
          "XDP_ABORTED, XDP_DROP, XDP_PASS, XDP_TX and XDP_REDIRECT are 0 to 4: bpf_redirect_map gives back the first "
          "four from its flags, and returns 4 where it redirects.",
      .source = {"include/uapi/linux/bpf.h:enum xdp_action", "include/linux/filter.h:__bpf_xdp_redirect_map"},
      .check =
          [](Case& c) {
            named(c, "XDP_ABORTED", XDP_ABORTED, kAborted);
            named(c, "XDP_DROP", XDP_DROP, kDrop);
            named(c, "XDP_PASS", XDP_PASS, kPass);
            named(c, "XDP_TX", XDP_TX, kTx);
            named(c, "XDP_REDIRECT", XDP_REDIRECT, kRedirect);
            const auto map = map_with_entry(c);
            for (const std::uint32_t action : {kAborted, kDrop, kPass, kTx}) gives(c, map, kMissing, action, action);
            gives(c, map, kPresent, kAborted, kRedirect);
          },
  });
}

}  // namespace

void add_constants_chapter(Registry& rules) {
  rules.chapter("constants", "Numbers of the interface");
  add_types(rules);
  add_helper(rules);
  add_flags(rules);
}

}  // namespace devmap::cases
