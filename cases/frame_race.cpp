#include <cases/frame_race.hpp>

#include <bpf/libbpf.h>
#include <fcntl.h>

#include <cases/frame_race.skel.h>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <harness/base/processor.hpp>
#include <harness/base/wait.hpp>
#include <harness/bpf/features.hpp>
#include <harness/bpf/reply.hpp>
#include <harness/net/features.hpp>
#include <harness/net/frame.hpp>
#include <span>

namespace devmap::cases {
namespace {

/// What fits a veth device's ring for sure: it has 256 places (drivers/net/veth.c:VETH_RING_SIZE), of which 15 may have
/// been emptied and not been given back yet (include/linux/ptr_ring.h:__ptr_ring_discard_one).
constexpr std::uint32_t kRing = 256 - 15;
constexpr std::uint32_t kMostAtOnce = 64;

/// What the programs and this process share.
template <class T>
std::atomic_ref<T> shared(T& word) {
  return std::atomic_ref<T>(word);
}

Expected<void> done(int libbpf_code, const char* what) {
  if (libbpf_code < 0) return failure(what, -libbpf_code);
  return {};
}

/// A descriptor of its own for a program that goes with its skeleton.
Program keep_program(Case& c, const bpf_program* program) {
  UniqueFd own(fcntl(bpf_program__fd(program), F_DUPFD_CLOEXEC, 0));
  if (!own) c.must(Expected<void>(last_error("fcntl", "F_DUPFD_CLOEXEC")));
  return Program::adopt(std::move(own));
}

Frame stamped(std::uint64_t token, std::uint32_t sender) {
  auto frame = make_frame(kShortestFrame);
  race_stamp stamp{};
  stamp.token = token;
  stamp.sender = sender;
  std::memcpy(frame.data() + offsetof(race_frame, stamp), &stamp, sizeof stamp);
  return frame;
}

}  // namespace

Rule frame_rule(Rule rule) {
  rule.needs.insert(rule.needs.begin(), {features::veth(), features::processor_number()});
  return rule;
}

void FrameRace::Destroy::operator()(frame_race* skeleton) const noexcept {
  frame_race::destroy(skeleton);
}

FrameRace::FrameRace(Case& c, const DevMap& map, const Spec& spec)
    : c_(c),
      spec_(spec),
      live_(spec.mode == Mode::native && features::live_frames().probe().presence == Presence::present),
      processors_(c.must(allowed_processors())),
      token_(new_token()) {
  const std::size_t most = spec.two_receivers ? 2 : RACE_SENDERS;
  if (processors_.size() > most) processors_.resize(most);
  window_ = std::clamp(kRing / static_cast<std::uint32_t>(processors_.size()), 1U, kMostAtOnce);
  const auto wire = [&c](const std::string& first, const std::string& second, std::uint32_t nth) {
    return c.must(create_veth({.first_name = first,
                               .second_name = second,
                               .first_index = distinct_ifindex(2 * nth),
                               .second_index = distinct_ifindex(2 * nth + 1),
                               .queues = 1}));
  };
  for (std::uint32_t port = 0; port < spec.ports; ++port) {
    pairs_.push_back(wire(fmt::format("t{}", port), fmt::format("s{}", port), port));
  }
  ingress_ = wire("in0", "in1", RACE_PORTS);
  load(map);
  const auto counting = keep_program(c, skeleton_->progs.arrive);
  for (const auto& pair : pairs_) attachments_.push_back(c.attach(counting, pair.second, Mode::native));
  attachments_.push_back(c.attach(*program_, ingress_.second, spec.mode));
  // Run by itself it would wait for RCU each time.
  if (const auto* const dispatching = attachments_.back().dispatching()) run_ = dispatching;
  if (spec.two_receivers) attachments_.push_back(c.attach(*program_, ingress_.first, spec.mode));
  if (!live_) socket_ = c.must(PacketSocket::open(ingress_.first));
}

FrameRace::~FrameRace() {
  over_ = true;
  senders_.clear();
}

void FrameRace::load(const DevMap& map) {
  libbpf_set_print(nullptr);
  skeleton_.reset(frame_race::open());
  if (!skeleton_) c_.must(Expected<void>(last_error("open the object of a race")));
  auto& rodata = *skeleton_->rodata;
  rodata.token = token_;
  rodata.redirect_flags = spec_.flags;
  rodata.changed_key = spec_.changed_key;
  rodata.has_steady_key = spec_.steady_key ? 1 : 0;
  rodata.steady_key = spec_.steady_key.value_or(0);
  rodata.allowed_steady = hit(0);
  rodata.allowed_in_between = spec_.in_between;
  rodata.first_sink = sink(0);
  const bool by_inner = spec_.outer != nullptr;
  const auto& maps = skeleton_->maps;
  const auto& programs = skeleton_->progs;
  c_.must(done(bpf_map__set_autocreate(by_inner ? maps.targets : maps.outer, false), "bpf_map__set_autocreate"));
  c_.must(done(bpf_map__reuse_fd(by_inner ? maps.outer : maps.targets, by_inner ? spec_.outer->fd() : map.fd()),
               "bpf_map__reuse_fd"));
  bpf_program__set_autoload(by_inner ? programs.redirect : programs.redirect_by_inner, false);
  const bool entries_hold_programs = map.value_size() == 8;
  bpf_program__set_autoload(programs.leave, entries_hold_programs);
  bpf_program__set_autoload(programs.leave_with_ingress, entries_hold_programs && spec_.two_receivers);
  // As the dispatcher is loaded, which is to call them.
  for (auto* program : {programs.redirect, programs.redirect_by_inner, programs.arrive}) {
    bpf_program__set_expected_attach_type(program, static_cast<bpf_attach_type>(0));
  }
  // The stamp counts as not aligned, since IP headers count as aligned.
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, skeleton_->obj) {
    bpf_program__set_flags(program, bpf_program__flags(program) | BPF_F_ANY_ALIGNMENT);
  }
  c_.must(done(frame_race::load(skeleton_.get()), "load the programs of a race"));
  state_ = &skeleton_->bss->state;
  program_ = keep_program(c_, by_inner ? programs.redirect_by_inner : programs.redirect);
  run_ = &*program_;
}

