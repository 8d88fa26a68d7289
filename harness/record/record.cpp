#include <harness/record/record.hpp>

#include <algorithm>

namespace devmap {

std::map<Verdict, std::size_t> RunRecord::summary() const {
  std::map<Verdict, std::size_t> counts;
  for (const auto& result : results) ++counts[result.verdict];
  return counts;
}

int exit_code(const RunRecord& record) {
  const auto any = [&](auto... verdicts) {
    return std::ranges::any_of(record.results,
                               [&](const Result& result) { return ((result.verdict == verdicts) || ...); });
  };
  if (any(Verdict::deviates, Verdict::splat, Verdict::crash)) return kExitDeviates;
  if (any(Verdict::timeout)) return kExitTimedOut;
  if (any(Verdict::broken)) return kExitBroken;
  const bool nothing_ran = std::ranges::none_of(record.results, [](const Result& r) { return checked(r.verdict); });
  return nothing_ran ? kExitNothingRan : kExitConforms;
}

}  // namespace devmap
