#include <harness/net/redirect_trace.hpp>

#include <bpf/libbpf.h>

#include <fmt/format.h>
#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <span>
#include <utility>

namespace devmap {
namespace {

int take_event(void* into, void* data, std::size_t size) {
  const auto event = RedirectListener::event_in({static_cast<const std::byte*>(data), size});
  if (!event) return -EINVAL;
  static_cast<std::vector<RedirectEvent>*>(into)->push_back(*event);
  return 0;
}

/// Fails where a tracepoint is listened to that nothing watched can show at.
Expected<void> check_watched(RedirectTrace::Tracepoints tracepoints, const RedirectTrace::Watched& watched) {
  for (const auto tracepoint : tracepoints) {
    const bool by_program = RedirectEvent::field_name(tracepoint, RedirectEvent::kProgramId) != nullptr;
    const bool nothing = by_program ? watched.programs.empty() && watched.receivers.empty() : watched.devices.empty();
    if (nothing) {
      return failure("listen to a tracepoint", 0, fmt::format("nothing is watched at {}", name_of(tracepoint)));
    }
  }
  return {};
}

}  // namespace

std::string skipped_events(std::uint64_t skipped) {
  return fmt::format("the kernel skipped {} event{} of redirects somewhere on the machine (recursion_misses)", skipped,
                     skipped == 1 ? "" : "s");
}

void RedirectTrace::FreeRing::operator()(ring_buffer* ring) const noexcept {
  ring_buffer__free(ring);
}

RedirectTrace::RedirectTrace(RedirectTrace&& other) noexcept
    : tracepoints_(std::move(other.tracepoints_)),
      listener_(std::move(other.listener_)),
      missed_before_(other.missed_before_),
      on_missed_(std::exchange(other.on_missed_, {})),
      asked_for_(std::exchange(other.asked_for_, {})),
      heard_(std::move(other.heard_)),
      ring_(std::move(other.ring_)) {}

RedirectTrace::~RedirectTrace() {
  if (!listener_) return;
  if (on_missed_) {
    if (const auto skipped = missed(); skipped && *skipped != 0) on_missed_(*skipped);
  }
  for (const auto& subject : asked_for_) listener_->no_longer_ask_for(subject.kind, subject.id);
}

Expected<void> RedirectTrace::listen(std::uint32_t ring, const Watched& watched) {
  ring_.reset(ring_buffer__new(listener_->ring(ring).fd(), take_event, heard_.get(), nullptr));
  if (!ring_) return last_error("ring_buffer__new");
  // What an earlier trace left unread.
  if (auto left = consume(); !left) return left;
  heard_->clear();
  const auto missed_before = listener_->missed(tracepoints_);
  if (!missed_before) return std::unexpected(missed_before.error());
  missed_before_ = *missed_before;
  const auto ask_for = [&](RedirectListener::Subject kind, const std::vector<std::uint32_t>& ids) -> Expected<void> {
    for (const auto id : ids) {
      if (auto asked = listener_->ask_for(kind, id, ring); !asked) return asked;
      asked_for_.push_back({kind, id});
    }
    return {};
  };
  if (auto asked = ask_for(RedirectListener::Subject::program, watched.programs); !asked) return asked;
  if (auto asked = ask_for(RedirectListener::Subject::receiver, watched.receivers); !asked) return asked;
  return ask_for(RedirectListener::Subject::device, watched.devices);
}

Expected<RedirectTrace> RedirectTrace::start(Tracepoints tracepoints, const Watched& watched, OnMissed on_missed) {
  if (const auto checked = check_watched(tracepoints, watched); !checked) return std::unexpected(checked.error());
  auto listener = RedirectListener::create(tracepoints, 1);
  if (!listener) return std::unexpected(listener.error());
  return start(std::make_shared<const RedirectListener>(std::move(*listener)), 0, tracepoints, watched,
               std::move(on_missed));
}

Expected<RedirectTrace> RedirectTrace::start(std::shared_ptr<const RedirectListener> listener, std::uint32_t ring,
                                             Tracepoints tracepoints, const Watched& watched, OnMissed on_missed) {
  if (const auto checked = check_watched(tracepoints, watched); !checked) return std::unexpected(checked.error());
  RedirectTrace trace(tracepoints, std::move(listener));
  if (const auto begun = trace.listen(ring, watched); !begun) return std::unexpected(begun.error());
  trace.on_missed_ = std::move(on_missed);
  return trace;
}

Expected<std::uint64_t> RedirectTrace::missed() const {
  const auto now = listener_->missed(tracepoints_);
  if (!now) return std::unexpected(now.error());
  return *now - missed_before_;
}

Expected<void> RedirectTrace::consume() {
  if (const int code = ring_buffer__consume(ring_.get()); code < 0) return failure("ring_buffer__consume", -code);
  return {};
}

Expected<std::vector<RedirectEvent>> RedirectTrace::events() {
  if (const auto consumed = consume(); !consumed) return std::unexpected(consumed.error());
  // Only now, so that it covers all that is given.
  const auto skipped = missed();
  if (!skipped) return std::unexpected(skipped.error());
  if (*skipped != 0) {
    if (on_missed_) on_missed_(*skipped);
    return failure("hear every event of redirects", 0, skipped_events(*skipped));
  }
  auto heard = std::exchange(*heard_, {});
  // The listener may listen to others too.
  std::erase_if(heard, [&](const RedirectEvent& event) {
    return std::ranges::find(tracepoints_, event.tracepoint) == tracepoints_.end();
  });
  return heard;
}

}  // namespace devmap
