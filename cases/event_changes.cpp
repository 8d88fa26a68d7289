#include <cases/event.hpp>
#include <cases/released.hpp>
#include <cases/support.hpp>
#include <cases/traffic.hpp>
#include <harness/net/device_state.hpp>
#include <harness/net/devices.hpp>
#include <harness/net/ethtool.hpp>
#include <harness/net/features.hpp>
#include <harness/net/link.hpp>
#include <harness/spec/case.hpp>

#include <net/if.h>

namespace devmap::cases {
namespace {

const std::string kNotification = "kernel/bpf/devmap.c:dev_map_notification";
constexpr MacAddress kOtherAddress{0x02, 0, 0, 0xaa, 0xbb, 0xcc};

/// An entry for a device, with a program where the map takes one, must be the same after the change as before.
template <class Change>
void entry_stays(Case& c, std::uint32_t ifindex, std::string_view what, Change change) {
  const auto map = c.devmap(kEntries);
  std::optional<Program> egress;
  if (c.value_size() == sizeof(bpf_devmap_val)) egress = c.egress_program();
  c.must(map.update(kPresent, {.ifindex = ifindex, .program_fd = egress ? egress->fd() : 0}));
  const Element before{.ifindex = ifindex, .program_id = egress ? id_of(c, *egress) : 0};
  has(c, map, kPresent, before);
  change();
  c.note(std::string(what));
  has(c, map, kPresent, before);
}

void add_one_by_one(Registry& rules) {
  rules.add({
      .id = "event.down-and-up-keep-entries",
      .states = "Setting a device down or up leaves the entries for it as they are.",
      .source = {kNotification},
      .catalogue = {"EVENT-05"},
      .check =
          [](Case& c) {
            entry_stays(c, kLoopback, "the device is set up", [&] { c.must(set_up(kLoopback)); });
            entry_stays(c, kLoopback, "the device is set down", [&] { c.must(set_up(kLoopback, false)); });
          },
  });

  rules.add({
      .id = "event.rename-keeps-entries",
      .states = "Renaming a device leaves the entries for it as they are.",
      .source = {kNotification},
      .catalogue = {"EVENT-05"},
      .needs = {features::veth()},
      .check =
          [](Case& c) {
            const auto ifindex = c.must(create_veth({.up = false})).first;
            entry_stays(c, ifindex, "the device is renamed", [&] { c.must(rename_link(ifindex, "other")); });
            c.equals("the name of the device by now", c.must(device_state(ifindex)).name, "other");
          },
  });

  rules.add({
      .id = "event.mtu-change-keeps-entries",
      .states = "Changing the MTU of a device leaves the entries for it as they are.",
      .source = {kNotification},
      .catalogue = {"EVENT-05"},
      .check =
          [](Case& c) { entry_stays(c, kLoopback, "the MTU is changed", [&] { c.must(set_mtu(kLoopback, 1234)); }); },
  });

  rules.add({
      .id = "event.mac-change-keeps-entries",
      .states = "Changing the MAC address of a device leaves the entries for it as they are.",
      .source = {kNotification},
      .catalogue = {"EVENT-05"},
      .needs = {features::veth()},
      .check =
          [](Case& c) {
            const auto ifindex = c.must(create_veth({.up = false})).first;
            entry_stays(c, ifindex, "the MAC address is changed", [&] { c.must(set_address(ifindex, kOtherAddress)); });
            c.equals("the address by now", c.must(device_state(ifindex)).address, kOtherAddress);
          },
  });

  rules.add({
      .id = "event.becoming-a-port-keeps-entries",
      .states = "Making a device the port of a bridge, and no longer, leaves the entries for it as they are.",
      .source = {kNotification},
      .catalogue = {"EVENT-05"},
      .variants = any_map(4),
      .needs = {features::veth(), features::bridge()},
      .check =
          [](Case& c) {
            const auto ifindex = c.must(create_veth({.up = false})).first;
            const auto bridge = c.must(create_bridge({.name = "br0", .up = false}));
            entry_stays(c, ifindex, "the device is made a port", [&] { c.must(set_master(ifindex, bridge)); });
            entry_stays(c, ifindex, "it is released", [&] { c.must(set_master(ifindex, 0)); });
          },
  });

  rules.add({
      .id = "event.offload-change-keeps-entries",
      .states = "Switching an offload of a device leaves the entries for it as they are.",
      .source = {kNotification},
      .variants = any_map(4),
      .needs = {features::veth(), features::gro_switch()},
      .check =
          [](Case& c) {
            const auto ifindex = c.must(create_veth({.up = false})).first;
            entry_stays(c, ifindex, "GRO is switched on", [&] { c.must(set_gro(ifindex, true)); });
            entry_stays(c, ifindex, "GRO is switched off", [&] { c.must(set_gro(ifindex, false)); });
          },
  });
}

void add_redirects(Registry& rules) {
  rules.add({
      .id = "event.redirects-follow-the-state-of-the-device",
      .states = "A redirect is carried out by what the device is at that moment: a frame is lost while it is down, and "
                "goes through once it is up again, under whatever name and address.",
      .source = {"include/linux/filter.h:xdp_ok_fwd_dev", kNotification},
      .catalogue = {"EVENT-05"},
      .variants = any_map(4).in({Mode::native, Mode::generic}),
      .needs = {features::veth()},
      .check =
          [](Case& c) {
            Traffic t(c);
            const auto map = c.devmap(kEntries);
            c.must(map.update(kPresent, {.ifindex = t.target(0)}));
            t.run(t.main().redirect_map(map, kPresent, 0).exit());
            c.equals("where a frame went", t.fate_of(t.frame()), delivered_to({0}));
            c.must(set_up(t.target(0), false));
            c.equals("where a frame went while the device was down", t.fate_of(t.frame()), nowhere());
            c.must(rename_link(t.target(0), "other"));
            c.must(set_address(t.target(0), kOtherAddress));
            c.must(set_up(t.target(0)));
            c.note("the device has another name and address");
            c.equals("where a frame went when the device was up again", t.fate_of(t.frame()), delivered_to({0}));
          },
  });
}

}  // namespace

void add_event_change_rules(Registry& rules) {
  add_one_by_one(rules);
  add_redirects(rules);
}

}  // namespace devmap::cases
