#include <harness/doctor/probe.hpp>

#include <arpa/inet.h>
#include <linux/if_link.h>
#include <sys/resource.h>

#include <fmt/format.h>
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <functional>
#include <harness/base/wait.hpp>
#include <harness/bpf/assembler.hpp>
#include <harness/bpf/devmap.hpp>
#include <harness/bpf/program.hpp>
#include <harness/doctor/diagnosis.hpp>
#include <harness/net/frame.hpp>
#include <harness/net/link.hpp>
#include <harness/net/netns.hpp>
#include <harness/net/packet_socket.hpp>
#include <harness/net/redirect_trace.hpp>
#include <harness/net/xdp_link.hpp>
#include <optional>
#include <span>

namespace devmap::doctor {
namespace {

using std::chrono_literals::operator""s;
using std::chrono_literals::operator""ms;
using enum RedirectTracepoint;

/// Long enough for frames that are on their way already.
constexpr auto kOnTheirWay = 1s;

constexpr std::uint32_t kUsualMtu = 1500;

/// How often a probe is made at most until everything was heard that became of its frames.
constexpr int kMostAttempts = 5;

/// Of individual LAN scope (IEEE Std 802.1Q, table 8-1): no bridge passes it on.
constexpr std::array<std::uint8_t, 6> kNearestBridge = {0x01, 0x80, 0xc2, 0, 0, 0x0e};

Expected<void> there(const std::optional<KnownNamespace>& where, const std::function<Expected<void>()>& act) {
  if (!where) return act();
  const auto opened = NetNs::open(where->path);
  if (!opened) return std::unexpected(opened.error());
  Expected<void> done;
  if (auto entered = opened->run([&] { done = act(); }); !entered) return entered;
  return done;
}

/// Redirects frames of the experimental EtherType to the map's only entry, and drops all others: the scratch device may
/// receive some.
Expected<Program> redirecting(const DevMap& map) {
  using enum Register;
  Assembler code;
  const auto other = code.label();
  code.load(Width::word, r2, r1, offsetof(xdp_md, data))
      .load(Width::word, r3, r1, offsetof(xdp_md, data_end))
      .move(r4, r2)
      .compute(Arithmetic::add, r4, 14)
      .jump_if(Condition::greater, r4, r3, other)
      .load(Width::half, r5, r2, 12)
      .jump_if(Condition::not_equal, r5, htons(kExperimentalEtherType), other)
      .redirect_map(map, 0, XDP_ABORTED)
      .exit()
      .place(other)
      .return_value(XDP_DROP);
  const auto instructions = code.build();
  if (!instructions) return std::unexpected(instructions.error());
  return Program::load({.name = "doctor"}, *instructions).expected();
}

/// The frames that come out at the other end of OUT, where that can be listened at.
class OtherEnd {
 public:
  explicit OtherEnd(const Situation& situation) {
    const auto& out = situation.out;
    const Device* end = is_veth(out.device) ? other_of(out) : nullptr;
    if (is_loopback(out.device)) end = &out.device;
    if (end == nullptr) return;
    title_ = title_of(*end);
    runs_program_ = end->state.native_program != 0 || end->state.generic_program != 0;
    const auto opened = there(end->elsewhere, [&]() -> Expected<void> {
      auto socket = PacketSocket::open(end->ifindex);
      if (!socket) return std::unexpected(socket.error());
      socket_.emplace(std::move(*socket));
      return {};
    });
    if (!opened) socket_.reset();
  }

  [[nodiscard]] bool listens() const { return socket_.has_value(); }
  [[nodiscard]] const std::string& title() const { return title_; }
  [[nodiscard]] bool runs_program() const { return runs_program_; }

  /// How many of the frames with this token came.
  [[nodiscard]] std::uint32_t heard(std::uint64_t token) const {
    std::uint32_t count = 0;
    if (!socket_) return count;
    const auto end = std::chrono::steady_clock::now() + kOnTheirWay;
    while (count < kProbeFrames) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
      if (left.count() <= 0) break;
      const auto frame = socket_->receive(left);
      if (!frame || !*frame) break;
      if (identify(**frame, token).whose != Identified::Whose::somebody_elses) ++count;
    }
    return count;
  }

