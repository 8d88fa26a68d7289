#include <harness/record/verdict.hpp>

namespace devmap {

std::string_view name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::conforms:
      return "conforms";
    case Verdict::backported:
      return "backported";
    case Verdict::absent:
      return "absent";
    case Verdict::known:
      return "known";
    case Verdict::unmet:
      return "unmet";
    case Verdict::deviates:
      return "deviates";
    case Verdict::splat:
      return "splat";
    case Verdict::crash:
      return "crash";
    case Verdict::timeout:
      return "timeout";
    case Verdict::broken:
      return "broken";
  }
  return "";
}

std::optional<Verdict> verdict_named(std::string_view name) {
  for (const Verdict verdict : kVerdicts) {
    if (name_of(verdict) == name) return verdict;
  }
  return std::nullopt;
}

}  // namespace devmap
