#include <cases/chapters.hpp>
#include <cases/conc.hpp>
#include <harness/base/processor.hpp>
#include <harness/bpf/features.hpp>
#include <harness/net/frame.hpp>
#include <harness/net/link.hpp>
#include <harness/spec/case.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <barrier>
#include <cerrno>
#include <chrono>
#include <optional>
#include <thread>
#include <utility>

// What holds while several threads work on a map. The threads do nothing but system calls and plain test runs; each
// race runs for a bounded time.
namespace devmap::cases {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono_literals::operator""ms;

constexpr std::uint32_t kKey = 1;
constexpr std::uint32_t kThreads = 4;
/// How long a race runs in which nothing must happen.
constexpr auto kRace = 50ms;
/// How long one may run in which a miss is known to happen. It ends with the first, after about a hundred replacements,
/// reader and writer having a processor each.
constexpr auto kLongRace = 1500ms;
/// After which it is clear whether they have. Where processors take turns, as in an emulator, a miss needs a turn that
/// ends in the few instructions of the gap, and it is no use to wait for that.
constexpr auto kToSeeOverlap = 100ms;
constexpr std::uint64_t kReadsToAnOverlap = 50;
const std::string kHashUpdate = "kernel/bpf/devmap.c:__dev_map_hash_update_elem";

/// A program that calls bpf_redirect_map this many times, and returns four times the number of hits: a hit is
/// XDP_REDIRECT, which is 4, a miss the action in flags, which is 0 here.
constexpr std::uint32_t kCalls = 1024;
Program calling_program(Case& c, const DevMap& map) {
  using enum Register;
  Assembler code;
  const auto again = code.label();
  code.move(r6, 0).move(r7, 0).place(again).redirect_map(map, kKey, XDP_ABORTED);
  code.compute(Arithmetic::add, r7, r0)
      .compute(Arithmetic::add, r6, 1)
      .jump_if(Condition::less, r6, kCalls, again)
      .move(r0, r7)
      .exit();
  return c.program(code);
}

/// What was counted in a race of one writer with one reader.
struct Race {
  std::uint64_t reads = 0;
  std::uint64_t misses = 0;
  std::uint64_t writes = 0;
  Clock::duration time = {};
  /// Whether it was given up because the two hardly ever ran at the same time.
  bool in_turns = false;

  Race& operator+=(const Race& race) {
    reads += race.reads;
    misses += race.misses;
    writes += race.writes;
    time += race.time;
    in_turns = in_turns || race.in_turns;
    return *this;
  }
};

enum class Processors : std::uint8_t { shared, claimed };
enum class Until : std::uint8_t { first_miss, end };

/// Tells a race of two that run at the same time from one of two that take turns.
class Overlap {
 public:
  /// `writes` is what the writer has counted by the end of a read.
  void saw(std::uint64_t writes) {
    ++reads_;
    if (writes != std::exchange(writes_, writes)) ++overlapped_;
  }
  [[nodiscard]] bool hardly_any() const { return overlapped_ * kReadsToAnOverlap < reads_; }

