#include <bench/control/element_calls.hpp>
#include <bench/control/floors.hpp>
#include <bench/control/lifetimes.hpp>
#include <bench/control/map_under_test.hpp>
#include <bench/control/walks.hpp>
#include <bench/measure/benchmark.hpp>

#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <harness/bpf/assembler.hpp>
#include <harness/bpf/program.hpp>
#include <memory>
#include <utility>

// The calls of user space about maps.
namespace devmap::bench {
namespace {

constexpr std::uint32_t kMillion = 1'000'000;
constexpr std::array<std::uint32_t, 5> kSizes = {1, 64, 4096, 65536, kMillion};
/// Sizes that are quick enough to set up for the standard set.
constexpr std::uint32_t kLargestStandard = 65536;
/// Larger maps take a virtual machine more memory and time to fill than they tell.
constexpr std::uint32_t kLargestCounted = 4096;
/// Calls measured as one piece, and pieces of a sample: some milliseconds.
constexpr std::uint64_t kChunk = 256;
constexpr std::uint32_t kPieces = 100;
/// So that the clock is read once for a chunk also of calls about a map of few elements.
constexpr auto kNumbers = static_cast<std::uint32_t>(kChunk);

struct Replace : ElementCall {
  static long call(const MapUnderTest& maps, std::uint64_t element) { return maps.update(element); }
};
struct UpdateNew : Replace {
  static long before(const MapUnderTest& maps, std::uint64_t element) { return maps.erase(element); }
};
struct Lookup : ElementCall {
  static long call(const MapUnderTest& maps, std::uint64_t element) {
    Element found{};
    return maps.lookup(element, found);
  }
};
struct LookupMissing : Lookup {
  static constexpr long kExpected = -ENOENT;
  static constexpr Effect kEffect = Effect::absent;
  static long before(const MapUnderTest& maps, std::uint64_t element) { return maps.erase(element); }
  static long after(const MapUnderTest& maps, std::uint64_t element) { return maps.update(element); }
};
struct Erase : ElementCall {
  static constexpr Effect kEffect = Effect::absent;
  static long call(const MapUnderTest& maps, std::uint64_t element) { return maps.erase(element); }
  static long after(const MapUnderTest& maps, std::uint64_t element) { return maps.update(element); }
};

Expected<std::unique_ptr<Workload>> owned(Workload* workload) {
  return std::unique_ptr<Workload>(workload);
}

/// Elements enough for a chunk that adds or removes.
MapUnderTest::Spec several_maps(const MapKind& kind, std::uint32_t entries) {
  return {.kind = kind, .entries = entries, .elements = static_cast<std::uint32_t>(kChunk)};
}

template <class Operation>
Expected<std::unique_ptr<Workload>> element_calls(const MapUnderTest::Spec& spec,
                                                  std::shared_ptr<const void> held = {}) {
  auto maps = MapUnderTest::create(spec);
  if (!maps) return std::unexpected(maps.error());
  return owned(new ElementCalls<Operation>(std::move(*maps), std::move(held)));
}

template <class Walk>
Expected<std::unique_ptr<Workload>> walk_through(const MapKind& kind, std::uint32_t entries) {
  auto maps = MapUnderTest::create({.kind = kind, .entries = entries});
  if (!maps) return std::unexpected(maps.error());
  return owned(new Walk(std::move(*maps)));
}

Expected<std::shared_ptr<const Program>> egress_program() {
  const auto instructions = Assembler().return_value(XDP_PASS).build();
  if (!instructions) return std::unexpected(instructions.error());
  auto program = Program::load({.expected_attach_type = BPF_XDP_DEVMAP}, *instructions).expected();
  if (!program) return std::unexpected(program.error());
  return std::make_shared<const Program>(std::move(*program));
}

Expected<std::unique_ptr<Workload>> update_with_program(const MapKind& kind, std::uint32_t entries) {
  auto program = egress_program();
  if (!program) return std::unexpected(program.error());
  return element_calls<Replace>({.kind = kind, .entries = entries, .program_fd = (*program)->fd()}, *program);
}

/// Keys that all share one bucket: the kernel takes as many buckets as the next power of two, and of a key as its hash
/// the key (kernel/bpf/devmap.c:dev_map_index_hash).
std::vector<std::uint32_t> colliding_keys(std::uint32_t count, std::uint32_t max_entries) {
  std::vector<std::uint32_t> keys(count);
  for (std::uint32_t nth = 0; nth < count; ++nth) keys[nth] = nth * std::bit_ceil(max_entries);
  return keys;
}

class Adding {
 public:
  explicit Adding(std::vector<Benchmark>& all) : all_(all) {}

