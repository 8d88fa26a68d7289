#include <cases/event.hpp>
#include <cases/live_targets.hpp>
#include <cases/support.hpp>
#include <cases/traffic.hpp>
#include <harness/base/wait.hpp>
#include <harness/bpf/features.hpp>
#include <harness/net/counting_sink.hpp>
#include <harness/net/devices.hpp>
#include <harness/net/ethtool.hpp>
#include <harness/net/features.hpp>
#include <harness/net/link.hpp>
#include <harness/net/packet_socket.hpp>
#include <harness/net/redirect_trace.hpp>
#include <harness/net/topology.hpp>
#include <harness/net/xdp_dispatcher.hpp>
#include <harness/spec/case.hpp>

#include <linux/if_link.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <span>
#include <thread>

namespace devmap::cases {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono_literals::operator""ms;

/// How long devices are deleted under frames.
constexpr auto kRace = 150ms;

/// Sends live frames through a program on a thread of its own while it lives.
class LiveSender {
 public:
  LiveSender(const Program& program, std::uint32_t ingress)
      : thread_([this, &program, ingress] {
          const auto frame = live_frame();
          xdp_md context{};
          context.data_end = static_cast<std::uint32_t>(frame.size());
          context.ingress_ifindex = ingress;
          while (!over_ && failed_ == 0) {
            const auto ran = program.test_run({.repeat = 64,
                                               .flags = BPF_F_TEST_XDP_LIVE_FRAMES,
                                               .data_in = frame,
                                               .context_in = std::as_bytes(std::span(&context, 1))});
            failed_ = ran.error();
            ++runs_;
          }
        }) {}
  LiveSender(const LiveSender&) = delete;
  LiveSender& operator=(const LiveSender&) = delete;
  LiveSender(LiveSender&&) = delete;
  LiveSender& operator=(LiveSender&&) = delete;
  ~LiveSender() { stop(); }

  void stop() {
    over_ = true;
    if (thread_.joinable()) thread_.join();
  }
  /// Of 64 frames each.
  [[nodiscard]] std::uint64_t runs() const { return runs_; }
  /// The errno of a run that failed, 0 for none.
  [[nodiscard]] int failed() const { return failed_; }

