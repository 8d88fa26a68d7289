#include <cases/traffic.hpp>

#include <cases/support.hpp>
#include <harness/base/processor.hpp>
#include <harness/base/wait.hpp>

#include <linux/if_ether.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>

namespace devmap::cases {
namespace {

using enum Place::Kind;

std::string name_of(const Place& place) {
  switch (place.kind) {
    case sink:
      return fmt::format("s{}", place.number);
    case back:
      return "back at in0";
    case stack:
      return "the stack of in1";
    case tap:
      return fmt::format("sent through t{} by the stack", place.number);
    case elsewhere:
      return fmt::format("device {}", place.number);
  }
  return "";
}

/// Processes share the processors evenly.
void stay_on_one_processor(Case& c) {
  const auto allowed = c.must(allowed_processors());
  c.must(stay_on_processor(allowed.at(static_cast<std::size_t>(getpid()) % allowed.size())));
}

Mode mode_of(Case& c, const Traffic::Spec& spec) {
  return spec.mode.value_or(c.variant().mode.value_or(Mode::native));
}

Star make_star(Case& c, const Traffic::Spec& spec) {
  stay_on_one_processor(c);
  // Only native redirects need receivers that poll.
  const bool none = spec.polling == Polling::as_the_kernel_needs && mode_of(c, spec) == Mode::generic;
  return c.must(Star::create(
      {.ports = spec.ports, .polling = none ? Polling::none : spec.polling, .mtu = spec.mtu, .attach = c.attacher()}));
}

}  // namespace

Fate::Fate(std::vector<Arrival> arrivals) : arrivals_(std::move(arrivals)) {
  std::ranges::sort(arrivals_);
}

std::string Fate::text() const {
  if (arrivals_.empty()) return "nowhere";
  std::string text;
  for (const auto& [place, content] : arrivals_) {
    if (!text.empty()) text += ", ";
    text += name_of(place);
    if (content != kAsSent) text += " (" + content + ")";
  }
  return text;
}

Fate nowhere() {
  return {};
}
Fate sent_back() {
  return {at_in0()};
}
Fate to_stack() {
  return {at_stack()};
}
Arrival at_sink(std::uint32_t port, std::string content) {
  return {.place = {sink, port}, .content = std::move(content)};
}
Arrival at_in0(std::string content) {
  return {.place = {back}, .content = std::move(content)};
}
Arrival at_stack(std::string content) {
  return {.place = {stack}, .content = std::move(content)};
}
Fate delivered_to(const std::vector<std::uint32_t>& ports) {
  std::vector<Arrival> arrivals;
  arrivals.reserve(ports.size());
  for (const auto port : ports) arrivals.push_back(at_sink(port));
  return Fate(std::move(arrivals));
}
Fate delivered_to_first(std::uint32_t count) {
  std::vector<Arrival> arrivals;
  arrivals.reserve(count);
  for (std::uint32_t port = 0; port < count; ++port) arrivals.push_back(at_sink(port));
  return Fate(std::move(arrivals));
}

Fate Fates::of(const Frame& frame) const {
  const auto asked = identify(frame, token_);
  std::vector<Arrival> arrivals;
  for (const auto& [number, arrival] : heard_) {
    if (asked.whose == Identified::Whose::ours && number == asked.number) arrivals.push_back(arrival);
  }
  return Fate(std::move(arrivals));
}

std::vector<std::uint32_t> Fates::order_at(const Place& place) const {
  std::vector<std::uint32_t> numbers;
  for (const auto& [number, arrival] : heard_) {
    if (arrival.place == place) numbers.push_back(number);
  }
  return numbers;
}

Traffic::Traffic(Case& c, const Spec& spec)
    : c_(c), mode_(mode_of(c, spec)), star_(make_star(c, spec)), capture_(c.must(Capture::open(spec.taps))) {}

Assembler Traffic::main(Answer answer) const {
  using enum Register;
  constexpr std::int16_t kTokenAt = ETH_HLEN;
  Assembler code;
  const auto other = code.label();
  code.load(Width::word, r2, r1, offsetof(xdp_md, data))
      .load(Width::word, r3, r1, offsetof(xdp_md, data_end))
      .move(r4, r2)
      .compute(Arithmetic::add, r4, kTokenAt + static_cast<int>(sizeof token_))
      .jump_if(Condition::greater, r4, r3, other)
      .load(Width::double_word, r4, r2, kTokenAt)
      .load_immediate(r5, ~token_)
      .jump_if(Condition::not_equal, r4, r5, other)
      .return_value(answer == Answer::sent_back ? XDP_TX : XDP_PASS)
      .place(other);
  return code;
}

std::uint32_t Traffic::run(const Assembler& code, const ProgramSpec& spec, Answer answer) {
  auto program = c_.program(code, spec);
  const auto id = id_of(c_, program);
  run(std::move(program), answer);
  return id;
}

void Traffic::run(Program program, Answer answer) {
  attached_.reset();
  program_ = std::move(program);
  attached_.emplace(c_.attach(*program_, in1(), mode_));
  answer_ = answer;
}

Frame Traffic::frame(FrameSpec spec) {
  spec.tag = {.token = token_, .number = static_cast<std::uint32_t>(made_.size())};
  made_.push_back(make_frame(spec));
  return made_.back();
}

std::vector<Frame> Traffic::frames(std::size_t count, const FrameSpec& spec) {
  std::vector<Frame> all;
  all.reserve(count);
  for (std::size_t i = 0; i < count; ++i) all.push_back(frame(spec));
  return all;
}

void Traffic::send(const std::vector<Frame>& frames) {
  for (const auto& frame : frames) c_.must(capture_.send(in0(), frame));
}

Frame Traffic::marker() {
  return make_frame({.tag = {.token = ~token_, .number = markers_++}});
}

void Traffic::send_marker(std::uint32_t through, const Frame& frame) {
  Expected<void> sent;
  // A full ring empties when its device is next polled.
  (void)wait_until(
      [&] {
        sent = capture_.send(through, frame);
        return sent.has_value() || sent.error().code != ENOBUFS;
      },
      c_.patience());
  c_.must(std::move(sent));
}

Place Traffic::place_of(std::uint32_t ifindex, bool outgoing) const {
  if (ifindex == in0() && !outgoing) return {.kind = back};
  if (ifindex == in1() && !outgoing) return {.kind = stack};
  for (std::uint32_t port = 0; port < star_.ports(); ++port) {
    if (ifindex == sink(port) && !outgoing) return {.kind = Place::Kind::sink, .number = port};
    if (ifindex == target(port) && outgoing) return {.kind = tap, .number = port};
  }
  return {.kind = elsewhere, .number = ifindex};
}

void Traffic::take(Fates& fates, const std::vector<HeardFrame>& heard) const {
  for (const auto& [ifindex, outgoing, bytes] : heard) {
    const auto found = identify(bytes, token_);
    if (found.whose == Identified::Whose::somebody_elses || found.number >= made_.size()) {
      ++fates.strangers_;
      continue;
    }
    fates.heard_.push_back(
        {.number = found.number,
         .arrival = {.place = place_of(ifindex, outgoing), .content = changes(made_.at(found.number), bytes)}});
  }
}

Fates Traffic::fates() {
  Fates fates;
  fates.token_ = token_;
  const auto through = marker();
  send_marker(in0(), through);
  take(fates, c_.must(capture_.up_to({{.at = answer_ == Answer::sent_back ? in0() : in1(), .frame = through}},
                                     c_.patience())));
  std::vector<Capture::Marker> awaited;
  const auto await_through = [&](std::uint32_t ifindex, std::uint32_t at) {
    const auto behind = marker();
    send_marker(ifindex, behind);
    awaited.push_back({.at = at, .frame = behind});
  };
  // Programs may have sent a copy back although frames do not come back.
  if (answer_ == Answer::passed) await_through(in1(), in0());
  for (std::uint32_t port = 0; port < star_.ports(); ++port) {
    if (!c_.must(star_.is_open(port))) continue;
    await_through(target(port), sink(port));
  }
  take(fates, c_.must(capture_.up_to(std::move(awaited), c_.patience())));
  if (fates.strangers_ != 0) c_.note(fmt::format("{} frames were heard that are not this case's", fates.strangers_));
  return fates;
}

Fate Traffic::fate_of(const Frame& frame) {
  send({frame});
  return fates().of(frame);
}

void Traffic::trace(std::initializer_list<RedirectTracepoint> tracepoints) {
  RedirectTrace::Watched watched{.receivers = {in1()}, .devices = {in1()}};
  for (std::uint32_t port = 0; port < star_.ports(); ++port) {
    watched.devices.push_back(target(port));
    watched.receivers.push_back(target(port));  // what xdp_exception tells of a program in an entry
  }
  trace_.emplace(c_.trace(tracepoints, watched));
}

std::vector<RedirectEvent> Traffic::events() {
  return c_.must(trace_.value().events());
}

std::string summary(const std::vector<RedirectEvent>& events) {
  std::string text;
  for (const auto& event : events) {
    if (!text.empty()) text += ", ";
    text += devmap::name_of(event.tracepoint);
    if (event.err != 0) text += " " + errno_name(-event.err);
    const bool sending =
        event.tracepoint == RedirectTracepoint::devmap_xmit || event.tracepoint == RedirectTracepoint::bulk_tx;
    if (sending) text += fmt::format(" sent {} of {}", event.sent, event.sent + event.drops);
  }
  return text.empty() ? "no event" : text;
}

}  // namespace devmap::cases
