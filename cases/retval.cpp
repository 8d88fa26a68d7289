#include <cases/chapters.hpp>
#include <cases/support.hpp>
#include <harness/net/link.hpp>
#include <harness/spec/case.hpp>

#include <cerrno>

// What bpf_redirect_map returns, seen without a packet: a program that returns the helper's result, run once.
namespace devmap::cases {
namespace {

const std::string kHelper = "include/linux/filter.h:__bpf_xdp_redirect_map";

std::string call(std::uint64_t key, std::uint64_t flags) {
  return fmt::format("bpf_redirect_map(key {:#x}, flags {})", key, worded(flags, Notation::redirect_flags));
}

/// The helper must return `action`.
void returns(Case& c, const DevMap& map, std::uint64_t key, std::uint64_t flags, std::uint32_t action) {
  c.equals(call(key, flags), returned_by(c, redirecting_program(c, map, key, flags)), action);
}

}  // namespace

void add_retval_chapter(Registry& rules) {
  rules.chapter("retval", "Return value of bpf_redirect_map");

  rules.add({
      .id = "retval.hit-is-redirect",
      .states = "bpf_redirect_map returns XDP_REDIRECT for a key that is present, whatever the two low bits of flags.",
      .source = {kHelper},
      .commits = {"43e74c0267a3"},
      .catalogue = {"RETVAL-01"},
      .documentation = {{.where = "Documentation/bpf/map_devmap.rst",
                         .statement = "will return XDP_REDIRECT on success, or the value of the two lower bits of the "
                                      "flags argument if the map lookup fails"}},
      .check =
          [](Case& c) {
            const auto map = map_with_entry(c);
            for (const std::uint64_t flags : {XDP_ABORTED, XDP_DROP, XDP_PASS, XDP_TX}) {
              returns(c, map, kPresent, flags, XDP_REDIRECT);
            }
          },
  });

  rules.add({
      .id = "retval.miss-is-low-flag-bits",
      .states = "bpf_redirect_map returns the action in the two low bits of flags for a key that is missing or out of "
                "range.",
      .source = {kHelper},
      .commits = {"43e74c0267a3"},
      .catalogue = {"RETVAL-02"},
      .check =
          [](Case& c) {
            const auto map = map_with_entry(c);
            for (const std::uint64_t key : {kMissing, kEntries, UINT32_MAX}) {
              for (const std::uint32_t action : {XDP_ABORTED, XDP_DROP, XDP_PASS, XDP_TX}) {
                returns(c, map, key, action, action);
              }
            }
          },
  });

  rules.add({
      .id = "retval.unknown-flag-is-aborted",
      .states =
          "bpf_redirect_map returns XDP_ABORTED, also for a key that is present, when flags has any bit other than "
          "the two of the action, BPF_F_BROADCAST and BPF_F_EXCLUDE_INGRESS.",
      .source = {kHelper},
      .catalogue = {"RETVAL-03"},
      .documentation = {{.where = "bpf-helpers(7)",
                         .statement = "XDP_REDIRECT on success, or the value of the two lower bits of the flags "
                                      "argument on error",
                         .agrees = false}},
      .check =
          [](Case& c) {
            const auto map = map_with_entry(c);
            for (const std::uint64_t flags : {0x4ULL, 0x5ULL, 0x6ULL, 0x7ULL, 0xcULL, 0xfULL, 0x20ULL, 0x100ULL,
                                              1ULL << 32, 1ULL << 63, BPF_F_BROADCAST | 1ULL << 32}) {
              returns(c, map, kPresent, flags, XDP_ABORTED);
              returns(c, map, kMissing, flags, XDP_ABORTED);
            }
            returns(c, map, kPresent, 0, XDP_REDIRECT);  // the same without such a bit
          },
  });

  rules.add({
      .id = "retval.broadcast-is-redirect",
      .states = "bpf_redirect_map with BPF_F_BROADCAST returns XDP_REDIRECT whatever the key, also on an empty map.",
      .since = kBroadcastSince,
      .source = {kHelper, "kernel/bpf/devmap.c:dev_map_redirect"},
      .commits = {"e624d4ed4aa8"},
      .catalogue = {"RETVAL-04"},
      .documentation = {{.where = "Documentation/bpf/map_devmap.rst",
                         .statement = "will return XDP_REDIRECT on success, or the value of the two lower bits of the "
                                      "flags argument if the map lookup fails",
                         .agrees = false}},
      .check =
          [](Case& c) {
            const auto map = map_with_entry(c);
            const auto empty = c.devmap(kEntries);
            constexpr std::uint64_t kAll = BPF_F_BROADCAST;
            constexpr std::uint64_t kOthers = BPF_F_BROADCAST | BPF_F_EXCLUDE_INGRESS;
            for (const std::uint64_t flags : {kAll, kAll | XDP_DROP, kAll | XDP_PASS, kAll | XDP_TX, kOthers,
                                              kOthers | XDP_DROP, kOthers | XDP_PASS}) {
              for (const std::uint64_t key : {kPresent, kMissing, kEntries}) {
                returns(c, map, key, flags, XDP_REDIRECT);
              }
              returns(c, empty, 0, flags, XDP_REDIRECT);
            }
          },
  });

  rules.add({
      .id = "retval.exclude-ingress-alone-changes-nothing",
      .states = "bpf_redirect_map accepts BPF_F_EXCLUDE_INGRESS without BPF_F_BROADCAST, and returns what it returns "
                "without it.",
      .since = kBroadcastSince,
      .source = {kHelper},
      .catalogue = {"RETVAL-05"},
      .check =
          [](Case& c) {
            const auto map = map_with_entry(c);
            for (const std::uint32_t action : {XDP_ABORTED, XDP_DROP, XDP_PASS}) {
              returns(c, map, kPresent, BPF_F_EXCLUDE_INGRESS | action, XDP_REDIRECT);
              returns(c, map, kMissing, BPF_F_EXCLUDE_INGRESS | action, action);
            }
          },
  });

  rules.add({
      .id = "retval.key-is-32-bits",
      .states = "bpf_redirect_map ignores the upper 32 bits of the key argument.",
      .source = {kHelper},
      .commits = {"32637e33003f"},
      .catalogue = {"RETVAL-06"},
      .documentation = {{.where = "Documentation/bpf/map_devmap.rst",
                         .statement = "long bpf_redirect_map(struct bpf_map *map, u32 key, u64 flags)",
                         .agrees = false}},
      .check =
          [](Case& c) {
            const auto map = map_with_entry(c);
            returns(c, map, 1ULL << 32 | kPresent, XDP_DROP, XDP_REDIRECT);
            returns(c, map, 0xffffffffULL << 32 | kPresent, XDP_DROP, XDP_REDIRECT);
            returns(c, map, 1ULL << 32, XDP_DROP, XDP_DROP);  // key 0, which is missing
          },
  });

  rules.add({
      .id = "retval.entry-with-program-is-a-hit",
      .states = "bpf_redirect_map returns XDP_REDIRECT for an entry with an egress program as for one without.",
      .since = {.major = 5, .minor = 8},
      .source = {kHelper},
      .catalogue = {"RETVAL-07"},
      .variants = any_map(8),
      .check =
          [](Case& c) {
            const auto map = map_with_entry(c);
            const auto egress = c.egress_program();
            c.succeeds(map.update(kMissing, {.ifindex = kLoopback, .program_fd = egress.fd()}));
            returns(c, map, kMissing, XDP_DROP, XDP_REDIRECT);
            returns(c, map, kPresent, XDP_DROP, XDP_REDIRECT);
          },
  });

  rules.add({
      .id = "retval.device-state-does-not-matter",
      .states = "bpf_redirect_map returns XDP_REDIRECT for a device that is down and cannot transmit XDP frames.",
      .source = {kHelper},
      .catalogue = {"RETVAL-08"},
      .check =
          [](Case& c) {
            // The loopback device of a new namespace is down, and has no ndo_xdp_xmit.
            const auto map = map_with_entry(c);
            returns(c, map, kPresent, XDP_DROP, XDP_REDIRECT);
          },
  });

  rules.add({
      .id = "retval.changes-show-at-once",
      .states = "The next call of bpf_redirect_map sees an element that was inserted, replaced or deleted by a system "
                "call.",
      .source = {"kernel/bpf/devmap.c:dev_map_update_elem", "kernel/bpf/devmap.c:dev_map_delete_elem"},
      .catalogue = {"RETVAL-09"},
      .check =
          [](Case& c) {
            const auto map = c.devmap(kEntries);
            for (int round = 0; round < 3; ++round) {
              returns(c, map, kPresent, XDP_DROP, XDP_DROP);
              c.succeeds(map.update(kPresent, {.ifindex = kLoopback}));
              returns(c, map, kPresent, XDP_DROP, XDP_REDIRECT);
              c.succeeds(map.update(kPresent, {.ifindex = kLoopback}));
              returns(c, map, kPresent, XDP_DROP, XDP_REDIRECT);
              c.succeeds(map.erase(kPresent));
            }
          },
  });
}

}  // namespace devmap::cases
