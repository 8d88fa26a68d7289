#pragma once

#include <harness/doctor/finding.hpp>
#include <harness/doctor/situation.hpp>

#include <cstdint>
#include <string>

namespace devmap::doctor {

/// How many frames a probe sends, at once, so that they are one bulk (DEV_MAP_BULK_SIZE of kernel/bpf/devmap.c).
inline constexpr std::uint32_t kProbeFrames = 16;

/// What became of the frames of a probe.
struct Probe {
  enum class Outcome : std::uint8_t {
    received,    ///< all were heard at the other end of OUT
    taken,       ///< OUT's driver took them; what it did with them cannot be seen from here
    lost,        ///< OUT's driver took them, and dropped them or not all were heard at the other end
    refused,     ///< the redirect failed, or OUT's driver refused them
    impossible,  ///< nothing could be sent, or nobody could tell what became of it
  };
  Outcome outcome = Outcome::impossible;
  /// What was seen, or why nothing was.
  std::string seen = {};
  /// What it does not show.
  std::string not_shown = {};
};
[[nodiscard]] std::string_view name_of(Probe::Outcome outcome);

/// Sends frames to OUT through a map of its own. They have the experimental EtherType, so that nobody answers them, and
/// an address that bridges do not pass on. Nothing that was there before is changed, and nothing is left behind:
///
///     native     a live test run, as if received by IN --> program (redirect) --> OUT
///     generic    scratch0 <====> scratch1 (program, generic mode: redirect) --> OUT, the two in a namespace of their
///     own
///
/// So it shows what becomes of a redirect to OUT, and nothing of how frames get into IN: for that a program would have
/// to be attached to IN. It is repeated a few times where the kernel does not tell all that happened (RedirectTrace).
/// Needs the rights of root.
[[nodiscard]] Probe probe(const Situation& situation, Mode mode);

/// The findings in the light of a probe: what was unknown may be known now, and frames that did not get through
/// although nothing was found against it are a finding.
void consider(const Probe& probe, const Situation& situation, std::vector<Finding>& findings);

}  // namespace devmap::doctor