 private:
  std::atomic<bool> over_ = false;
  std::atomic<int> failed_ = 0;
  std::atomic<std::uint64_t> runs_ = 0;
  std::jthread thread_;  // last: it uses the others
};

/// Deletes one device after the other while a program redirects frames to them with these flags.
void delete_under_frames(Case& c, std::uint64_t flags) {
  const auto map = c.devmap(kEntries);
  c.must(map.update(0, {.ifindex = kLoopback}));
  const auto program = redirecting_program(c, map, kPresent, flags);
  std::uint32_t deleted = 0;
  std::uint32_t left = 0;
  const auto ingress = c.must(create_wire(0));
  const auto attached = c.attach(program, ingress.second, Mode::native);
  // What is attached nowhere waits for RCU in every run.
  const auto* const dispatching = attached.dispatching();
  LiveSender sender(dispatching != nullptr ? *dispatching : program, ingress.second);
  const auto began = Clock::now();
  const auto end = began + c.soak(kRace);
  do {
    const auto pair = c.must(create_veth({.queues = 1}));
    c.must(set_gro(pair.second, true));
    c.must(map.update(kPresent, {.ifindex = pair.first}));
    const auto before = sender.runs();
    if (!wait_until([&] { return sender.runs() > before + 1 || sender.failed() != 0; }, c.patience())) {
      c.must(Expected<void>(failure("wait for frames to be sent", 0)));
    }
    c.must(delete_link(pair.first));
    ++deleted;
    if (element(c, map, kPresent)) ++left;
  } while (Clock::now() < end && sender.failed() == 0);
  sender.stop();
  c.rates(Clock::now() - began, {{"deletions", deleted}, {"frames", 64 * sender.runs()}});
  c.note(fmt::format("{} devices were deleted while {} runs of 64 frames were redirected to them", deleted,
                     sender.runs()));
  c.equals("what the runs came to", sender.failed() == 0 ? "success" : errno_name(sender.failed()), "success");
  c.equals("devices that left an entry behind", left, 0U);
  has(c, map, 0, Element{.ifindex = kLoopback});
}

void add_deletion_under_frames(Registry& rules) {
  const std::vector<std::string> source = {"kernel/bpf/devmap.c:__dev_flush",
                                           "kernel/bpf/devmap.c:dev_map_notification"};
  rules.add({
      .id = "event.deletion-under-frames",
      .states =
          "A device can be deleted while frames are redirected to it: the deletion returns, the entry is gone, and "
          "the kernel logs nothing.",
      .source = source,
      .catalogue = {"EVENT-10"},
      .variants = any_map(4),
      .needs = {features::veth(), features::live_frames(), features::gro_switch()},
      .check = [](Case& c) { delete_under_frames(c, XDP_DROP); },
  });

  rules.add({
      .id = "event.deletion-under-broadcasts",
      .states =
          "A device can be deleted while frames are broadcast to it: the deletion returns, the entry is gone, and "
          "the kernel logs nothing.",
      .since = {.major = 5, .minor = 14},
      .source = source,
      .catalogue = {"EVENT-10"},
      .variants = any_map(4),
      .needs = {features::veth(), features::live_frames(), features::gro_switch()},
      .check = [](Case& c) { delete_under_frames(c, BPF_F_BROADCAST); },
  });
}

/// A bond with two ports, the first of which is the active one.
///
///     bond (program) --+-- port 0 <====> far 0
///                      +-- port 1 <====> far 1
struct Bond {
  std::uint32_t bond = 0;
  std::array<VethPair, 2> pairs = {};
};

enum class Mastership : std::uint8_t { round_robin = 0, active_backup = 1 };

Bond bond_of(Case& c, Mastership mode, bool up) {
  Bond made{.bond = c.must(create_bond({.name = "bond7", .up = false}, static_cast<std::uint8_t>(mode)))};
  if (up) c.must(set_up(made.bond));
  c.must(silence_ipv6());
  for (std::uint32_t n = 0; n < made.pairs.size(); ++n) {
    auto& pair = made.pairs.at(n);
    pair = c.must(create_veth({.first_name = fmt::format("port{}", n),
                               .second_name = fmt::format("far{}", n),
                               .first_index = distinct_ifindex(2 * n),
                               .second_index = distinct_ifindex(2 * n + 1),
                               .queues = 1,
                               .up = false}));
    c.must(set_up(pair.second));
    c.must(set_master(pair.first, made.bond));
  }
  return made;
}

/// Not behind the dispatcher: that finds the program by the receiving device, and a bond's program sees the port there.
XdpAttachment attach_to_bond(Case& c, const Program& program, std::uint32_t bond) {
  return c.must(XdpAttachment::directly(program, {.ifindex = bond, .flags = XDP_FLAGS_DRV_MODE}));
}

void add_bonds(Registry& rules) {
  constexpr KernelVersion kXdpOnBondsSince{.major = 5, .minor = 15};
  const std::string redirect = "net/core/filter.c:xdp_master_redirect";
  rules.add({
      .id = "event.program-on-a-bond-sends-through-the-active-port",
      .states = "XDP_TX of a program on a bond in active-backup mode sends a frame through the active port, whichever "
                "port received it.",
      .since = kXdpOnBondsSince,
      .source = {redirect},
      .commits = {"879af96ffd72"},
      .catalogue = {"EVENT-11"},
      .variants = once(),
      .needs = {features::veth(), features::native_bond()},
      .check =
          [](Case& c) {
            const auto bond = bond_of(c, Mastership::active_backup, true);
            const auto program = c.program(Assembler().return_value(XDP_TX));
            const auto attached = attach_to_bond(c, program, bond.bond);
            // Before Linux 6.6 or so XDP_TX of a veth wakes the other side only if that has a program.
            const auto passing = c.program(Assembler().return_value(XDP_PASS));
            const auto far = c.attach(passing, bond.pairs[0].second, Mode::native);
            const auto active = c.must(PacketSocket::open(bond.pairs[0].second));
            const auto backup = c.must(PacketSocket::open(bond.pairs[1].second));
            const auto at_active = [&] { return c.must(active.receive(c.patience())); };
            const auto by_backup = make_frame(kShortestFrame, 1);
            c.must(backup.send(by_backup));
            c.holds("a frame that the backup port received leaves through the active one", at_active() == by_backup);
            const auto by_active = make_frame(kShortestFrame, 2);
            c.must(active.send(by_active));
            c.holds("a frame that the active port received leaves through it", at_active() == by_active);
            c.holds("no frame left through the backup port", !c.must(backup.receive(0ms)));
          },
  });

  rules.add({
      .id = "event.program-on-a-bond-that-is-down-aborts",
      .states = "XDP_TX of a program on a bond that is down becomes XDP_ABORTED.",
      .since = {.major = 7, .minor = 1},
      .backports = {{6, 12, 91}, {6, 1, 175}},
      .source = {redirect},
      .commits = {"1921f91298d1"},
      .catalogue = {"EVENT-11"},
      .variants = once(),
      .needs = {features::veth(), features::native_bond(), features::redirect_trace()},
      .danger = "kernels without the fix crash",
      .check =
          [](Case& c) {
            const auto bond = bond_of(c, Mastership::round_robin, false);
            const auto program = c.program(Assembler().return_value(XDP_TX));
            const auto attached = attach_to_bond(c, program, bond.bond);
            auto trace = c.trace({RedirectTracepoint::exception}, {.receivers = {bond.pairs[0].first}});
            const auto far = c.must(PacketSocket::open(bond.pairs[0].second));
            c.must(far.send(make_frame()));
            std::vector<RedirectEvent> events;
            (void)wait_until(
                [&] {
                  events = c.must(trace.events());
                  return !events.empty();
                },
                c.patience());
            c.equals("events xdp_exception", events.size(), 1U);
            if (!events.empty()) c.equals("the action of the first", events.front().action, XDP_ABORTED);
            c.holds("the frame is not sent back", !c.must(far.receive(0ms)));
          },
  });
}

}  // namespace

void add_event_traffic_rules(Registry& rules) {
  add_deletion_under_frames(rules);
  add_bonds(rules);
}

}  // namespace devmap::cases