Program FrameRace::counting_in_entry(bool with_ingress) const {
  return keep_program(c_, with_ingress ? skeleton_->progs.leave_with_ingress : skeleton_->progs.leave);
}

void FrameRace::settle(Allowed allowed) {
  shared(state_->allowed).store(allowed);
  const auto phase = shared(state_->phase).load();
  shared(state_->phase).store(phase + phase % 2);
}

void FrameRace::begin_change() {
  shared(state_->phase).fetch_add(1);
  ++changes_;
}

void FrameRace::keep(const Reply<>& reply) {
  if (!reply && !refused_) refused_ = reply.asked().text() + " -> " + errno_name(reply.error());
}

void FrameRace::keep(const Expected<void>& made) {
  if (!made && !refused_) refused_ = made.error().text();
}

void FrameRace::start() {
  began_ = Clock::now();
  for (std::uint32_t sender = 0; sender < processors_.size(); ++sender) {
    senders_.emplace_back([this, sender] { send(sender, processors_.at(sender)); });
  }
}

void FrameRace::stop() {
  over_ = true;
  senders_.clear();
  time_ = Clock::now() - began_;
  if (failed_ != 0) c_.must(Expected<void>(failure("send frames", failed_)));
  // What is still queued for the program, or behind it, is under way and not lost.
  for (std::uint32_t sender = 0; sender < processors_.size() && !given_up_; ++sender) {
    (void)wait_until([&] { return all_arrived(sender); }, c_.patience());
  }
}

bool FrameRace::all_were_given(std::uint32_t sender) const {
  std::uint64_t given = 0;
  for (const auto lane : {RACE_CHANGED, RACE_STEADY}) {
    given += shared(state_->senders[sender].hits[lane]).load() + shared(state_->senders[sender].misses[lane]).load();
  }
  return given >= sent_by_.at(sender);
}

bool FrameRace::all_arrived(std::uint32_t sender) const {
  if (!all_were_given(sender)) return false;
  const auto at = [&](std::uint32_t port) { return shared(state_->ports[port].from[sender].frames).load(); };
  const auto hits = [&](std::uint32_t lane) { return shared(state_->senders[sender].hits[lane]).load(); };
  if (spec_.steady_key) return at(0) >= hits(RACE_STEADY);
  std::uint64_t somewhere = 0;
  for (std::uint32_t port = 0; port < spec_.ports; ++port) somewhere += at(port);
  if (spec_.copies == 1) return somewhere >= hits(RACE_CHANGED);
  for (std::uint32_t port = 0; port < spec_.copies; ++port) {
    if (at(port) < hits(RACE_CHANGED)) return false;
  }
  return true;
}

bool FrameRace::send_some(std::uint32_t sender, const Frame& frame) {
  if (!live_) {
    for (std::uint32_t n = 0; n < window_; ++n) {
      Expected<void> gone;
      // A full ring empties when its device is next polled.
      (void)wait_until(
          [&] {
            gone = socket_->send(frame);
            return gone.has_value() || gone.error().code != ENOBUFS || over_;
          },
          c_.patience());
      if (!gone) {
        if (!over_) failed_ = gone.error().code;
        return false;
      }
      ++sent_by_.at(sender);
    }
    return true;
  }
  xdp_md context{};
  context.data_end = static_cast<std::uint32_t>(frame.size());
  context.ingress_ifindex = spec_.two_receivers && sender % 2 == 1 ? ingress_.first : ingress_.second;
  const auto ran = run_->test_run({.repeat = window_,
                                   .flags = BPF_F_TEST_XDP_LIVE_FRAMES,
                                   .batch_size = window_,
                                   .data_in = frame,
                                   .context_in = std::as_bytes(std::span(&context, 1))});
  failed_ = ran ? failed_.load() : ran.error();
  sent_by_.at(sender) += window_;
  return static_cast<bool>(ran);
}

