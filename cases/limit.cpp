#include <cases/chapters.hpp>
#include <harness/base/memory_cgroup.hpp>
#include <harness/bpf/features.hpp>
#include <harness/spec/case.hpp>

#include <cerrno>

namespace devmap::cases {
namespace {

constexpr std::uint32_t kFew = 4;
constexpr std::uint32_t kMostHashEntries = 1U << 31;

/// What creation comes to in a memory cgroup of 16 MiB, where no request for GiB can be met, and none does harm,
/// whatever memory the machine has.
Reply<DevMap> create_in_16_mib(Case& c, std::uint32_t entries) {
  constexpr std::uint64_t kLimit = 16U << 20U;
  const auto group = c.must(MemoryCgroup::create());
  c.must(group.limit(kLimit));
  auto reply = Reply<DevMap>::refused(Asked("map create", {}), 0);
  c.must(group.run(
      [&] { reply = DevMap::create({.type = c.type(), .value_size = c.value_size(), .max_entries = entries}); }));
  return reply;
}

}  // namespace

void add_limit_chapter(Registry& rules) {
  rules.chapter("limit", "Numeric limits in one place");

  rules.add({
      .id = "limit.array-entries-have-no-numeric-bound",
      .states =
          "No number of entries is too large for a DEVMAP as such: 2^31 + 1 and 2^32 - 1 are refused only for want of "
          "memory, with ENOMEM.",
      .source = {"kernel/bpf/devmap.c:dev_map_alloc_check", "kernel/bpf/devmap.c:dev_map_init_map"},
      .catalogue = {"LIMIT-03", "CREATE-05"},
      .variants = devmap_only(),
      .needs = {features::maps_in_memory_cgroup()},
      .check =
          [](Case& c) {
            c.note("the creator's memory cgroup is limited to 16 MiB");
            for (const std::uint32_t entries : {kMostHashEntries + 1, UINT32_MAX}) {
              c.refuses(create_in_16_mib(c, entries), ENOMEM).control(create_in_16_mib(c, kFew));
            }
          },
  });

  rules.add({
      .id = "limit.hash-entries-are-bounded-by-2-to-31",
      .states =
          "2^31 entries are not too many for a DEVMAP_HASH as such, and are refused only for want of memory, with "
          "ENOMEM; one more is refused with EINVAL.",
      .source = {"kernel/bpf/devmap.c:dev_map_alloc_check", "kernel/bpf/devmap.c:dev_map_init_map"},
      .commits = {"281d464a34f5"},
      .catalogue = {"LIMIT-03", "CREATE-04"},
      .variants = devmap_hash_only(),
      .needs = {features::maps_in_memory_cgroup()},
      .check =
          [](Case& c) {
            c.note("the creator's memory cgroup is limited to 16 MiB");
            c.refuses(create_in_16_mib(c, kMostHashEntries), ENOMEM).control(create_in_16_mib(c, kFew));
            c.refuses(create_in_16_mib(c, kMostHashEntries + 1), EINVAL).control(create_in_16_mib(c, kFew));
          },
  });
}

}  // namespace devmap::cases