  /// A call about one element of a map of this kind and size.
  void calls(const char* what, const MapKind& kind, std::uint32_t entries,
             std::function<Expected<std::unique_ptr<Workload>>()> prepare) {
    all_.push_back({.name = fmt::format("{}/{}/{}", what, kind.name, entries),
                    .facts = {.map_type = kind.name, .max_entries = entries},
                    .chunk = kChunk,
                    .pieces = kPieces,
                    .baseline = baseline(what, kind, entries),
                    .standard = entries <= kLargestStandard,
                    .not_counted = entries <= kLargestCounted ? "" : "the map is too large for a small virtual machine",
                    .prepare = std::move(prepare)});
  }
  /// Something that is done as a whole.
  void whole(Benchmark benchmark) { all_.push_back(std::move(benchmark)); }

 private:
  /// The same on the array kind, where there is such a call.
  static std::string baseline(std::string_view what, const MapKind& kind, std::uint32_t entries) {
    const bool has_array = what == "update_replace" || what == "lookup" || what == "next_key";
    if (kind.name == kDevMapHashKind.name) return fmt::format("{}/devmap/{}", what, entries);
    return kind.name != kArrayKind.name && has_array ? fmt::format("{}/array/{}", what, entries) : std::string();
  }
  std::vector<Benchmark>& all_;
};

void add_floors(Adding& adding) {
  const auto floor = [&](const char* name, std::string baseline,
                         std::function<Expected<std::unique_ptr<Workload>>()> prepare) {
    adding.whole({.name = name,
                  .chunk = kChunk,
                  .pieces = kPieces,
                  .baseline = std::move(baseline),
                  .standard = true,
                  .prepare = std::move(prepare)});
  };
  floor("syscall/getppid", "", shortest_call);
  floor("syscall/bpf_unknown_command", "syscall/getppid", unknown_command);
  floor("harness/lookup", "lookup/devmap/64", harness_lookup);
  floor("harness/update", "update_replace/devmap/64", harness_update);
}

void add_element_calls(Adding& adding, const MapKind& kind, std::uint32_t entries) {
  const MapUnderTest::Spec one_map = {.kind = kind, .entries = entries, .numbers = kNumbers};
  const auto several = several_maps(kind, entries);
  adding.calls("lookup", kind, entries, [=] { return element_calls<Lookup>(one_map); });
  adding.calls("update_replace", kind, entries, [=] { return element_calls<Replace>(one_map); });
  adding.calls("next_key", kind, entries, [=] { return walk_through<NextKeys>(kind, entries); });
  if (!kind.can_delete()) return;
  adding.calls("update_new", kind, entries, [=] { return element_calls<UpdateNew>(several); });
  adding.calls("delete", kind, entries, [=] { return element_calls<Erase>(several); });
  if (!kind.is_device_map()) return;
  adding.calls("lookup_missing", kind, entries, [=] { return element_calls<LookupMissing>(several); });
  const MapKind wide = {kind.name, kind.type, sizeof(Target)};
  adding.calls("update_with_program", kind, entries, [=] { return update_with_program(wide, entries); });
}

void add_whole_maps(Adding& adding, const MapKind& kind, std::uint32_t entries) {
  const Facts facts{.map_type = kind.name, .max_entries = entries};
  const auto like = [&](const char* what) {
    return kind.name == kDevMapHashKind.name ? fmt::format("{}/devmap/{}", what, entries) : std::string();
  };
  adding.whole({.name = fmt::format("iterate/{}/{}", kind.name, entries),
                .facts = facts,
                .chunk = std::max<std::uint64_t>(1, kChunk / entries),
                .pieces = std::clamp(kLargestCounted * 2 / entries, 1U, kPieces),
                .baseline = like("iterate"),
                .standard = entries <= kLargestStandard,
                .not_counted = entries <= kLargestCounted ? "" : "the map is too large for a small virtual machine",
                .prepare = [=] { return walk_through<Iterations>(kind, entries); }});
  adding.whole({.name = fmt::format("create_and_free/{}/{}", kind.name, entries),
                .facts = facts,
                .chunk = entries > kLargestStandard ? 1U : 16U,
                .pieces = entries > kLargestCounted ? 10U : 50U,
                .baseline = like("create_and_free"),
                .standard = entries <= kLargestStandard,
                .not_counted = "how much is freed at once depends on what else the kernel does",
                .prepare = [=] { return owned(new CreateAndFree(kind, entries)); }});
}

void add_collisions(Adding& adding) {
  constexpr std::uint32_t kBuckets = 1024;
  for (const std::uint32_t chain : {1U, 8U, 64U, 512U}) {
    const MapUnderTest::Spec spec = {
        .kind = kDevMapHashKind, .entries = kBuckets, .numbers = kNumbers, .keys = colliding_keys(chain, kBuckets)};
    const auto add = [&](const char* what, std::function<Expected<std::unique_ptr<Workload>>()> prepare) {
      adding.whole({.name = fmt::format("{}_colliding/devmap_hash/{}", what, chain),
                    .facts = {.map_type = kDevMapHashKind.name, .max_entries = kBuckets},
                    .chunk = kChunk,
                    .pieces = kPieces,
                    .baseline = chain == 1 ? "" : fmt::format("{}_colliding/devmap_hash/1", what),
                    .standard = true,
                    .prepare = std::move(prepare)});
    };
    add("lookup", [=] { return element_calls<Lookup>(spec); });
    add("update_replace", [=] { return element_calls<Replace>(spec); });
  }
}

void add_removals(Adding& adding) {
  const auto add = [&](const RemoveDevice::Spec& spec, bool standard) {
    adding.whole({.name = fmt::format("remove_device/{}/{}_in_{}_maps", spec.kind.name, spec.entries, spec.maps),
                  .facts = {.map_type = spec.kind.name, .max_entries = spec.entries},
                  .chunk = 1,
                  .pieces = 5,
                  .baseline = spec.maps == 0 ? "" : "remove_device/devmap/0_in_0_maps",
                  .standard = standard,
                  .not_counted = "the deletion of a device waits for RCU and for other threads of the kernel",
                  .prepare = [=] { return RemoveDevice::create(spec); }});
  };
  add({.kind = kDevMapKind}, true);
  for (const auto& kind : {kDevMapKind, kDevMapHashKind}) {
    add({.kind = kind, .entries = 1, .maps = 1}, true);
    add({.kind = kind, .entries = 64, .maps = 1}, false);
    add({.kind = kind, .entries = 64, .maps = 64}, true);
    add({.kind = kind, .entries = 4096, .maps = 1}, true);
    add({.kind = kind, .entries = 4096, .maps = 16}, false);
  }
}

}  // namespace

void add_control_plane(std::vector<Benchmark>& all) {
  Adding adding(all);
  add_floors(adding);
  for (const auto entries : kSizes) {
    for (const auto& kind : {kArrayKind, kHashKind, kDevMapKind, kDevMapHashKind}) {
      add_element_calls(adding, kind, entries);
    }
    for (const auto& kind : {kDevMapKind, kDevMapHashKind}) add_whole_maps(adding, kind, entries);
  }
  add_collisions(adding);
  add_removals(adding);
}

}  // namespace devmap::bench