 private:
  std::uint64_t reads_ = 0;
  std::uint64_t overlapped_ = 0;
  std::uint64_t writes_ = 0;
};

/// Races two threads: one calls `write()` again and again, the other `read(race)`, for as long as the limit, or until
/// it is no use where a miss is what the race is for. Each has a processor where there are two; with claimed ones, to
/// itself. What either throws comes out here.
template <class Write, class Read>
Race race_of(Case& c, Processors processors, Until until, Clock::duration limit, Write write, Read read) {
  const auto allowed = c.must(allowed_processors());
  const bool claimed = processors == Processors::claimed && allowed.size() > 1;
  std::optional<MachineTurn> turn;
  if (claimed) turn = c.must(MachineTurn::take());
  Race race;
  std::atomic<bool> over = false;
  std::atomic<std::uint64_t> writes = 0;
  std::barrier together(2);
  std::array<std::exception_ptr, 2> failed;
  const auto take_part = [&](std::size_t which, const auto& act) {
    const auto own = allowed.at(which % allowed.size());
    (void)(claimed ? claim_processor(own) : stay_on_processor(own));  // without the right to, it is only slower
    together.arrive_and_wait();
    try {
      act();
    } catch (...) {
      failed.at(which) = std::current_exception();
    }
    over = true;
  };
  std::jthread writer([&] {
    take_part(0, [&] {
      for (; !over.load(std::memory_order_relaxed); writes.fetch_add(1, std::memory_order_relaxed)) write();
    });
  });
  std::jthread reader([&] {
    take_part(1, [&] {
      const auto began = Clock::now();
      Overlap overlap;
      while (!over.load(std::memory_order_relaxed) && (race.misses == 0 || until == Until::end) && race.time < limit &&
             !race.in_turns) {
        read(race);
        race.time = Clock::now() - began;
        overlap.saw(writes.load(std::memory_order_relaxed));
        race.in_turns = until == Until::first_miss && race.time > kToSeeOverlap && overlap.hardly_any();
      }
    });
  });
  writer.join();
  reader.join();
  race.writes = writes;
  for (const auto& failure : failed) {
    if (failure) std::rethrow_exception(failure);
  }
  return race;
}

/// A short race on processors of its own, and in a soak a long one besides.
template <class Write, class Read>
Race race_and_soak(Case& c, std::chrono::milliseconds limit, Write write, Read read) {
  auto race = race_of(c, Processors::claimed, Until::first_miss, limit, write, read);
  const auto soak = c.soak({});
  if (soak.count() != 0) race += race_of(c, Processors::shared, Until::end, soak, write, read);
  return race;
}

/// Judges that no read of an entry missed it while it was being replaced.
void never_missed(Case& c, std::string_view reads, const Race& race) {
  c.note(fmt::format("{} {} while the entry was replaced {} times", race.reads, reads, race.writes));
  if (race.in_turns) c.note("the two hardly ever ran at the same time, so a miss could not be expected");
  c.holds(fmt::format("none of the {} misses the key", reads), race.misses == 0,
          fmt::format("{} missed it", race.misses));
  c.rates(race.time, {{reads, race.reads}, {"misses", race.misses}, {"replacements", race.writes}});
}

/// A map with lo under kKey.
DevMap map_with_entry(Case& c) {
  auto map = c.devmap(4);
  c.must(map.update(kKey, {.ifindex = kLoopback}));
  return map;
}

void programs_never_miss(Case& c, std::chrono::milliseconds limit) {
  const auto map = map_with_entry(c);
  const auto program = calling_program(c, map);
  const auto frame = make_frame();
  const auto race = race_and_soak(
      c, limit, [&] { c.must(map.update(kKey, {.ifindex = kLoopback})); },
      [&](Race& counted) {
        const auto run = c.must(program.test_run({.repeat = 1, .data_in = frame}));
        counted.reads += kCalls;
        counted.misses += kCalls - run.return_value / XDP_REDIRECT;
      });
  never_missed(c, "calls of bpf_redirect_map", race);
}

void lookups_never_miss(Case& c, std::chrono::milliseconds limit) {
  const auto map = map_with_entry(c);
  const auto race = race_and_soak(
      c, limit, [&] { c.must(map.update(kKey, {.ifindex = kLoopback})); },
      [&](Race& counted) {
        const auto found = map.lookup(kKey);
        ++counted.reads;
        if (found.error() == ENOENT) ++counted.misses;
        if (found.error() != ENOENT) c.must(found);
      });
  never_missed(c, "lookups", race);
}

void add_replacement(Registry& rules) {
  const std::vector<Documentation> promise = {
      {.where = "Documentation/bpf/map_devmap.rst", .statement = "This helper replaces existing elements atomically."}};
  const std::vector<std::string> source = {"kernel/bpf/devmap.c:__dev_map_update_elem"};
  rules.add({
      .id = "conc.programs-never-miss-a-replaced-array-entry",
      .states = "bpf_redirect_map never misses an entry of a DEVMAP that is being replaced.",
      .source = source,
      .catalogue = {"CONC-01"},
      .documentation = promise,
      .variants = devmap_only(),
      .check = [](Case& c) { programs_never_miss(c, kRace); },
  });

  rules.add({
      .id = "conc.lookups-never-miss-a-replaced-array-entry",
      .states = "BPF_MAP_LOOKUP_ELEM never misses an entry of a DEVMAP that is being replaced.",
      .source = source,
      .catalogue = {"CONC-01"},
      .documentation = promise,
      .variants = devmap_only(),
      .check = [](Case& c) { lookups_never_miss(c, kRace); },
  });

  const std::vector<KnownIssue> gap = {
      {.reason = "An update of a DEVMAP_HASH takes the old entry out of its bucket before it puts the new one in; who "
                 "looks in between finds nothing, and the frame takes the action for a missing key.",
       .since = {.major = 5, .minor = 4}}};
  rules.add({
      .id = "conc.programs-never-miss-a-replaced-hash-entry",
      .states = "bpf_redirect_map never misses an entry of a DEVMAP_HASH that is being replaced.",
      .source = {kHashUpdate},
      .catalogue = {"CONC-02"},
      .documentation = promise,
      .variants = devmap_hash_only(),
      .needs = {features::two_processors()},  // one processor never reads in the middle: interrupts are off
      .known = gap,
      .check = [](Case& c) { programs_never_miss(c, kLongRace); },
  });

  rules.add({
      .id = "conc.lookups-never-miss-a-replaced-hash-entry",
      .states = "BPF_MAP_LOOKUP_ELEM never misses an entry of a DEVMAP_HASH that is being replaced.",
      .source = {kHashUpdate},
      .catalogue = {"CONC-02"},
      .documentation = promise,
      .variants = devmap_hash_only(),
      .needs = {features::two_processors()},
      .known = gap,
      .check = [](Case& c) { lookups_never_miss(c, kLongRace); },
  });
}

/// What several threads' calls came to.
struct Tally {
  std::uint64_t successes = 0;
  std::uint64_t expected_refusals = 0;
  std::uint64_t others = 0;