 private:
  std::optional<PacketSocket> socket_;
  std::string title_;
  bool runs_program_ = false;
};

/// What the tracepoints told of the frames.
struct Told {
  std::uint32_t received_by = 0;
  std::uint32_t target = 0;
  bool listened = false;
  std::uint32_t redirected = 0;
  std::int32_t redirect_error = 0;
  std::int32_t sent = 0;
  std::int32_t drops = 0;
  std::int32_t driver_error = 0;

  void add(const RedirectEvent& event) {
    switch (event.tracepoint) {
      case redirect:
        ++redirected;
        break;
      case redirect_err:
        redirect_error = -event.err;
        break;
      case devmap_xmit:
        // Other namespaces have devices of the same numbers, and other programs redirect to OUT as well.
        if (event.ifindex != received_by || event.to_ifindex != target) break;
        sent += event.sent;
        drops += event.drops;
        if (event.err != 0) driver_error = -event.err;
        break;
      default:
        break;
    }
  }
};

Probe impossible(const Error& error) {
  const bool denied = error.code == EPERM || error.code == EACCES;
  return {.outcome = Probe::Outcome::impossible, .seen = error.text() + (denied ? " (run it as root)" : "")};
}

Probe refused(std::string seen) {
  return {.outcome = Probe::Outcome::refused, .seen = std::move(seen)};
}

/// One probe, from the map to what is said of it.
class Attempt {
 public:
  Attempt(const Situation& situation, Mode mode) : situation_(situation), mode_(mode), end_(situation) {}

  Probe run() {
    // Before Linux 5.11 BPF memory counts against this limit.
    const rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
    (void)setrlimit(RLIMIT_MEMLOCK, &unlimited);
    if (auto ready = prepare(); !ready) return impossible(ready.error());
    const auto before = counters();
    if (auto sent = mode_ == Mode::native ? send_live() : send_through_scratch(); !sent) {
      return impossible(sent.error());
    }
    listen();
    auto result = judge(was_refused() ? 0 : end_.heard(token_), before);
    // Frames that came out, and errors, are what they are; only silence may be none.
    if (skipped_ != 0 && !was_refused() && result.outcome != Probe::Outcome::received) {
      return {.outcome = Probe::Outcome::impossible, .seen = "could not tell: " + skipped_events(skipped_)};
    }
    skipped_ = 0;
    return result;
  }
  /// Whether another attempt may show what this one could not.
  [[nodiscard]] bool inexact() const { return skipped_ != 0; }

 private:
  Expected<void> prepare() {
    auto map = DevMap::create({.max_entries = 1, .name = "doctor"}).expected();
    if (!map) return std::unexpected(map.error());
    const auto& out = situation_.out.device;
    auto entered = there(out.elsewhere, [&] { return map->update(0, {.ifindex = out.ifindex}).expected(); });
    if (!entered) return entered;
    map_.emplace(std::move(*map));
    auto program = redirecting(*map_);
    if (!program) return std::unexpected(program.error());
    program_.emplace(std::move(*program));
    const auto info = program_->info().expected();
    if (!info) return std::unexpected(info.error());
    auto trace = RedirectTrace::start({redirect, redirect_err, devmap_xmit},
                                      {.programs = {info->id}, .receivers = {}, .devices = {out.ifindex}});
    if (trace) trace_.emplace(std::move(*trace));
    told_.listened = trace_.has_value();
    told_.target = out.ifindex;
    frame_ = make_frame(FrameSpec{
        .size = situation_.size.value_or(kShortestFrame), .tag = {.token = token_, .number = 0}, .to = kNearestBridge});
    return {};
  }

