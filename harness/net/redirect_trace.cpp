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

void RedirectTrace::FreeRing::operator()(ring_buffer* ring) const noexcept {
  ring_buffer__free(ring);
}

RedirectTrace::RedirectTrace(RedirectTrace&& other) noexcept
    : tracepoints_(std::move(other.tracepoints_)),
      listener_(std::move(other.listener_)),
      asked_for_(std::exchange(other.asked_for_, {})),
      heard_(std::move(other.heard_)),
      ring_(std::move(other.ring_)) {}

RedirectTrace::~RedirectTrace() {
  for (const auto& subject : asked_for_) listener_->no_longer_ask_for(subject.kind, subject.id);
}

Expected<void> RedirectTrace::listen(std::uint32_t ring, const Watched& watched) {
  ring_.reset(ring_buffer__new(listener_->ring(ring).fd(), take_event, heard_.get(), nullptr));
  if (!ring_) return last_error("ring_buffer__new");
  // What an earlier trace left unread.
  if (const auto left = events(); !left) return std::unexpected(left.error());
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

Expected<RedirectTrace> RedirectTrace::start(Tracepoints tracepoints, const Watched& watched) {
  if (const auto checked = check_watched(tracepoints, watched); !checked) return std::unexpected(checked.error());
  auto listener = RedirectListener::create(tracepoints, 1);
  if (!listener) return std::unexpected(listener.error());
  return start(std::make_shared<const RedirectListener>(std::move(*listener)), 0, tracepoints, watched);
}

Expected<RedirectTrace> RedirectTrace::start(std::shared_ptr<const RedirectListener> listener, std::uint32_t ring,
                                             Tracepoints tracepoints, const Watched& watched) {
  if (const auto checked = check_watched(tracepoints, watched); !checked) return std::unexpected(checked.error());
  RedirectTrace trace(tracepoints, std::move(listener));
  if (const auto begun = trace.listen(ring, watched); !begun) return std::unexpected(begun.error());
  return trace;
}

Expected<std::vector<RedirectEvent>> RedirectTrace::events() {
  if (const int code = ring_buffer__consume(ring_.get()); code < 0) return failure("ring_buffer__consume", -code);
  auto heard = std::exchange(*heard_, {});
  // The listener may listen to others too.
  std::erase_if(heard, [&](const RedirectEvent& event) {
    return std::ranges::find(tracepoints_, event.tracepoint) == tracepoints_.end();
  });
  return heard;
}

}  // namespace devmap