  void add(const Reply<>& reply, int refusal) {
    if (reply) ++successes;
    if (reply.error() == refusal) ++expected_refusals;
    if (!reply && reply.error() != refusal) ++others;
  }
  Tally& operator+=(const Tally& tally) {
    successes += tally.successes;
    expected_refusals += tally.expected_refusals;
    others += tally.others;
    return *this;
  }
  [[nodiscard]] std::uint64_t calls() const { return successes + expected_refusals + others; }
};

/// A race again and again: at least so often, and for as long as a soak lasts.
class Rounds {
 public:
  Rounds(Case& c, std::uint32_t least) : least_(least), limit_(c.soak({})) {}

  /// Whether there is one more.
  [[nodiscard]] bool next() {
    time_ = Clock::now() - began_;
    if (begun_ >= least_ && time_ >= limit_) return false;
    ++begun_;
    return true;
  }
  [[nodiscard]] std::uint64_t count() const { return begun_; }
  [[nodiscard]] Clock::duration time() const { return time_; }

 private:
  std::uint32_t least_;
  Clock::duration limit_;
  Clock::time_point began_ = Clock::now();
  Clock::duration time_ = {};
  std::uint64_t begun_ = 0;
};

/// Runs `work(thread, tally)` on every thread in rounds that all begin together; the sum of what they counted.
template <class Work>
Tally on_threads(std::uint32_t rounds, Work work) {
  std::array<Tally, kThreads> tallies{};
  {
    std::barrier together(kThreads);
    std::array<std::jthread, kThreads> threads;
    for (std::uint32_t thread = 0; thread < kThreads; ++thread) {
      threads.at(thread) = std::jthread([&, thread] {
        for (std::uint32_t round = 0; round < rounds; ++round) {
          together.arrive_and_wait();
          work(round, thread, tallies.at(thread));
        }
      });
    }
    for (auto& thread : threads) thread.join();  // before the barrier goes
  }
  Tally sum;
  for (const auto& tally : tallies) sum += tally;
  return sum;
}

void add_insertion(Registry& rules) {
  rules.add({
      .id = "conc.one-of-several-noexist-inserts-succeeds",
      .states = "Of several concurrent inserts of one key with BPF_NOEXIST exactly one succeeds, and the others are "
                "refused with EEXIST.",
      .refuses = {EEXIST},
      .source = {kHashUpdate},
      .catalogue = {"CONC-05"},
      .variants = devmap_hash_only({4}),
      .check =
          [](Case& c) {
            constexpr std::uint32_t kRounds = 32;
            constexpr std::uint32_t kKeysPerRound = 16;
            constexpr std::uint32_t kKeys = kRounds * kKeysPerRound;
            Tally tally;
            std::uint64_t won_once = 0;
            Rounds maps(c, 1);
            while (maps.next()) {
              const auto map = c.devmap(kKeys);
              std::array<std::atomic<std::uint32_t>, kKeys> winners{};
              tally += on_threads(kRounds, [&](std::uint32_t round, std::uint32_t, Tally& counted) {
                for (std::uint32_t key = round * kKeysPerRound; key < (round + 1) * kKeysPerRound; ++key) {
                  const auto inserted = map.update(key, {.ifindex = kLoopback}, BPF_NOEXIST);
                  counted.add(inserted, EEXIST);
                  if (inserted) ++winners.at(key);
                }
              });
              won_once += static_cast<std::uint64_t>(
                  std::ranges::count_if(winners, [](const auto& count) { return count.load() == 1; }));
            }
            const auto keys = maps.count() * kKeys;
            c.note(fmt::format("{} threads insert the same {} keys", kThreads, keys));
            c.equals("keys that exactly one thread inserted", won_once, keys);
            c.equals("inserts that succeeded", tally.successes, keys);
            c.count_that_ends_in("inserts", EEXIST, tally.expected_refusals, (kThreads - 1) * keys);
            c.equals("inserts that came to something else", tally.others, 0U);
            c.rates(maps.time(), {{"inserts", tally.calls()}});
          },
  });

  rules.add({
      .id = "conc.capacity-is-never-exceeded",
      .states = "Concurrent inserts of different keys succeed until the map holds max_entries elements; the others are "
                "refused with E2BIG.",
      .refuses = {E2BIG},
      .source = {kHashUpdate},
      .catalogue = {"CONC-06"},
      .variants = devmap_hash_only({4}),
      .check =
          [](Case& c) {
            constexpr std::uint32_t kCapacity = 17;
            constexpr std::uint32_t kKeysPerThread = 64;
            Tally tally;
            std::uint64_t elements = 0;
            Rounds maps(c, 4);
            while (maps.next()) {
              const auto map = c.devmap(kCapacity);
              tally += on_threads(1, [&](std::uint32_t, std::uint32_t thread, Tally& counted) {
                for (std::uint32_t key = 0; key < kKeysPerThread; ++key) {
                  counted.add(map.update(thread * kKeysPerThread + key, {.ifindex = kLoopback}), E2BIG);
                }
              });
              for (auto key = map.next_key({}); key; key = map.next_key(key.value())) ++elements;
            }
            const auto inserts = maps.count() * kThreads * kKeysPerThread;
            const auto places = maps.count() * kCapacity;
            c.equals(
                fmt::format("of {} inserts into {} maps of {}, those that succeeded", inserts, maps.count(), kCapacity),
                tally.successes, places);
            c.count_that_ends_in("those", E2BIG, tally.expected_refusals, inserts - places);
            c.equals("those that came to something else", tally.others, 0U);
            c.equals("elements that iterations find", elements, places);
            c.rates(maps.time(), {{"inserts", tally.calls()}});
          },
  });
}

void add_freeing(Registry& rules) {
  rules.add({
      .id = "conc.map-free-waits-for-programs",
      .states = "A map that is freed while programs reach it through an outer map keeps its entries until they are "
                "through: they never miss a key, and the kernel logs nothing.",
      .source = {"kernel/bpf/devmap.c:dev_map_free"},
      .commits = {"2baae3545327", "d4dd153d5516", "5bcf0dcbf906"},
      .catalogue = {"CONC-09"},
      .variants = any_map(4),
      .check =
          [](Case& c) {
            using enum Register;
            constexpr std::uint32_t kSlot = 0;
            const auto put = [&](const Map& outer) {
              const auto inner = map_with_entry(c);
              c.must(outer.update(kSlot, inner.fd()));
            };  // where the outer map lets go of the one before, nothing else holds that
            const auto like = map_with_entry(c);
            const auto outer = c.must(Map::create(
                {.type = BPF_MAP_TYPE_ARRAY_OF_MAPS, .inner_map_fd = static_cast<std::uint32_t>(like.fd())}));
            put(outer);
            Assembler code;
            const auto again = code.label();
            const auto next = code.label();
            code.move(r6, 0).move(r7, 0).place(again).lookup(outer, kSlot).jump_if(Condition::equal, r0, 0, next);
            code.move(r1, r0)
                .move(r2, kKey)
                .move(r3, XDP_ABORTED)
                .call(BPF_FUNC_redirect_map)
                .compute(Arithmetic::add, r7, r0)
                .place(next)
                .compute(Arithmetic::add, r6, 1)
                .jump_if(Condition::less, r6, kCalls, again)
                .move(r0, r7)
                .exit();
            const auto program = c.program(code);
            const auto frame = make_frame();
            const auto race = race_of(
                c, Processors::shared, Until::first_miss, c.soak(2 * kRace), [&] { put(outer); },
                [&](Race& counted) {
                  const auto run = c.must(program.test_run({.repeat = 1, .data_in = frame}));
                  counted.reads += kCalls;
                  counted.misses += kCalls - run.return_value / XDP_REDIRECT;
                });
            c.note(fmt::format("{} calls of bpf_redirect_map while {} maps were replaced and freed", race.reads,
                               race.writes));
            c.holds("none of the calls misses the key", race.misses == 0,
                    fmt::format("{} missed it before the race was ended", race.misses));
            c.rates(race.time, {{"calls", race.reads}, {"maps", race.writes}});
          },
  });
}

}  // namespace

void add_conc_chapter(Registry& rules) {
  rules.chapter("conc", "Concurrency guarantees");
  add_replacement(rules);
  add_insertion(rules);
  add_freeing(rules);
  add_conc_traffic(rules);
  add_conc_devices(rules);
}

}  // namespace devmap::cases
