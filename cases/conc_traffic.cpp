#include <cases/conc.hpp>
#include <cases/egress.hpp>
#include <cases/frame_race.hpp>
#include <harness/bpf/features.hpp>
#include <harness/net/features.hpp>
#include <harness/spec/case.hpp>

// What becomes of frames from every processor while the entry that redirects them is changed.
namespace devmap::cases {
namespace {

constexpr std::uint32_t kChanged = 1;
constexpr std::uint32_t kPorts = 3;
const std::string kArrayUpdate = "kernel/bpf/devmap.c:__dev_map_update_elem";
const std::string kHashUpdate = "kernel/bpf/devmap.c:__dev_map_hash_update_elem";
const std::string kDelete = "kernel/bpf/devmap.c:dev_map_delete_elem";

/// The changes of one entry, which its frames race.
struct Entry {
  Case& c;
  DevMap map;
  FrameRace race;

  explicit Entry(Case& the_case, const FrameRace::Spec& spec) : c(the_case), map(c.devmap()), race(c, map, spec) {
    c.must(map.update(kChanged, {.ifindex = race.target(0)}));
    race.settle(hit(0));
  }

  void set(std::uint32_t port) {
    race.change(hit(port), [&] { return map.update(kChanged, {.ifindex = race.target(port)}); });
  }
  void remove() {
    race.change(kMiss, [&] { return map.erase(kChanged); });
  }
  /// To each device in turn, so that frames for the one before are told from those for the one after.
  void retarget() {
    race.run(kFrameRace, [this](std::uint32_t n) { set((n + 1) % kPorts); });
  }
  void judge_hits_and_misses() const {
    c.equals("frames that were redirected or took the action for a missing key", race.hits() + race.misses(),
             race.sent());
  }
  /// Set anew, deleted, inserted.
  void change_in_all_ways() {
    race.run(kFrameRace, [this](std::uint32_t n) {
      set((n + 1) % kPorts);
      set((n + 2) % kPorts);
      remove();
      set(n % kPorts);
    });
  }
};

void add_retargeting(Registry& rules) {
  rules.add(frame_rule({
      .id = "conc.retargeting-an-array-loses-no-frame",
      .states = "While an entry of a DEVMAP is set to one device after another, every frame is redirected by it and "
                "arrives, once.",
      .source = {kArrayUpdate},
      .catalogue = {"CONC-04"},
      .variants = devmap_only({4}).in({Mode::native, Mode::generic}),
      .check =
          [](Case& c) {
            Entry entry(c, {.mode = c.mode()});
            entry.retarget();
            entry.race.judge_runs();
            c.equals("frames that found no entry", entry.race.misses(), 0U);
            entry.race.judge_arrivals();
            entry.race.judge_order();
            entry.race.rates();
          },
  }));

  rules.add(frame_rule({
      .id = "conc.retargeting-a-hash-loses-only-frames-that-miss",
      .states = "While an entry of a DEVMAP_HASH is set to one device after another, every frame is redirected by it "
                "and arrives, once, or takes the action for a missing key.",
      .source = {kHashUpdate},
      .catalogue = {"CONC-04"},
      .variants = devmap_hash_only({4}).in({Mode::native, Mode::generic}),
      .check =
          [](Case& c) {
            Entry entry(c, {.mode = c.mode()});
            entry.retarget();
            entry.race.judge_runs();
            entry.judge_hits_and_misses();
            entry.race.judge_arrivals();
            entry.race.judge_order();
            entry.race.rates();
          },
  }));
}

void add_all_changes(Registry& rules) {
  rules.add(frame_rule({
      .id = "conc.frames-under-insertion-and-deletion-arrive-or-miss",
      .states = "While an entry is deleted and inserted, every frame is redirected and arrives, once, or takes the "
                "action for a missing key.",
      .source = {kDelete},
      .catalogue = {"CONC-07"},
      .variants = any_map(4),
      .check =
          [](Case& c) {
            Entry entry(c, {});
            entry.race.run(kFrameRace, [&](std::uint32_t) {
              entry.remove();
              entry.set(0);
            });
            entry.race.judge_runs();
            entry.judge_hits_and_misses();
            entry.race.judge_arrivals();
            entry.race.rates();
          },
  }));

  rules.add(frame_rule({
      .id = "conc.changes-hold-for-frames-when-the-call-returns",
      .states = "A frame whose program runs after the call that set, deleted or inserted an entry has returned is "
                "treated by the entry as it is then: none goes where the entry led before.",
      .source = {kArrayUpdate, kHashUpdate, kDelete},
      .catalogue = {"CONC-04", "CONC-07"},
      .variants = any_map(4),
      .check =
          [](Case& c) {
            Entry entry(c, {});
            entry.change_in_all_ways();
            entry.race.judge_runs();
            entry.race.judge_places();
            entry.race.rates();
          },
  }));

  rules.add(frame_rule({
      .id = "conc.frames-stay-in-order-while-entries-change",
      .states = "The frames that one processor redirects to a device arrive there in their order, whatever is done to "
                "the entry meanwhile.",
      .source = {"kernel/bpf/devmap.c:bq_enqueue"},
      .catalogue = {"CONC-04", "CONC-07"},
      .variants = any_map(4),
      .check =
          [](Case& c) {
            Entry entry(c, {});
            entry.change_in_all_ways();
            entry.race.judge_runs();
            entry.race.judge_arrivals();
            entry.race.judge_order();
            entry.race.rates();
          },
  }));
}

void add_broadcast(Registry& rules) {
  rules.add(frame_rule({
      .id = "conc.broadcasts-reach-untouched-entries-once",
      .states = "A broadcast reaches every entry that is not changed, once, while another one is replaced, one of the "
                "same bucket of a DEVMAP_HASH too.",
      .since = {.major = 5, .minor = 14},
      .source = {"kernel/bpf/devmap.c:dev_map_enqueue_multi", "kernel/bpf/devmap.c:dev_map_redirect_multi"},
      .commits = {"8ed82f807bb0"},
      .catalogue = {"CONC-03"},
      .variants = any_map(4).in({Mode::native, Mode::generic}),
      .check =
          [](Case& c) {
            const auto map = c.devmap();
            const bool hash = c.type() == DevMapType::devmap_hash;
            // A map of 4 has 4 buckets: keys 1, 5 and 9 share one.
            const std::uint32_t replaced = hash ? 5 : 1;
            FrameRace race(c, map, {.ports = 4, .mode = c.mode(), .flags = BPF_F_BROADCAST, .copies = hash ? 3U : 4U});
            c.must(map.update(hash ? 9 : 0, {.ifindex = race.target(0)}));
            c.must(map.update(replaced, {.ifindex = race.target(3)}));
            c.must(map.update(hash ? 1 : 2, {.ifindex = race.target(1)}));
            c.must(map.update(hash ? 2 : 3, {.ifindex = race.target(2)}));
            race.run(kFrameRace, [&](std::uint32_t) {
              race.change(RACE_HIT, [&] { return map.update(replaced, {.ifindex = race.target(3)}); });
            });
            race.judge_runs();
            for (std::uint32_t port = 0; port < 3; ++port) {
              c.equals(fmt::format("frames at the sink of untouched entry {}", port), race.arrived(port), race.sent());
            }
            race.judge_order();
            const auto at_replaced = race.arrived(3);
            c.note(fmt::format("{} frames at the sink of the entry that was replaced by itself {} times", at_replaced,
                               race.changes()));
            if (!hash) c.equals("frames at the sink of the replaced entry", at_replaced, race.sent());
            race.rates();
          },
  }));
}

void add_queues(Registry& rules) {
  const auto leave = [](Case& c, bool with_ingress) {
    const auto map = c.devmap();
    FrameRace race(c, map, {.ports = 1, .two_receivers = true});
    const auto program = race.counting_in_entry(with_ingress);
    c.must(map.update(kChanged, {.ifindex = race.target(0), .program_fd = program.fd()}));
    race.settle(hit(0));
    race.run(kFrameRace, [&](std::uint32_t) { (void)race.more_frames(); });
    race.judge_runs();
    c.equals("frames that the program in the entry was given", race.left(), race.sent());
    race.judge_queues(with_ingress);
    race.judge_arrivals();
    race.rates();
  };
  rules.add(frame_rule({
      .id = "conc.frames-leave-on-the-processor-that-redirected-them",
      .states = "Each processor has a queue of its own for a device: a frame leaves on the processor that redirected "
                "it, while another processor redirects to the same device.",
      .source = {"kernel/bpf/devmap.c:bq_enqueue"},
      .commits = {"75ccae62cb8d"},
      .catalogue = {"CONC-08"},
      .variants = any_map(8),
      .needs = {features::live_frames(), features::two_processors()},
      .check = [leave](Case& c) { leave(c, false); },
  }));
  rules.add(frame_rule({
      .id = "conc.frames-of-two-processors-are-never-in-one-batch",
      .states = "Frames that two processors redirect to one device are never in one batch: the program in the entry "
                "finds in ingress_ifindex the device that received the frame it is given.",
      .since = kReceiverSince,
      .backports = kReceiverBackports,
      .source = {"kernel/bpf/devmap.c:bq_enqueue"},
      .commits = {"75ccae62cb8d", "1872e75375c4"},
      .catalogue = {"CONC-08"},
      .variants = any_map(8),
      .needs = {features::live_frames(), features::two_processors()},
      .danger = "kernels without ca9984c5f0ab follow a null pointer when such a program reads ingress_ifindex",
      .check = [leave](Case& c) { leave(c, true); },
  }));
}

}  // namespace

void add_conc_traffic(Registry& rules) {
  add_retargeting(rules);
  add_all_changes(rules);
  add_broadcast(rules);
  add_queues(rules);
}

}  // namespace devmap::cases