void FrameRace::send(std::uint32_t sender, unsigned processor) {
  if (const auto stays = stay_on_processor(processor); !stays) failed_ = stays.error().code;
  const auto frame = stamped(token_, sender);
  while (!over_ && send_some(sender, frame)) {
    for (int turn = 0; turn < 64 && !all_arrived(sender); ++turn) std::this_thread::yield();
    given_up_ = given_up_ || !wait_until([&] { return all_arrived(sender); }, c_.patience());
    if (given_up_) break;
    ++batches_by_.at(sender);
  }
  over_ = true;
}

bool FrameRace::more_frames() {
  // Of two batches that end after now, the first may hold frames from before, and the last of them is out of the
  // queue of its device once the second is.
  const auto batches = std::span(batches_by_).first(processors_.size());
  std::vector<std::uint64_t> enough(batches.size());
  std::ranges::transform(batches, enough.begin(), [](const auto& sent) { return sent + 2; });
  const auto all_are_sent = [&] { return std::ranges::equal(batches, enough, std::greater_equal<std::uint64_t>()); };
  return wait_until([&] { return all_are_sent() || over_; }, c_.patience()) && !over_;
}

template <class Of>
std::uint64_t FrameRace::sum_of(Of of) const {
  std::uint64_t sum = 0;
  for (const auto& sender : state_->senders) sum += of(sender);
  return sum;
}

template <class Of>
std::uint64_t FrameRace::sum_at_sinks(Of of) const {
  std::uint64_t sum = 0;
  for (const auto& port : state_->ports) {
    for (const auto& from : port.from) sum += of(from);
  }
  return sum;
}

std::uint64_t FrameRace::sent() const {
  std::uint64_t sum = 0;
  for (const auto& sent : sent_by_) sum += sent;
  return sum;
}
std::uint64_t FrameRace::hits() const {
  return sum_of([](const auto& sender) { return sender.hits[RACE_CHANGED]; });
}
std::uint64_t FrameRace::steady_hits() const {
  return sum_of([](const auto& sender) { return sender.hits[RACE_STEADY]; });
}
std::uint64_t FrameRace::misses() const {
  return sum_of([](const auto& sender) { return sender.misses[RACE_CHANGED]; });
}
std::uint64_t FrameRace::steady_misses() const {
  return sum_of([](const auto& sender) { return sender.misses[RACE_STEADY]; });
}
std::uint64_t FrameRace::left() const {
  return sum_of([](const auto& sender) { return sender.left; });
}
std::uint64_t FrameRace::arrived(std::uint32_t port) const {
  std::uint64_t sum = 0;
  for (const auto& from : state_->ports[port].from) sum += from.frames;
  return sum;
}
std::uint64_t FrameRace::arrived() const {
  return sum_at_sinks([](const auto& from) { return from.frames; });
}

void FrameRace::judge_runs() {
  c_.equals(fmt::format("what {} changes came to", changes_), refused_.value_or("success"), "success");
  c_.equals("frames that the program was given, of those that were sent",
            sum_of([](const auto& sender) { return sender.runs; }), sent());
}

void FrameRace::judge_arrivals() {
  c_.equals("frames at the sinks, of those that were redirected", arrived(), hits());
}

void FrameRace::judge_places() {
  c_.equals("frames at a sink where they were not to arrive",
            sum_at_sinks([](const auto& from) { return from.forbidden; }), 0U);
  c_.equals("frames that were redirected where there was no entry",
            sum_of([](const auto& sender) { return sender.wrong_hits; }), 0U);
  c_.equals("frames that found no entry where there was one",
            sum_of([](const auto& sender) { return sender.wrong_misses; }), 0U);
}

void FrameRace::judge_order() {
  c_.equals("frames that arrived behind a later one of the same sender, or again",
            sum_at_sinks([](const auto& from) { return from.disordered; }), 0U);
}

void FrameRace::judge_queues(bool with_ingress) {
  c_.equals("frames that left on another processor than the one that redirected them",
            sum_of([](const auto& sender) { return sender.foreign_processor; }), 0U);
  if (!with_ingress) return;
  c_.equals("frames that left with the receiving device of another frame",
            sum_of([](const auto& sender) { return sender.foreign_ingress; }), 0U);
}

void FrameRace::rates() {
  c_.note(fmt::format("{} frames from {} processors, {} redirected, {} took the action for a missing key, {} changes",
                      sent(), processors_.size(), hits() + steady_hits(), misses() + steady_misses(), changes_));
  c_.rates(time_, {{"frames", sent()}, {"changes", changes_}});
}

}  // namespace devmap::cases
