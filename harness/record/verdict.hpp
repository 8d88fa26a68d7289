#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace devmap {

/// What a check says of a kernel. The first four are the cross of "the kernel's version is one the rule is said to be
/// true of" and "it behaves as stated".
enum class Verdict : std::uint8_t {
  conforms,    ///< within the versions, behaves as stated
  backported,  ///< outside the versions, behaves as stated all the same
  absent,      ///< outside the versions, does not behave so
  known,       ///< a deviation that is listed with its reason
  unmet,       ///< could not be checked here: something it needs is missing
  deviates,    ///< within the versions, does not behave as stated
  splat,       ///< the kernel logged a warning while the check ran
  crash,       ///< the check's process died
  timeout,     ///< the check did not end in time
  broken,      ///< the set-up failed: the harness is at fault, not the kernel
};

inline constexpr std::array kVerdicts = {Verdict::conforms, Verdict::backported, Verdict::absent, Verdict::known,
                                         Verdict::unmet,    Verdict::deviates,   Verdict::splat,  Verdict::crash,
                                         Verdict::timeout,  Verdict::broken};

/// "conforms", "deviates", ...
[[nodiscard]] std::string_view name_of(Verdict verdict);
[[nodiscard]] std::optional<Verdict> verdict_named(std::string_view name);

/// Whether the verdict makes a run fail.
[[nodiscard]] constexpr bool fails(Verdict verdict) {
  return verdict >= Verdict::deviates;
}

/// Whether the check ran to its end, so that the verdict is about the kernel.
[[nodiscard]] constexpr bool checked(Verdict verdict) {
  return verdict < Verdict::unmet || verdict == Verdict::deviates;
}

}  // namespace devmap