  /// As if IN had received them. Kernels without live frames (before 5.18) refuse the flag or the context.
  Expected<void> send_live() {
    xdp_md context{};
    context.data_end = static_cast<std::uint32_t>(frame_.size());
    context.ingress_ifindex = situation_.in.device.ifindex;
    const auto sent = program_->test_run({.repeat = kProbeFrames,
                                          .flags = BPF_F_TEST_XDP_LIVE_FRAMES,
                                          .batch_size = kProbeFrames,
                                          .data_in = frame_,
                                          .context_in = std::as_bytes(std::span(&context, 1))});
    if (!sent) return send_through_scratch();
    as_if_ = "as if received by " + situation_.in.device.state.name;
    told_.received_by = context.ingress_ifindex;
    return {};
  }

  Expected<void> send_through_scratch() {
    as_if_ = fmt::format("received by a scratch device with a program in {} mode", name_of(mode_));
    const auto scratch = NetNs::create();
    if (!scratch) return std::unexpected(scratch.error());
    Expected<void> sent;
    if (auto entered = scratch->run([&] { sent = send_from_here(); }); !entered) return entered;
    return sent;
  }

  Expected<void> send_from_here() {
    const auto pair = create_veth({.first_name = "scratch0", .second_name = "scratch1", .queues = 1});
    if (!pair) return std::unexpected(pair.error());
    if (const auto size = static_cast<std::uint32_t>(frame_.size()); size > kUsualMtu) {
      for (const auto ifindex : {pair->first, pair->second}) {
        if (auto set = set_mtu(ifindex, size); !set) return set;
      }
    }
    const auto link = XdpLink::create(*program_, {.ifindex = pair->second, .flags = xdp_flags(mode_)}).expected();
    if (!link) return std::unexpected(link.error());
    if (mode_ == Mode::native) told_.received_by = pair->second;
    const auto socket = PacketSocket::open(pair->first);
    if (!socket) return std::unexpected(socket.error());
    for (std::uint32_t i = 0; i < kProbeFrames; ++i) {
      if (auto sent = socket->send(frame_); !sent) return sent;
    }
    // Softirqs may come later than the send returns.
    (void)wait_until(
        [this] {
          listen();
          return told_.redirected >= kProbeFrames || told_.redirect_error != 0;
        },
        told_.listened ? kOnTheirWay : 100ms);
    return {};
  }

  [[nodiscard]] bool was_refused() const { return told_.redirect_error != 0 || told_.drops > 0; }

  void listen() {
    if (!trace_) return;
    const auto events = trace_->events();
    if (const auto skipped = trace_->missed()) skipped_ = *skipped;
    if (!events) return;
    for (const auto& event : *events) told_.add(event);
  }

  [[nodiscard]] DeviceState counters() const {
    DeviceState state;
    const auto& out = situation_.out.device;
    (void)there(out.elsewhere, [&]() -> Expected<void> {
      if (auto read = device_state(out.ifindex)) state = std::move(*read);
      return {};
    });
    return state;
  }

