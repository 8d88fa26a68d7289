#include <cases/attach.hpp>
#include <cases/fragments.hpp>
#include <cases/support.hpp>
#include <harness/bpf/features.hpp>
#include <harness/net/ethtool.hpp>
#include <harness/net/features.hpp>
#include <harness/net/link.hpp>
#include <harness/net/netns.hpp>
#include <harness/spec/case.hpp>

#include <unistd.h>

#include <cerrno>

// What of the device, and not of the program, decides whether a program can be attached.
namespace devmap::cases {
namespace {

const std::string kVethSet = "drivers/net/veth.c:veth_xdp_set";

Reply<> attach(const Program& program, std::uint32_t ifindex, Mode mode) {
  return set_xdp(ifindex, program.fd(), xdp_flags(mode));
}

void add_queues(Registry& rules) {
  rules.add({
      .id = "attach.veth-with-fewer-queues-than-its-peer-takes-no-native-program",
      .states = "A native program is refused with ENOSPC on a veth device that has fewer receive queues than its peer "
                "has transmit queues.",
      .refuses = {ENOSPC},
      .source = {kVethSet},
      .variants = once(),
      .needs = {features::veth(), veth_channels()},
      .check =
          [](Case& c) {
            const auto pair = c.must(create_veth({.queues = 2}));
            const auto program = passing_program(c);
            c.must(set_channels(pair.second, 1, 2));
            c.note("the device has 1 receive queue, its peer 2 transmit queues; in the control both have 2");
            c.refuses(attach(program, pair.second, Mode::native), ENOSPC, "number of rx queues").control([&] {
              c.must(set_channels(pair.second, 2, 2));
              return attach(program, pair.second, Mode::native);
            }());
          },
  });
}

void add_mtu(Registry& rules) {
  rules.add({
      .id = "attach.veth-whose-peer-has-a-large-mtu-takes-programs-for-fragments",
      .states =
          "On a veth device whose peer's MTU leaves a frame no room in one page, a native program is refused with "
          "ERANGE, unless it allows for fragments (BPF_F_XDP_HAS_FRAGS).",
      .refuses = {ERANGE},
      .since = {.major = 5, .minor = 18},
      .source = {kVethSet},
      .variants = once(),
      .needs = {features::veth(), features::frags_programs(), small_pages()},
      .check =
          [](Case& c) {
            const auto pair = c.must(create_veth());
            const auto page = static_cast<std::uint32_t>(sysconf(_SC_PAGESIZE));
            c.must(set_mtu(pair.first, page));
            const auto plain = passing_program(c);
            const auto with_fragments = passing_program(c, {.flags = BPF_F_XDP_HAS_FRAGS});
            c.note("the peer's MTU is a page; the control's program allows for fragments");
            c.refuses(attach(plain, pair.second, Mode::native), ERANGE, "MTU is too large")
                .control(attach(with_fragments, pair.second, Mode::native));
          },
  });
}

void add_modes(Registry& rules) {
  rules.add({
      .id = "attach.native-and-generic-programs-exclude-each-other",
      .states = "While a device has a program of one mode, native or generic, one of the other mode is refused with "
                "EEXIST.",
      .refuses = {EEXIST},
      .source = {"net/core/dev.c:dev_xdp_attach"},
      .variants = once().in({Mode::native, Mode::generic}),
      .needs = {features::veth()},
      .check =
          [](Case& c) {
            const auto device = c.must(create_veth()).second;
            const auto program = passing_program(c);
            const auto other = c.mode() == Mode::native ? Mode::generic : Mode::native;
            c.must(attach(program, device, c.mode()));
            c.note(
                fmt::format("the device has a program in {} mode; in the control it was detached", name_of(c.mode())));
            c.refuses(attach(program, device, other), EEXIST).control([&] {
              c.must(set_xdp(device, -1, xdp_flags(c.mode())));
              return attach(program, device, other);
            }());
          },
  });
}

}  // namespace

Feature veth_channels() {
  return {.name = "veth devices whose queues can be changed", .remedy = "run it on Linux 5.16 or later", .probe = [] {
            Fact fact;
            const auto apart = NetNs::create();
            if (!apart) return Fact{Presence::could_not_tell, apart.error().text()};
            const auto entered = apart->run([&fact] {
              const auto pair = create_veth({.queues = 2, .up = false});
              if (!pair) {
                fact = {Presence::could_not_tell, pair.error().text()};
                return;
              }
              const auto set = set_channels(pair->first, 1, 2);
              fact = {set ? Presence::present : Presence::absent,
                      set ? "a veth device takes 1 receive queue of 2" : "refused with " + errno_name(set.error())};
            });
            return entered ? fact : Fact{Presence::could_not_tell, entered.error().text()};
          }};
}

void add_attach_device_rules(Registry& rules) {
  add_queues(rules);
  add_mtu(rules);
  add_modes(rules);
}

}  // namespace devmap::cases
