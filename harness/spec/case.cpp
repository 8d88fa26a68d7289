#include <harness/spec/case.hpp>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <exception>

namespace devmap {

Case::Case(Variant variant, Listener listener, const Lent& lent)
    : variant_(variant),
      listener_(std::move(listener)),
      lent_(lent),
      lent_listener_(lent.listener, [](const RedirectListener*) {}) {}

DevMap Case::devmap(std::uint32_t max_entries, std::uint32_t map_flags) {
  return must(
      DevMap::create({.type = type(), .value_size = value_size(), .max_entries = max_entries, .map_flags = map_flags}));
}

Program Case::program(const Assembler& instructions, const ProgramSpec& spec) {
  return must(Program::load(spec, must(instructions.build())));
}

Program Case::egress_program(const ProgramSpec& spec) {
  return program(Assembler().return_value(XDP_PASS), spec);
}

XdpAttach Case::attacher() {
  return [this](const Program& program, const XdpAttachment::Spec& spec) {
    if (slots_taken_ == lent_.slot_count) return XdpAttachment::directly(program, spec);
    // Slots are not used again: an attachment may outlive the one that comes after it.
    const auto slot = lent_.first_slot + slots_taken_++;
    for (const auto* dispatcher : {lent_.dispatcher, lent_.frags_dispatcher}) {
      if (dispatcher == nullptr) continue;
      auto attached = XdpAttachment::behind(*dispatcher, slot, program, spec);
      const bool not_for_it = !attached && attached.error().code == EINVAL;
      if (!not_for_it) return attached;
    }
    return XdpAttachment::directly(program, spec);
  };
}

XdpAttachment Case::attach(const Program& program, std::uint32_t ifindex, Mode mode) {
  return must(attacher()(program, {.ifindex = ifindex, .flags = xdp_flags(mode)}));
}

RedirectTrace Case::trace(RedirectTrace::Tracepoints tracepoints, const RedirectTrace::Watched& watched) {
  const bool is_free = lent_listener_ != nullptr && lent_listener_.use_count() == 1;
  const auto on_missed = [this](std::uint64_t skipped) { may_have_missed(skipped_events(skipped)); };
  return must(is_free ? RedirectTrace::start(lent_listener_, lent_.ring, tracepoints, watched, on_missed)
                      : RedirectTrace::start(tracepoints, watched, on_missed));
}

std::chrono::milliseconds Case::patience() const {
  using std::chrono::milliseconds;
  const auto since = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - began_);
  const auto left = std::max(lent_.time_limit - since, milliseconds::zero()) * 3 / 4;
  return std::min(left, lent_.most_patience.value_or(left));
}

std::chrono::milliseconds Case::soak(std::chrono::milliseconds usual) const {
  return lent_.soak.value_or(usual);
}

void Case::rates(std::chrono::duration<double> time, std::initializer_list<Count> counts) {
  std::string text;
  for (const auto& [what, times] : counts) {
    const double rate = static_cast<double>(times) / std::max(time.count(), 1e-9);
    const auto [unit, divisor] = rate < 1e3   ? std::pair{"", 1.0}
                                 : rate < 1e6 ? std::pair{"k ", 1e3}
                                              : std::pair{"M ", 1e6};
    text += fmt::format("{}{:.3g} {}{}/s", text.empty() ? "" : ", ", rate / divisor, unit, what);
  }
  record({.role = Role::rate, .did = fmt::format("{} in {:.3g} s", text, time.count())});
}

bool Case::record(const Evidence& evidence) {
  if (judged(evidence.role)) {
    ++judged_;
    if (!evidence.as_expected) ++mismatches_;
  }
  listener_(evidence);
  return evidence.as_expected;
}

void Case::break_off(std::string reason) {
  if (!broken_) broken_ = std::move(reason);
}

Case::Outcome Case::run(const std::function<void(Case&)>& check) {
  try {
    check(*this);
    if (judged_ == 0) break_off("the check judged nothing");
  } catch (const Ended&) {
    assert(mismatches_ > 0);  // the mismatch that ended it is on record
  } catch (const SetUpFailed& failed) {
    // After a mismatch the kernel is not in the state that later steps count on: the mismatch is the finding.
    if (mismatches_ == 0) {
      break_off(failed.error.text());
    } else {
      note("not continued: " + failed.error.text());
    }
  } catch (const std::exception& error) {
    break_off(std::string("exception: ") + error.what());
  } catch (...) {
    break_off("exception of an unknown type");
  }
  const bool as_stated = judged_ > 0 && mismatches_ == 0 && !broken_;
  // What broke may have been that nothing was heard.
  if (!as_stated && inexact_) return {.inexact = inexact_, .refusals = refusals_};
  return {.as_stated = as_stated, .broken = broken_, .refusals = refusals_};
}

Refusal::~Refusal() {
  // Where its control could not even be made, that failure is the one to report.
  if (!controlled_ && std::uncaught_exceptions() == 0) case_.break_off("a refusal was judged without its control");
}

}  // namespace devmap