  [[nodiscard]] Probe judge(std::uint32_t heard, const DeviceState& before) const {
    const auto& name = situation_.out.device.state.name;
    const auto what = fmt::format("{} frames of {} bytes, {}: ", kProbeFrames, frame_.size(), as_if_);
    if (told_.redirect_error != 0) {
      return refused(what + fmt::format("the redirect to {} failed with {}", name, errno_name(told_.redirect_error)));
    }
    if (told_.drops > 0) {
      return refused(what + fmt::format("the driver of {} took {} and refused {}{}", name, told_.sent, told_.drops,
                                        told_.driver_error != 0 ? " with " + errno_name(told_.driver_error)
                                                                : " without an error"));
    }
    // Some kernels skip events of a softirq and do not tell (RedirectTrace): frames that came out or were counted
    // count.
    const auto after = counters();
    const bool out_came_as_many = heard == kProbeFrames || after.sent - before.sent >= kProbeFrames;
    if (told_.listened && told_.redirected < kProbeFrames && !out_came_as_many) {
      return refused(what + fmt::format("only {} were seen to be redirected, and {} counts {} more sent",
                                        told_.redirected, name, after.sent - before.sent));
    }
    auto seen = what;
    if (mode_ == Mode::native && told_.listened) {
      seen += fmt::format("the driver of {} took {}", name, told_.sent);
    } else if (told_.listened) {
      seen += fmt::format("{} were seen to be redirected to {}", told_.redirected, name);
    } else {
      seen += "the tracepoints could not be listened to";
    }
    seen += fmt::format(", {} counts {} more sent and {} more dropped", name, after.sent - before.sent,
                        after.sending_dropped - before.sending_dropped);
    Probe result{.outcome = Probe::Outcome::taken, .seen = std::move(seen)};
    if (end_.listens()) {
      result.seen += fmt::format(", {} received {}", end_.title(), heard);
      if (heard == kProbeFrames) {
        result.outcome = Probe::Outcome::received;
      } else if (end_.runs_program()) {
        result.not_shown =
            fmt::format("the program on {} may have taken the others before they could be heard; ", end_.title());
      } else {
        result.outcome = Probe::Outcome::lost;
      }
    } else if (after.sending_dropped - before.sending_dropped >= kProbeFrames && !out_came_as_many) {
      result.outcome = Probe::Outcome::lost;
    } else {
      result.not_shown = fmt::format("what is beyond {} could not be listened to; ", name);
    }
    result.not_shown += not_shown_of_in();
    return result;
  }

  [[nodiscard]] std::string not_shown_of_in() const {
    const auto& in = situation_.in.device.state.name;
    return fmt::format(
        "whether {} receives frames and its driver carries the redirect out: for that a program would have "
        "to be attached to {}",
        in, in);
  }

  const Situation& situation_;
  Mode mode_;
  OtherEnd end_;
  std::uint64_t token_ = new_token();
  std::optional<DevMap> map_;
  std::optional<Program> program_;
  std::optional<RedirectTrace> trace_;
  Frame frame_;
  std::string as_if_;
  Told told_;
  std::uint64_t skipped_ = 0;
};

}  // namespace

std::string_view name_of(Probe::Outcome outcome) {
  switch (outcome) {
    case Probe::Outcome::received:
      return "received";
    case Probe::Outcome::taken:
      return "taken";
    case Probe::Outcome::lost:
      return "lost";
    case Probe::Outcome::refused:
      return "refused";
    case Probe::Outcome::impossible:
      break;
  }
  return "impossible";
}

Probe probe(const Situation& situation, Mode mode) {
  for (int attempts_left = kMostAttempts - 1;; --attempts_left) {
    Attempt attempt(situation, mode);
    auto result = attempt.run();
    if (!attempt.inexact() || attempts_left == 0) return result;
  }
}

void consider(const Probe& probe, const Situation& situation, std::vector<Finding>& findings) {
  const auto& name = situation.out.device.state.name;
  if (probe.outcome == Probe::Outcome::impossible) {
    findings.push_back({.name = "probe-impossible",
                        .severity = Severity::unknown,
                        .found = "what a probe would show; it could not be made",
                        .remedy = "see the line on the probe",
                        .rule = rule::kRedirects});
    return;
  }
  const bool through = probe.outcome == Probe::Outcome::received || probe.outcome == Probe::Outcome::taken;
  if (through) {
    std::erase_if(findings, [](const Finding& finding) { return finding.name == "target-ability-unknown"; });
    return;
  }
  if (prognosis(findings) == Prognosis::does_not_deliver) return;
  findings.insert(findings.begin(),
                  {.name = "probe-did-not-get-through",
                   .severity = Severity::obstacle,
                   .found = fmt::format("the frames of the probe did not get through {}, although nothing "
                                        "was found that stands in their way",
                                        name),
                   .remedy = "please report it, with the output of --json",
                   .rule = rule::kRedirects});
}

}  // namespace devmap::doctor
