#include <cases/conc.hpp>
#include <cases/frame_race.hpp>
#include <harness/bpf/map_of_maps.hpp>
#include <harness/net/ethtool.hpp>
#include <harness/net/features.hpp>
#include <harness/net/netns.hpp>
#include <harness/spec/case.hpp>

// What becomes of frames from every processor while the device or the map that they go by is taken away.
namespace devmap::cases {
namespace {

constexpr std::uint32_t kSteady = 0;
constexpr std::uint32_t kChanged = 1;
/// The sink of the steady frames, and the one of those for the device that changes.
constexpr std::uint32_t kSteadyPort = 0;
constexpr std::uint32_t kChangedPort = 1;
const std::string kNotification = "kernel/bpf/devmap.c:dev_map_notification";

/// Frames by turns for an entry that stays and for one whose device goes.
struct Devices {
  Case& c;
  DevMap map;
  FrameRace race;

  explicit Devices(Case& the_case)
      : c(the_case), map(c.devmap()), race(c, map, {.ports = 2, .changed_key = kChanged, .steady_key = kSteady}) {
    c.must(map.update(kSteady, {.ifindex = race.target(kSteadyPort)}));
    race.settle(kMiss);
  }

  void put(std::uint32_t ifindex, Allowed afterwards) {
    race.change(afterwards, [&] { return map.update(kChanged, {.ifindex = ifindex}); });
    (void)race.more_frames();
  }
  void judge_steady() {
    c.equals("frames for the other device that found no entry", race.steady_misses(), 0U);
    c.equals("frames at the sink of the other device, of those that were redirected to it", race.arrived(kSteadyPort),
             race.steady_hits());
    race.judge_order();
  }
};

/// Deletes one device after the other under frames; nothing is where its frames go.
void delete_devices(Devices& devices) {
  auto& race = devices.race;
  race.run(kFrameRace, [&](std::uint32_t) {
    const auto doomed = devices.c.must(create_veth({.first_name = "d0", .second_name = "d1", .queues = 1}));
    devices.c.must(set_gro(doomed.second, true));
    devices.put(doomed.first, kHitAndLost);
    race.change(kMiss, [&] { return delete_link(doomed.first); });
    (void)race.more_frames();
  });
}

void add_deletion(Registry& rules) {
  rules.add(frame_rule({
      .id = "conc.deletion-of-a-target-disturbs-no-other",
      .states = "While one device after another is deleted under the frames that are redirected to it, every frame for "
                "another device of the map arrives, once and in order.",
      .source = {kNotification, "kernel/bpf/devmap.c:__dev_flush"},
      .catalogue = {"EVENT-10"},
      .variants = any_map(4),
      .needs = {features::gro_switch()},
      .check =
          [](Case& c) {
            Devices devices(c);
            delete_devices(devices);
            devices.race.judge_runs();
            devices.judge_steady();
            devices.race.rates();
          },
  }));

  rules.add(frame_rule({
      .id = "conc.no-frame-finds-a-deleted-device",
      .states = "A frame whose program runs after the deletion of a device has returned finds no entry for it.",
      .source = {kNotification},
      .catalogue = {"EVENT-10"},
      .variants = any_map(4),
      .needs = {features::gro_switch()},
      .check =
          [](Case& c) {
            Devices devices(c);
            delete_devices(devices);
            devices.race.judge_runs();
            devices.race.judge_places();
            devices.race.rates();
          },
  }));
}

void add_moving(Registry& rules) {
  rules.add(frame_rule({
      .id = "conc.no-frame-follows-a-device-to-another-namespace",
      .states = "A frame whose program runs after a device has been moved to another namespace finds no entry for it "
                "and does not pass it; frames for another device of the map all arrive meanwhile.",
      .source = {kNotification},
      .catalogue = {"EVENT-06"},
      .variants = any_map(4),
      .check =
          [](Case& c) {
            Devices devices(c);
            auto& race = devices.race;
            const auto moved = race.target(kChangedPort);
            const auto home = c.must(NetNs::current());
            const auto elsewhere = c.must(NetNs::create());
            race.run(kFrameRace, [&](std::uint32_t) {
              devices.put(moved, hit(kChangedPort));
              race.change(kMiss, [&] { return move_to(moved, elsewhere); });
              (void)race.more_frames();
              c.must(elsewhere.run([&] { c.must(move_to(moved, home)); }));
              c.must(set_up(moved));
            });
            race.judge_runs();
            race.judge_places();
            devices.judge_steady();
            race.rates();
          },
  }));
}

void add_setting_down(Registry& rules) {
  rules.add(frame_rule({
      .id = "conc.no-frame-passes-a-device-that-is-down",
      .states = "A frame whose program runs after a device has been set down does not pass it, although it is "
                "redirected to it; frames for another device of the map all arrive meanwhile.",
      .source = {"kernel/bpf/devmap.c:__xdp_enqueue"},
      .variants = any_map(4),
      .check =
          [](Case& c) {
            Devices devices(c);
            auto& race = devices.race;
            const auto device = race.target(kChangedPort);
            race.run(kFrameRace, [&](std::uint32_t n) {
              if (n == 0) devices.put(device, hit(kChangedPort));
              race.change(kHitAndLost, [&] { return set_up(device, false); });
              (void)race.more_frames();
              race.change(hit(kChangedPort), [&] {
                // A frame that is to be lost could find the device up again between its program and its queue.
                (void)race.more_frames();
                return set_up(device);
              });
              (void)race.more_frames();
            });
            race.judge_runs();
            race.judge_places();
            c.holds("frames arrive there while it is up", race.arrived(kChangedPort) != 0,
                    fmt::format("{} frames", race.arrived(kChangedPort)));
            devices.judge_steady();
            race.rates();
          },
  }));
}

void add_freeing(Registry& rules) {
  rules.add(frame_rule({
      .id = "conc.freeing-a-map-loses-no-frame",
      .states = "While a map of maps is given one device map after another, and the one before is freed with the "
                "program in its entry, every frame is seen by such a program and arrives, once.",
      .source = {"kernel/bpf/devmap.c:dev_map_free", "kernel/bpf/devmap.c:bq_xmit_all"},
      .catalogue = {"CONC-09"},
      .variants = any_map(8),
      .check =
          [](Case& c) {
            const auto like = c.devmap();
            const auto outer = c.must(MapOfMaps::create(BPF_MAP_TYPE_ARRAY_OF_MAPS, like, 1));
            FrameRace race(c, like, {.outer = &outer});
            const auto program = race.counting_in_entry();
            const auto put = [&](std::uint32_t port) {
              const auto inner = c.devmap();
              c.must(inner.update(kChanged, {.ifindex = race.target(port), .program_fd = program.fd()}));
              return outer.put(0, inner);
            };  // nothing but the outer map holds it any more
            c.must(put(0));
            race.settle(hit(0));
            race.run(kFrameRace, [&](std::uint32_t n) {
              const auto port = (n + 1) % 3;
              race.change(hit(port), [&] { return put(port); });
            });
            race.judge_runs();
            c.equals("frames that found no entry", race.misses(), 0U);
            c.equals("frames that a program in an entry was given", race.left(), race.sent());
            race.judge_arrivals();
            race.judge_places();
            race.rates();
          },
  }));
}

}  // namespace

void add_conc_devices(Registry& rules) {
  add_deletion(rules);
  add_moving(rules);
  add_setting_down(rules);
  add_freeing(rules);
}

}  // namespace devmap::cases
