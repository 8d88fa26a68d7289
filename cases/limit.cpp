#include <cases/chapters.hpp>
#include <cases/hash_bound.hpp>
#include <harness/base/memory_cgroup.hpp>
#include <harness/bpf/features.hpp>
#include <harness/net/frame.hpp>
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

/// Live test runs: how many frames at a time, and how long they may be.
void add_live_limits(Registry& rules) {
  const auto run = [](Case& c, std::size_t size, std::uint32_t batch_size) {
    const auto frame = make_frame(size);
    return c.program(Assembler().return_value(XDP_DROP))
        .test_run({.repeat = 1, .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = batch_size, .data_in = frame});
  };

  rules.add({
      .id = "limit.live-batch-has-256-frames",
      .states = "A batch of live frames has at most 256: more are refused with E2BIG.",
      .refuses = {E2BIG},
      .since = {.major = 5, .minor = 18},
      .source = {"net/bpf/test_run.c:TEST_XDP_MAX_BATCH"},
      .catalogue = {"LIMIT-04"},
      .variants = once(),
      .needs = {features::live_frames()},
      .check = [run](Case& c) { c.refuses(run(c, kShortestFrame, 257), E2BIG).control(run(c, kShortestFrame, 256)); },
  });

  rules.add({
      .id = "limit.live-frame-has-3408-bytes-on-x86-64",
      .states = "A live frame has at most 3408 bytes on x86-64, where the kernel is built for 17 fragments a frame: a "
                "longer one is refused with EINVAL.",
      .refuses = {EINVAL},
      .since = {.major = 6, .minor = 3},  // 3368 before
      .source = {"net/bpf/test_run.c:bpf_prog_test_run_xdp"},
      .commits = {"294635a8165a"},
      .catalogue = {"LIMIT-04"},
      .variants = once(),
      .needs = {features::live_frames(), features::x86_64()},
      .check = [run](Case& c) { c.refuses(run(c, 3409, 0), EINVAL).control(run(c, 3408, 0)); },
  });
}

}  // namespace

void add_limit_chapter(Registry& rules) {
  rules.chapter("limit", "Numeric limits in one place");

  rules.add({
      .id = "limit.array-entries-have-no-numeric-bound",
      .states =
          "No number of entries is too large for a DEVMAP as such: 2^31 + 1 and 2^32 - 1 are refused only for want of "
          "memory, with ENOMEM.",
      .refuses = {ENOMEM},
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

  const auto bounded = [](Case& c) {
    c.note("the creator's memory cgroup is limited to 16 MiB");
    c.refuses(create_in_16_mib(c, kMostHashEntries), ENOMEM).control(create_in_16_mib(c, kFew));
    c.refuses(create_in_16_mib(c, kMostHashEntries + 1), EINVAL).control(create_in_16_mib(c, kFew));
  };
  rules.add({
      .id = "limit.hash-entries-are-bounded-by-2-to-31",
      .states =
          "2^31 entries are not too many for a DEVMAP_HASH as such, and are refused only for want of memory, with "
          "ENOMEM; one more is refused with EINVAL, on a kernel of 64 bits.",
      .refuses = {ENOMEM, EINVAL},
      .source = {"kernel/bpf/devmap.c:dev_map_alloc_check", "kernel/bpf/devmap.c:dev_map_init_map"},
      .catalogue = {"LIMIT-03", "CREATE-04"},
      .variants = devmap_hash_only(),
      .needs = {features::maps_in_memory_cgroup(), features::kernel_of_64_bits()},
      .check = bounded,
  });

  rules.add({
      .id = "limit.hash-entries-are-bounded-by-2-to-31-on-32-bits",
      .states = "2^31 entries are not too many for a DEVMAP_HASH on a kernel of 32 bits either, and are refused only "
                "for want of memory, with ENOMEM; one more is refused with EINVAL.",
      .refuses = {ENOMEM, EINVAL},
      .since = kHashBoundOn32BitsSince,
      .backports = kHashBoundOn32BitsBackports,
      .source = {"kernel/bpf/devmap.c:dev_map_alloc_check", "kernel/bpf/devmap.c:dev_map_init_map"},
      .commits = {"281d464a34f5"},
      .catalogue = {"LIMIT-03", "CREATE-04"},
      .variants = devmap_hash_only(),
      .needs = {features::maps_in_memory_cgroup(), features::kernel_of_32_bits()},
      .check = bounded,
  });
  add_live_limits(rules);
}

}  // namespace devmap::cases
